"""From where a list that is read again and again is read this time. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

OVERLAP = timedelta(minutes=2)  # a list is read again from a little before where it was left
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # of a list that was never read


def beginning(left_at: datetime | None, *, there: datetime) -> datetime:
    """Where to begin, after a list was *left_at* a moment and it is *there* o'clock by its system.

    A clock that went back stamps what is new with moments that were read already: then it is read
    again from what the clock says now.
    """
    return min(left_at, there) - OVERLAP if left_at else BEGINNING
