"""A list too long to be held: read page by page, and walked through in portions."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from cosell_definitions.model import Bare

from ..compiling.expressions import evaluate_bare
from ..compiling.streaming import evaluate_part, output_of, walked
from ..compiling.syntax import Syntax
from .digesting import digest


@dataclass(frozen=True, slots=True)
class Rows:
    """One page: what is on it, and where the next one is."""

    items: Sequence[Any]
    following: str | None


@dataclass(frozen=True, slots=True)
class Stream:
    """A list of which the first page is here, and the others come when they are asked for.

    It can be walked through more than once. `asked` tells it from the answer to another question.
    """

    first: Rows
    read: Callable[[str], Awaitable[Rows]]
    asked: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between two rows: in which part, on which page of it, after how many rows of that."""

    part: int = 0
    at: str | None = None  # None: the first page
    done: int = 0

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `as_json` made."""
        return cls(part=kept["part"], at=kept["at"], done=kept["done"])

    def as_json(self) -> dict[str, Any]:
        """The mark as the ledger keeps it."""
        return {"part": self.part, "at": self.at, "done": self.done}


@dataclass(slots=True)
class _Segment:
    """Rows of one page, and where one is behind them."""

    at: Mark
    rows: Sequence[Any]
    behind: Mark

    def take(self, most: int) -> Sequence[Any]:
        """Up to so many rows; they are gone from here then."""
        taken, self.rows = self.rows[:most], self.rows[most:]
        self.at = Mark(self.at.part, self.at.at, self.at.done + len(taken))
        return taken


@dataclass(slots=True)
class Portions:
    """What a loop walks through where a part of it is a stream. `size`: of a portion; None: rows."""

    parts: tuple[Stream | Sequence[Any], ...]
    size: int | None
    start: Mark = field(default_factory=Mark)

    async def chunks(self, width: int) -> AsyncGenerator[tuple[list[Any], Mark]]:
        """Items for the loop, a page or *width* portions at a time, and where one is behind them."""
        if self.size is None:
            async for one in self._segments():
                yield list(one.rows), one.behind
            return
        most, held = self.size * width, deque[_Segment]()
        async for segment in self._segments():
            held.append(segment)
            while sum(len(one.rows) for one in held) >= most:
                yield self._portions(held, most)
        if any(one.rows for one in held):
            yield self._portions(held, most)

    def _portions(self, held: deque[_Segment], most: int) -> tuple[list[Any], Mark]:
        assert self.size is not None
        rows: list[Any] = []
        behind = held[0].at
        while held and len(rows) < most:
            rows += held[0].take(most - len(rows))
            behind = held[0].at if held[0].rows else held[0].behind
            if not held[0].rows:
                held.popleft()
        return [rows[at : at + self.size] for at in range(0, len(rows), self.size)], behind

    async def _segments(self) -> AsyncGenerator[_Segment]:
        mark = self.start
        while mark.part < len(self.parts):
            part = self.parts[mark.part]
            beyond = Mark(mark.part + 1)
            if isinstance(part, Stream):
                page = part.first if mark.at is None else await part.read(mark.at)
                rows = page.items
                behind = Mark(mark.part, page.following) if page.following else beyond
            else:
                rows, behind = part, beyond
            yield _Segment(mark, rows[mark.done :], behind)
            mark = behind

    @property
    def asked(self) -> str:
        """What is walked through, in short: the streams, whatever other lists stand beside them."""
        asked = [part.asked if isinstance(part, Stream) else "" for part in self.parts]
        return digest([self.size, asked])


Items = Sequence[Any] | Portions
"""What a loop walks through."""

_MANY = 10**9  # nobody has counted them


def how_many(items: Items, *, in_portions: bool) -> int:
    """How many records there are at most, by what is known before they are looked at."""
    if isinstance(items, Portions):
        return _MANY
    if not in_portions:
        return len(items)
    counted = [len(one) if isinstance(one, list | tuple) else _MANY for one in items]
    return sum(counted)


def items_of(items: Bare, scope: Mapping[str, Any]) -> Any:
    """The list that a loop walks through, or Portions where a part of it is a stream."""
    found = walked(items)
    streams = [_stream(part, scope) for part in found.parts]
    if not any(streams):
        return evaluate_bare(items, scope)
    parts = [
        stream or evaluate_part(part, items, scope)
        for stream, part in zip(streams, found.parts, strict=True)
    ]
    return Portions(tuple(parts), found.size)


def _stream(part: Syntax, scope: Mapping[str, Any]) -> Stream | None:
    value: Any = scope
    for name in output_of(part) or ("",):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Stream) else None
