"""Bring a project to the shipped solution of this version, and keep what the customer changed.

`.shipped/` holds the shipped files as the project got them: with these, what the customer changed
and what a new version changed can be told apart.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cosell_definitions import parsing
from cosell_definitions.problems import Problem, Severity

from ..project import BASES, shipped, shipped_files
from .blocks import Clash, merged

State = Literal["same", "new", "updated", "kept", "merged", "clash", "gone"]
"""same: nothing to do; new: comes with this version; updated: replaced, nobody had changed it;
kept: the customer's, nothing new below it; merged: both changed, in different places; clash: both
changed the same place; gone: no longer shipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What an upgrade does to one file."""

    file: str
    state: State
    text: str | None = None  # what the file becomes, where it changes
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A shipped file that is not as it was shipped."""

    file: str
    state: Literal["edited", "missing"]


def drifted(root: Path) -> Iterator[Drift]:
    """Shipped flows that were edited in place, or deleted.

    Mappings, environments and the flow whose name begins with [Customize] are the customer's to edit.
    """
    for file in shipped_files():
        base = _base_of(root, file)
        if base is None or _is_the_customers(file, base):
            continue
        path = root / file
        if not path.is_file():
            yield Drift(file=file, state="missing")
        elif _plain(path) != base:
            yield Drift(file=file, state="edited")


def upgrades(root: Path) -> Iterator[Upgrade]:
    """What an upgrade to this version would do, file by file."""
    now = shipped_files()
    for file in now:
        yield _upgrade(root, file, _plain(shipped() / file))
    bases = root / BASES
    for path in sorted(bases.rglob("*.yaml")) if bases.is_dir() else ():
        file = path.relative_to(bases).as_posix()
        if file not in now and (root / file).is_file():
            edited = _plain(root / file) != _plain(path)
            yield Upgrade(file=file, state="kept" if edited else "gone")


def apply(root: Path, changes: list[Upgrade]) -> None:
    """Write the files, and keep this version's as the new bases. A file with a clash keeps its base.

    So the same clash is told again until somebody settled it, and nothing is lost in between.
    """
    for change in changes:
        path, base = root / change.file, root / BASES / change.file
        if change.state == "clash":
            continue
        if change.state == "gone":
            path.unlink()
            base.unlink()
            continue
        if change.text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(change.text, encoding="utf-8")
        if (shipped() / change.file).is_file():
            base.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shipped() / change.file, base)


def _upgrade(root: Path, file: str, theirs: str) -> Upgrade:
    path, base = root / file, _base_of(root, file)
    if not path.is_file():
        state: State = "new" if base is None else "kept"  # deleted on purpose stays deleted
        return Upgrade(file=file, state=state, text=theirs if base is None else None)
    ours = _plain(path)
    if ours == theirs:
        return Upgrade(file=file, state="same")
    if base is None:
        return Upgrade(file=file, state="clash", clashes=(Clash((), ours, theirs),))
    if ours == base:
        return Upgrade(file=file, state="updated", text=theirs)
    if theirs == base:
        return Upgrade(file=file, state="kept")
    text, clashes = merged(base, ours, theirs, file=file)
    if not clashes and _faults(text, file):
        clashes = [Clash((), ours, theirs)]  # each change is fine by itself, but not together
    return Upgrade(
        file=file, state="clash" if clashes else "merged", text=text, clashes=tuple(clashes)
    )


def _faults(text: str, file: str) -> list[Problem]:
    problems: tuple[Problem, ...] = ()
    if file.endswith(".flow.yaml"):
        problems = parsing.load_flow(text, file=file)[1]
    elif file.endswith(".map.yaml"):
        problems = parsing.load_mapping(text, file=file)[1]
    return [one for one in problems if one.severity is Severity.ERROR]


def _base_of(root: Path, file: str) -> str | None:
    """The file as the project got it; in a checkout of cosell itself, as it is."""
    path = root / BASES / file
    if path.is_file():
        return _plain(path)
    return _plain(root / file) if root == shipped() and (root / file).is_file() else None


def _is_the_customers(file: str, base: str) -> bool:
    if not file.endswith(".flow.yaml"):
        return not file.startswith("connectors/")
    return any(line.startswith("name:") and "[Customize]" in line for line in base.splitlines())


def _plain(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
