"""Relative dates: what TODAY, LAST_N_DAYS:7 and THIS_QUARTER stand for, in UTC.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
"""

import re
from datetime import date, timedelta

_NAMED = {"TODAY": ("THIS", "DAY"), "YESTERDAY": ("LAST", "DAY"), "TOMORROW": ("NEXT", "DAY")}
_PLAIN = re.compile(r"(THIS|LAST|NEXT)_(?:FISCAL_)?(WEEK|MONTH|QUARTER|YEAR)")
_COUNTED = re.compile(r"(LAST|NEXT)_N_(?:FISCAL_)?(DAY|WEEK|MONTH|QUARTER|YEAR)S")
_AGO = re.compile(r"N_(?:FISCAL_)?(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO")
_DIRECTION = {"LAST": -1, "THIS": 0, "NEXT": 1}


def span(name: str, number: int | None, *, today: date) -> tuple[date, date] | None:
    """Give the first day of a relative date and the day after its last; nothing if unknown."""
    if name in ("LAST_90_DAYS", "NEXT_90_DAYS") and number is None:
        name, number = name.replace("90", "N"), 90
    if number is None:
        return _single(name, today)
    counted, ago = _COUNTED.fullmatch(name), _AGO.fullmatch(name)
    if counted is not None:
        return _several(counted[1], counted[2], number, today)
    if ago is not None:
        start = _shifted(_first(ago[1], today), ago[1], -number)
        return start, _shifted(start, ago[1], 1)
    return None


def _single(name: str, today: date) -> tuple[date, date] | None:
    plain = _PLAIN.fullmatch(name)
    named = _NAMED.get(name) or ((plain[1], plain[2]) if plain is not None else None)
    if named is None:
        return None
    start = _shifted(_first(named[1], today), named[1], _DIRECTION[named[0]])
    return start, _shifted(start, named[1], 1)


def _several(direction: str, unit: str, number: int, today: date) -> tuple[date, date]:
    current = _first(unit, today)
    if direction == "NEXT":
        start = _shifted(current, unit, 1)
        return start, _shifted(start, unit, number)
    # The last n days include today; the last n weeks, months and so on end with the last one.
    end = _shifted(current, unit, 1) if unit == "DAY" else current
    return _shifted(current, unit, -number), end


def _first(unit: str, day: date) -> date:
    match unit:
        case "WEEK":  # a week begins on Sunday in the American locale
            return day - timedelta(days=(day.weekday() + 1) % 7)
        case "MONTH":
            return day.replace(day=1)
        case "QUARTER":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "YEAR":
            return day.replace(month=1, day=1)
    return day


def _shifted(day: date, unit: str, by: int) -> date:
    if unit in ("DAY", "WEEK"):
        return day + timedelta(days=by * (7 if unit == "WEEK" else 1))
    months = day.year * 12 + day.month - 1 + by * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    return date(months // 12, months % 12 + 1, 1)
