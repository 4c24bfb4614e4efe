"""Filters on dates and moments. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .limits import Meter
from .tables import Table, need_count, need_text
from .values import Faulty, shown

TABLE = Table()
entry = TABLE.entry
_DIRECTIVES = frozenset("YmdHMSjBbAay%")


@entry(
    "text or date or moment -> date",
    "the day of a text or moment, in UTC",
    "'2026-01-31T23:00:00-05:00' | date",
    '"2026-02-01"',
)
def date_(_: Meter, value: Any) -> date:
    """The day of a text or moment, in UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        day: date = _parsed(date.fromisoformat, value, "a date such as 2026-01-31")
        return day
    return in_utc(value).date()


@entry(
    "text or date or moment -> moment",
    "a moment of a text or date; UTC where no zone is said",
    "'2026-01-31' | datetime",
    '"2026-01-31T00:00:00Z"',
)
def datetime_(_: Meter, value: Any) -> datetime:
    """A moment of a text or date; UTC where no zone is said."""
    return to_moment(value)


def to_moment(value: Any) -> datetime:
    """A moment with a zone."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    moment = value
    if isinstance(value, str):
        moment = _parsed(datetime.fromisoformat, value, "a moment such as 2026-01-31T08:00:00Z")
    if not isinstance(moment, datetime):
        hint = "give a fallback first: | default('2026-01-31')" if value is None else None
        raise Faulty(f"{shown(value)} is not a moment", hint)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def in_utc(value: Any) -> datetime:
    """A moment of a text or date, in UTC."""
    moment = to_moment(value)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Faulty(f"{shown(value)} is out of all time in UTC") from None


def _parsed(parse: Any, value: str, wanted: str) -> Any:
    try:
        return parse(value.strip())
    except ValueError:
        raise Faulty(f"{shown(value)} is not {wanted}") from None


@entry(
    "text or date or moment, days: integer -> date or moment",
    "so many days later; a negative number: earlier",
    "'2026-01-31' | date | add_days(1)",
    '"2026-02-01"',
)
def add_days(_: Meter, value: Any, days: Any) -> Any:
    """So many days later."""
    count = need_count(days, "add_days", most=100_000)
    day = value if isinstance(value, date) else to_moment(value)
    try:
        return day + timedelta(days=count)
    except OverflowError:
        raise Faulty(f"there is no date {count} days from {shown(value)}") from None


@entry(
    "text or date or moment, minutes: integer -> moment",
    "so many minutes later; a negative number: earlier",
    "'2026-01-31T08:00:00Z' | add_minutes(-15)",
    '"2026-01-31T07:45:00Z"',
)
def add_minutes(_: Meter, value: Any, minutes: Any) -> datetime:
    """So many minutes later."""
    count = need_count(minutes, "add_minutes", most=100_000_000)
    try:
        return to_moment(value) + timedelta(minutes=count)
    except OverflowError:
        raise Faulty(f"there is no moment {count} minutes from {shown(value)}") from None


@entry(
    "text or date or moment, [format: text] -> text",
    "written out; %d.%m.%Y and the like",
    "'2026-01-31' | format_date('%d.%m.%Y')",
    '"31.01.2026"',
)
def format_date(meter: Meter, value: Any, format: Any = "%Y-%m-%d") -> str:  # noqa: A002
    """Written out after a pattern."""
    pattern = need_text(format, "format_date")
    if len(pattern) > 200:
        raise Faulty("the pattern of format_date has more than 200 letters")
    for directive in re.findall(r"%(.?)", pattern):
        if directive not in _DIRECTIVES:
            known = " ".join(f"%{letter}" for letter in sorted(_DIRECTIVES))
            raise Faulty(f"format_date does not know %{directive}", f"it knows {known}")
    day = value if isinstance(value, date) else None
    if day is None and isinstance(value, str) and len(value.strip()) == 10:
        day = date_(meter, value)
    return (day or to_moment(value)).strftime(pattern)
