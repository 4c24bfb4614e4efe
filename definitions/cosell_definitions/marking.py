"""Tell where the parser's events stand in the file as it was typed, also on lines that were mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .problems import Place

Moved = Mapping[int, Sequence[int]]
"""Of each mended line: for each letter of it, and its end, where that stood before, from 0."""


class Mark(Protocol):
    """What both parsers' marks have."""

    line: int
    column: int


class Marks:
    """Places of events in one file."""

    def __init__(self, file: str, moved: Moved) -> None:
        self.file = file
        self.moved = moved

    def place(self, event: Any) -> Place:
        """Where an event stands."""
        start, end = start_of(event), end_of(event)
        line, column = start.line, start.column
        same = line == end.line and end.column > column
        place = Place(self.file, line + 1, column + 1, end.column + 1 if same else None)
        return self.as_typed(place) if self.moved else place

    def as_typed(self, place: Place) -> Place:
        """A place in a line that was mended, as it is in the file."""
        was = self.moved.get(place.line)
        if was is None:
            return place
        column, end = (
            was[min(at - 1, len(was) - 1)] + 1 if at is not None else None
            for at in (place.column, place.end_column)
        )
        return place._replace(column=column or 1, end_column=end)

    def is_mended(self, event: Any) -> bool:
        """Whether an event stands on one line that was mended."""
        start = start_of(event)
        return start.line + 1 in self.moved and start.line == end_of(event).line

    def quoted_by_us(self, event: Any) -> bool:
        """Whether the quote that opens here was put in: it and the next letter have one place."""
        start = start_of(event)
        was = self.moved.get(start.line + 1)
        return was is not None and was[start.column] == was[start.column + 1]


def start_of(event: Any) -> Mark:
    """Where an event begins."""
    assert event.start_mark is not None  # the parsers always set it
    mark: Mark = event.start_mark
    return mark


def end_of(event: Any) -> Mark:
    """Where an event ends."""
    assert event.end_mark is not None
    mark: Mark = event.end_mark
    return mark
