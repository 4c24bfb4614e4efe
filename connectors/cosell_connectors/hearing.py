"""What time it is in another system, by the answers it gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from .incoming import date_of


class Hearing:
    """The last time that was told, and what our clock said then."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard: tuple[datetime, float] | None = None

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the time from the headers of an answer, whatever else it says."""
        told = date_of(headers)
        if told is not None:
            self._heard = told, self._clock()

    def now(self) -> datetime | None:
        """What time it is there at least; None where it never told."""
        if self._heard is None:
            return None
        told, then = self._heard
        return told + timedelta(seconds=max(0.0, self._clock() - then))
