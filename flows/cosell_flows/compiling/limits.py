"""Keep one evaluation within bounds of turns, time and size, whatever the values are."""

from __future__ import annotations

import time
from collections.abc import Callable

from .values import MAX_ITEMS, MAX_TEXT, Faulty, is_list

MAX_SECONDS = 1.0
MAX_TURNS = 5_000_000
_LOOK_EVERY = 20_000  # turns between two looks at the clock


class Meter:
    """Counts the turns of one evaluation."""

    __slots__ = ("_clock", "_deadline", "_next_look", "_turns")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turns = 0
        self._next_look = _LOOK_EVERY
        self._deadline = clock() + MAX_SECONDS

    def turn(self, count: int = 1) -> None:
        """Take note of *count* turns; raises when it was too much or took too long."""
        self._turns += count
        if self._turns < self._next_look:
            return
        self._next_look = self._turns + _LOOK_EVERY
        if self._turns > MAX_TURNS or self._clock() > self._deadline:
            raise Faulty(
                "this expression takes too long",
                "work on fewer items: filter in the query, or use a foreach step",
            )


def room_for(*, text: int = 0, items: int = 0) -> None:
    """Raise where a result would grow beyond what one value may hold."""
    if text > MAX_TEXT:
        raise Faulty(
            f"the result would be a text of {text:,} letters; {MAX_TEXT:,} are allowed",
            "make it shorter",
        )
    if items > MAX_ITEMS:
        raise Faulty(
            f"the result would be a list of {items:,}; {MAX_ITEMS:,} are allowed",
            "use a foreach step, or fewer items",
        )


def within(value: object) -> object:
    """*value*, if it is small enough to be handed on."""
    if isinstance(value, str):
        room_for(text=len(value))
    elif is_list(value):
        room_for(items=len(value))  # type: ignore[arg-type]
    return value
