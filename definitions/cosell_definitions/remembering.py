"""Keep what was made of a file, so that one process parses the same bytes once.

A serving process opens the project for every run, and most runs find every file as it was. What is
kept cannot be stale: it is found by the bytes themselves. It cannot be changed either: what parsing
makes is frozen.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from threading import Lock
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Key = tuple[Hashable, int, bytes]
"""What a result depends on besides a text, and the text's length and digest."""


class Shelf(Protocol):
    """Where results of an earlier process may be found."""

    def find(self, key: Key) -> tuple[Any] | None:
        """The result, in a tuple of its own; None where it is not there."""

    def add(self, key: Key, made: Any) -> None:
        """Offer a result for a later process."""


class Remembered:
    """The newest results, up to a number of bytes they were made of. For any number of threads."""

    def __init__(self, *, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()
        self._shelf: Shelf | None = None

    @staticmethod
    def key_of(text: str | bytes, about: Hashable) -> Key:
        """What a result of *text* is found by."""
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return about, len(raw), hashlib.sha256(raw).digest()

    @contextlib.contextmanager
    def with_shelf(self, shelf: Shelf) -> Iterator[None]:
        """While the block runs, look on a shelf for whatever is asked for the first time in it."""
        kept, size, self._kept, self._size = self._kept, self._size, OrderedDict(), 0
        self._shelf = shelf
        try:
            yield
        finally:
            self._kept, self._size, self._shelf = kept, size, None

    def made_of(self, text: str | bytes, about: Hashable, make: Callable[[], T]) -> T:
        """What *make* made of *text* before, or makes now; *about*: all else it depends on."""
        key = self.key_of(text, about)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key][0]
                return found
        made = self._found_or_made(key, make)
        with self._lock:
            if key[1] <= self._room and key not in self._kept:
                self._kept[key] = made, key[1]
                self._size += key[1]
            while self._size > self._room:
                _, (_, size) = self._kept.popitem(last=False)
                self._size -= size
        return made

    def _found_or_made(self, key: Key, make: Callable[[], T]) -> T:
        shelf = self._shelf
        found = shelf.find(key) if shelf is not None else None
        if found is not None:
            return found[0]  # type: ignore[no-any-return] # it was made by the same code
        made = make()
        if shelf is not None:
            shelf.add(key, made)
        return made


PARSED = Remembered(room=4_000_000)
