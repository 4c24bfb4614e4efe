"""Keep one evaluation within bounds of turns, time and size, whatever the values are."""

from __future__ import annotations

import time
from collections.abc import Callable

from .values import MAX_ITEMS, MAX_TEXT, Faulty, is_list

# Processor time of the thread that evaluates, not time by the clock. What a machine does besides must not
# decide whether an expression has a value: the same flow would fail on a busy morning and not when it is
# tried again. By the clock it takes longer in the measure in which others work at the same time, and the
# event loop waits as long; so the expressions of one step are bounded together, too, and all of them
# stay below the lease of a record (15 s) on a machine that gives them a fifth of a core.
MAX_SECONDS = (
    0.8  # a little less than a second, because the last turns come after the look at the clock
)
MAX_SECONDS_TOGETHER = 2.4  # of all expressions of one value, such as the `with` of a step
MAX_TURNS = 5_000_000
MAX_MADE_TEXT = 8_000_000  # letters of all texts that one evaluation makes on its way
MAX_MADE_ITEMS = 1_000_000  # of all lists and records
_FIRST_LOOK = 1_000  # turns before the clock is started: to ask it costs more than most expressions
_LOOK_EVERY = 20_000  # turns between two looks at the clock


class Meter:
    """Counts the turns of one evaluation, and what it makes on its way."""

    __slots__ = ("_clock", "_deadline", "_items", "_letters", "_next_look", "_turns", "_until")

    def __init__(
        self, clock: Callable[[], float] = time.thread_time, *, until: float | None = None
    ) -> None:
        self._clock = clock
        self._until = until  # when all that is evaluated together has to be through
        self._turns = self._letters = self._items = 0
        self._next_look = _FIRST_LOOK
        self._deadline: float | None = None

    def turn(self, count: int = 1) -> None:
        """Take note of *count* turns; raises when it was too much or took too long."""
        self._turns += count
        if self._turns < self._next_look:
            return
        self._next_look = self._turns + _LOOK_EVERY
        now = self._clock()
        if self._deadline is None:
            own = now + MAX_SECONDS
            self._deadline = own if self._until is None else min(own, self._until)
        if self._turns > MAX_TURNS or now > self._deadline:
            raise Faulty(
                "this expression takes too long",
                "work on fewer items: filter in the query, or use a foreach step",
            )

    def made(self, value: object) -> None:
        """Take note of a text, list or record that was made, though only in passing."""
        if isinstance(value, str):
            self._letters += len(value)
            self.turn(len(value) // 50)
        elif isinstance(value, list | dict):
            self._items += len(value)
            self.turn(len(value) // 5)
        else:
            return
        if self._letters > MAX_MADE_TEXT or self._items > MAX_MADE_ITEMS:
            raise Faulty(
                "this expression makes too much on its way to the result",
                "name parts of it with `set`, or use a foreach step",
            )


def all_through() -> float:
    """When the expressions have to be through that are evaluated together from now on."""
    return time.thread_time() + MAX_SECONDS_TOGETHER


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
