"""Keep what was made of the files of a project, so that a check parses only what was edited.

What is kept is found by the bytes it was made of and the programs that made it, so it cannot be
stale; a verdict on what is made of one file is looked after by `verdicts`. All of it is signed with what
only this installation knows, and may hold nothing but our own frozen values: a file that came along
with somebody's project is not read.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import hashlib
import hmac
import io
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cosell_flows
from cosell_definitions.remembering import PARSED, Key

from ..compiling.expressions import SYNTAX
from ..compiling.referring import USAGES

NAME = "parsed.bin"
SHARED = Path(cosell_flows.__file__).parent / "__pycache__" / NAME
"""Beside what Python keeps of our programs, and as easily forgotten."""
MOST = 32 * 1024 * 1024
WORTHWHILE = 8  # the file is written again when one part in so many was parsed anew

_SIGNED = hashlib.sha256().digest_size
_OURS = frozenset(
    {
        "cosell_connectors.model",
        "cosell_definitions.model",
        "cosell_definitions.model_mappings",
        "cosell_definitions.model_tests",
        "cosell_definitions.nodes",
        "cosell_definitions.problems",
        "cosell_definitions.settings",
        "cosell_definitions.tracing",
        "cosell_flows.compiling.referring",
        "cosell_flows.compiling.syntax",
        "cosell_flows.compiling.values",
    }
)
_PLAIN: dict[tuple[str, str], type] = {
    (one.__module__, one.__qualname__): one
    for one in (
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        datetime.timezone,
        decimal.Decimal,
    )
}
_UNREADABLE = (
    pickle.PickleError, AttributeError, EOFError, ImportError, IndexError, KeyError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip


class _Unpickler(pickle.Unpickler):
    """Makes our own frozen values and plain ones, and nothing else."""

    def find_class(self, module: str, name: str) -> type:
        if (module, name) in _PLAIN:
            return _PLAIN[module, name]
        found = super().find_class(module, name) if module in _OURS else None
        if isinstance(found, type) and found.__module__ == module:
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is not kept")


class Shelf:
    """What an earlier check made of the files, in one file of the project's own folder.

    What is not on it may lie on the one *below*, which nobody writes through this one. *copy*: a
    second file to be written.
    """

    def __init__(
        self,
        file: Path,
        installation: bytes,
        *,
        below: Shelf | None = None,
        copy: Path | None = None,
    ) -> None:
        self._files = (file,) if copy is None else (file, copy)
        self._secret = installation
        self._below = below
        self._there = _read(file, installation)
        self._used: dict[str, bytes] = {}
        self._made: dict[str, Any] = {}
        self._heaps: dict[str, dict[bytes, Any]] = {}  # what is too small to lie alone
        self._used_of_heaps: dict[str, dict[bytes, Any]] = {}
        self._found_bytes = self._made_bytes = 0
        self.anew: list[str] = []
        """The files that were parsed now."""
        self.judged: list[str] = []
        """The files that were judged now."""

    def find(self, key: Key) -> tuple[Any] | None:
        """What was made before; None where it was not, or cannot be read."""
        found = self._find(key)
        if found is None and self._below is not None:
            found = self._below.find(key)
            self._found_bytes += key[1] if found is not None else 0
        return found

    def _find(self, key: Key) -> tuple[Any] | None:
        about, length, digest = key
        if isinstance(about, str):
            if about not in self._heaps:
                self._heaps[about] = _unpickled(self._there.get(about, b"")) or {}
            found = self._heaps[about].get(digest)
            if found is not None:
                self._used_of_heaps.setdefault(about, {})[digest] = found
                self._found_bytes += length
            return (found,) if found is not None else None
        name = _name(key)
        made: tuple[Any] | None = _unpickled(self._there.get(name, b""))
        if made is not None:
            self._used[name] = self._there[name]
            self._found_bytes += length
        return made

    def add(self, key: Key, made: Any) -> None:
        """Have something kept that was made just now."""
        about, length, digest = key
        self._made_bytes += length
        if isinstance(about, str):
            self._used_of_heaps.setdefault(about, {})[digest] = made
        else:
            self._made[_name(key)] = (made,)
            self.anew += [str(about[1])] if isinstance(about, tuple) else []

    def close(self) -> None:
        """Write what was used and made now, where it is worth the time; all else is forgotten."""
        if self._made_bytes * WORTHWHILE <= self._found_bytes + self._made_bytes:
            return
        kept = dict(self._used)
        for name, made in {**self._made, **self._used_of_heaps}.items():
            with contextlib.suppress(*_UNREADABLE):
                kept[name] = pickle.dumps(made, pickle.HIGHEST_PROTOCOL)
        payload = pickle.dumps(kept, pickle.HIGHEST_PROTOCOL)
        if len(payload) > MOST:
            return
        for file in self._files:
            with contextlib.suppress(OSError):  # a folder that is only to be read
                file.parent.mkdir(exist_ok=True)
                beside = file.with_name(f"{file.name}.{os.getpid()}")
                beside.write_bytes(_signature(self._secret, payload) + payload)
                beside.replace(file)


def _name(key: Key) -> str:
    return hashlib.sha256(repr(key).encode("utf-8", "backslashreplace")).hexdigest()


def _signature(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, payload, "sha256")


def _read(file: Path, secret: bytes) -> dict[str, bytes]:
    """What is kept, by name; nothing where the file is not of this very installation."""
    try:
        with file.open("rb") as source:
            raw = source.read(MOST + _SIGNED + 1)
    except OSError:
        return {}
    signed, payload = raw[:_SIGNED], raw[_SIGNED:]
    if not hmac.compare_digest(signed, _signature(secret, payload)):
        return {}
    return _unpickled(payload) or {}


def _unpickled(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return _Unpickler(io.BytesIO(raw)).load()
    except _UNREADABLE:
        return None


@contextlib.contextmanager
def with_what_was_parsed(
    root: Path, installation: bytes | None, *, shared: Path | None = None, is_shipped: bool = False
) -> Iterator[Shelf | None]:
    """While the block runs, files and expressions that an earlier check saw are not parsed.

    *shared*: where the installation keeps what was made of the shipped files, for all projects that
    hold them; it is written where the project *is_shipped*, and holds nothing else.
    """
    if installation is None:
        yield None
        return
    below = Shelf(shared, installation) if shared is not None else None
    copy = shared if is_shipped else None
    shelf = Shelf(root / ".cosell" / NAME, installation, below=below, copy=copy)
    with PARSED.with_shelf(shelf), SYNTAX.with_shelf(shelf), USAGES.with_shelf(shelf):
        yield shelf
    shelf.close()
