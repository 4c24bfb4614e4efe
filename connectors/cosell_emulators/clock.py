"""The emulated system's own time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _real() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Runs with real time plus an offset that tests move."""

    def __init__(self, *, real: Callable[[], datetime] = _real) -> None:
        self._real = real
        self._offset = timedelta()
        self._moved: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Tell the time, aware and in UTC."""
        return self._real() + self._offset

    def set(self, now: datetime) -> None:
        """Go to a moment; time runs on from there."""
        if now.tzinfo is None:
            raise ValueError("The emulated time needs an offset from UTC.")
        self._offset = now.astimezone(UTC) - self._real()
        self._tell()

    def advance(self, seconds: float) -> None:
        """Go forward, or back with a negative number."""
        offset = self._offset + timedelta(seconds=seconds)
        self._real() + offset  # an OverflowError here leaves the clock as it was
        self._offset = offset
        self._tell()

    def reset(self) -> None:
        """Go back to real time, telling nobody."""
        self._offset = timedelta()

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call *listener* after every move of the clock."""
        self._moved.append(listener)

    def _tell(self) -> None:
        for listener in self._moved:
            listener()
