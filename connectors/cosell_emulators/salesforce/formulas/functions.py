"""The functions of formulas that work on values alone."""

import calendar
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

_ONE = Decimal(1)
_ANY = 0  # as many arguments as one likes


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        plain = f"{value.normalize():f}"
        return plain if value else "0"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _rounded(value: Decimal, digits: Decimal) -> Decimal:
    return value.quantize(_ONE.scaleb(-int(digits)), ROUND_HALF_UP)


def _modulo(value: Decimal, by: Decimal) -> Decimal:
    return value - by * (value / by).to_integral_value(ROUND_FLOOR)


def _left(text: Any, count: Decimal) -> str:
    return _text(text)[: max(int(count), 0)]


def _right(text: Any, count: Decimal) -> str:
    return _text(text)[-int(count) :] if count > 0 else ""


def _mid(text: Any, start: Decimal, count: Decimal) -> str:
    first = max(int(start), 1) - 1
    return _text(text)[first : first + max(int(count), 0)]


def _date_of(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _months_later(day: date, months: Decimal) -> date:
    years, month = divmod(day.month - 1 + int(months), 12)
    year, month = day.year + years, month + 1
    last = calendar.monthrange(year, month)[1]
    # The last of a month stays the last of a month.
    ends = day.day == calendar.monthrange(day.year, day.month)[1]
    return day.replace(year=year, month=month, day=last if ends else min(day.day, last))


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, date):
        return left + timedelta(days=float(right))
    if isinstance(right, date):
        return right + timedelta(days=float(left))
    if isinstance(left, str) or isinstance(right, str):
        return _text(left) + _text(right)
    return left + right


def _minus(left: Any, right: Any) -> Any:
    if isinstance(left, date) and isinstance(right, date):
        whole = isinstance(left, datetime) and isinstance(right, datetime)
        gap = left - right if whole else _date_of(left) - _date_of(right)
        return Decimal(gap.days) + Decimal(gap.seconds) / 86_400
    return left - timedelta(days=float(right)) if isinstance(left, date) else left - right


# Their arguments are computed first, and one that is blank makes the whole blank.
STRICT: Mapping[str, Callable[..., Any]] = {
    "+": _plus,
    "-": _minus,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "NEGATE": lambda a: -a,
    "ABS": abs,
    "ADDMONTHS": _months_later,
    "CEILING": lambda a: a.to_integral_value(ROUND_CEILING),
    "DATE": lambda y, m, d: date(int(y), int(m), int(d)),
    "DATEVALUE": _date_of,
    "DAY": lambda day: Decimal(day.day),
    "FLOOR": lambda a: a.to_integral_value(ROUND_FLOOR),
    "MAX": lambda *all_: max(all_),
    "MIN": lambda *all_: min(all_),
    "MOD": _modulo,
    "MONTH": lambda day: Decimal(day.month),
    "ROUND": _rounded,
    "SQRT": lambda a: a.sqrt(),
    "VALUE": lambda text: _number(text) if str(text).strip() else None,
    "YEAR": lambda day: Decimal(day.year),
}
# These take what is blank as an empty text.
LENIENT: Mapping[str, Callable[..., Any]] = {
    "&": lambda a, b: _text(a) + _text(b),
    "BEGINS": lambda text, start: _text(text).startswith(_text(start)),
    "CASESAFEID": _text,
    "CONTAINS": lambda text, part: _text(part) in _text(text),
    "LEFT": _left,
    "LEN": lambda text: Decimal(len(_text(text))),
    "LOWER": lambda text: _text(text).lower(),
    "MID": _mid,
    "RIGHT": _right,
    "SUBSTITUTE": lambda text, old, new: _text(text).replace(_text(old), _text(new)),
    "TEXT": _text,
    "TRIM": lambda text: _text(text).strip(),
    "UPPER": lambda text: _text(text).upper(),
}
# How many arguments a function takes, at least and at most.
ARITY: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("ABS", "CEILING", "DATEVALUE", "DAY", "FLOOR", "MONTH", "SQRT"), (1, 1)),
    **dict.fromkeys(("VALUE", "YEAR", "CASESAFEID", "LEN", "LOWER", "TEXT"), (1, 1)),
    **dict.fromkeys(("TRIM", "UPPER", "ISBLANK", "ISNULL", "NOT"), (1, 1)),
    **dict.fromkeys(("ADDMONTHS", "MOD", "ROUND", "BEGINS", "CONTAINS", "LEFT"), (2, 2)),
    **dict.fromkeys(("RIGHT", "BLANKVALUE", "NULLVALUE", "ISPICKVAL", "INCLUDES"), (2, 2)),
    **dict.fromkeys(("DATE", "MID", "SUBSTITUTE", "IF"), (3, 3)),
    **dict.fromkeys(("MAX", "MIN", "AND", "OR"), (1, _ANY)),
    **dict.fromkeys(("NOW", "TODAY"), (0, 0)),
    "CASE": (4, _ANY),
}
