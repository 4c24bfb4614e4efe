"""Moments the way .NET counts and writes them: in tenths of a microsecond, seven digits."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7})\d*)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE
)

SECOND = 10_000_000
DAY = 86_400 * SECOND


def ticks_of(moment: datetime) -> int:
    """Count a moment in ticks since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def read(text: str) -> int:
    """Read a written moment; `ValueError` when it is none, or has no offset from UTC."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    seconds, fraction, offset = match.groups()
    whole = datetime.fromisoformat(seconds + offset.upper().replace("Z", "+00:00"))
    return ticks_of(whole) + int((fraction or "").ljust(7, "0"))


def write(ticks: int) -> str:
    """Write a moment with all seven digits."""
    return f"{_seconds(ticks)}.{ticks % SECOND:07}Z"


def write_short(ticks: int) -> str:
    """Write a moment with only the digits it needs, as dates a client sends come back."""
    fraction = f"{ticks % SECOND:07}".rstrip("0")
    return f"{_seconds(ticks)}.{fraction}Z" if fraction else f"{_seconds(ticks)}Z"


def write_with_offset(ticks: int) -> str:
    """Write a moment as webhook events do, with an offset for the Z."""
    return write(ticks).replace("Z", "+00:00")


def _seconds(ticks: int) -> str:
    moment = _EPOCH + timedelta(seconds=ticks // SECOND)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")
