"""What a look at a whole project found, and whether the project is still as it was then."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cosell_connectors
import cosell_definitions
import cosell_env
import cosell_flows
from cosell_definitions.problems import Problem

_KEPT = "checked.json"
_SETTLED_NS = 100_000_000  # a file system's clock ticks in hundredths of a second
_PACKAGES = (cosell_definitions, cosell_env, cosell_connectors, cosell_flows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All problems, in the order of the files, and the files that were looked at."""

    problems: tuple[Problem, ...]
    files: tuple[str, ...]

    def of(self, files: Iterable[str]) -> Survey:
        """The same, of some files only."""
        chosen = frozenset(files)
        return Survey(
            problems=tuple(one for one in self.problems if one.place.file in chosen),
            files=tuple(one for one in self.files if one in chosen),
        )


class Seal:
    """Tells whether a project without a problem is untouched since, as `git status` does.

    It covers size, times and place of every file of the project (but for hidden folders beside the
    rooms: `.git`, `.venv`), of our own programs, and of the installation: whatever a survey reads.
    Only the verdict *no problem* is kept, in `.cosell/`. A link into another folder, a folder that
    cannot be looked into and a file that was written this very moment break it.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / ".cosell" / _KEPT
        self._newest = 0
        self._whole = True
        installed = hashlib.sha256(sys.version.encode())
        self._cover(installed, *(Path(str(one.__file__)).parent for one in _PACKAGES))
        for place in sys.path:  # each library that comes or goes changes the folder it is in
            if not place.endswith("-packages"):
                continue
            with contextlib.suppress(OSError):
                installed.update(f"{place} {Path(place).stat().st_mtime_ns}\n".encode())
        self.installation = installed.digest() if self._settled() else None
        """Stands for our programs and the libraries here: another file has another one. None where
        that cannot be told."""
        digest = installed.copy()
        self._cover(digest, root, beside=_BESIDE)
        self._value = digest.hexdigest()

    def _cover(self, digest: hashlib._Hash, *folders: Path, beside: tuple[str, ...] = ()) -> None:
        try:
            for folder in folders:
                for line in self._lines(folder, beside=beside):
                    digest.update(line.encode("utf-8", "surrogateescape"))
        except OSError:  # whoever reads the files says what is wrong with them
            self._whole = False

    def _settled(self) -> bool:
        return self._whole and time.time_ns() - self._newest >= _SETTLED_NS

    def unbroken(self) -> Survey | None:
        """The survey that found nothing, where all is as it was then."""
        if not self._whole:
            return None
        try:
            kept = json.loads(self._file.read_text("utf-8"))
            if kept["seal"] == self._value:
                return Survey(problems=(), files=tuple(map(str, kept["files"])))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def put(self, found: Survey) -> None:
        """Keep the verdict, where there is no problem at all."""
        if found.problems or not self._settled():
            return
        with contextlib.suppress(OSError):  # a project that is only to be read
            self._file.parent.mkdir(exist_ok=True)
            beside = self._file.with_name(f"{_KEPT}.{os.getpid()}")
            beside.write_text(json.dumps({"seal": self._value, "files": found.files}), "utf-8")
            beside.replace(self._file)

    def _lines(self, folder: Path, beside: tuple[str, ...] = ()) -> Iterator[str]:
        """What is known of each file without reading it; folders that begin as *beside* left out."""
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_symlink():
                self._whole = False
            elif entry.is_dir():
                if not entry.name.startswith(beside) and entry.name != "__pycache__":
                    yield from self._lines(Path(entry.path))
            elif not entry.name.endswith(".pyc"):
                told = entry.stat()
                self._newest = max(self._newest, told.st_mtime_ns, told.st_ctime_ns)
                times = f"{told.st_mtime_ns} {told.st_ctime_ns}"
                yield f"{entry.path} {told.st_size} {times} {told.st_ino}\n"


_BESIDE = (".", "node_modules")  # what stands beside the rooms and is no part of the project
