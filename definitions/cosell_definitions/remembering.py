"""Keep what was made of a file, so that one process parses the same bytes once.

A serving process opens the project for every run, and most runs find every file as it was. What is
kept cannot be stale: it is found by the bytes themselves. It cannot be changed either: what parsing
makes is frozen.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Remembered:
    """The newest results, up to a number of bytes they were made of. For any number of threads."""

    def __init__(self, *, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def made_of(self, text: str | bytes, about: Hashable, make: Callable[[], T]) -> T:
        """What *make* made of *text* before, or makes now; *about*: all else it depends on."""
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        key = (about, len(raw), hashlib.sha256(raw).digest())
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key][0]
                return found
        made = make()
        with self._lock:
            if len(raw) <= self._room and key not in self._kept:
                self._kept[key] = made, len(raw)
                self._size += len(raw)
            while self._size > self._room:
                _, (_, size) = self._kept.popitem(last=False)
                self._size -= size
        return made


PARSED = Remembered(room=4_000_000)
