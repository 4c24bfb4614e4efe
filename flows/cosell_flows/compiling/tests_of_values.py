"""The tests that stand after `is`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from .arithmetic import calculate, contains, equal, exact, ordered
from .filters_of_text import endswith, matches, startswith
from .limits import Meter
from .tables import Table, need_number
from .values import Missing, is_list, is_number

TABLE = Table()
entry = TABLE.entry


@entry(
    "any -> boolean", "whether it is there, null or not", "1 is defined", "true", takes_missing=True
)
def defined(_: Meter, value: Any) -> bool:
    """Whether it is there, null or not."""
    return not isinstance(value, Missing)


@entry(
    "any -> boolean",
    "whether it is missing",
    "1 is undefined",
    "false",
    names="undefined missing",
    takes_missing=True,
)
def undefined(_: Meter, value: Any) -> bool:
    """Whether it is missing."""
    return isinstance(value, Missing)


@entry("any -> boolean", "whether it is null", "none is none", "true", names="none null")
def none(_: Meter, value: Any) -> bool:
    """Whether it is null."""
    return value is None


@entry(
    "any -> boolean",
    "null, '', [] or {}; missing too",
    "'' is blank",
    "true",
    names="blank empty",
    takes_missing=True,
)
def blank(meter: Meter, value: Any) -> bool:
    """Null, an empty text, list or record, or missing."""
    return isinstance(value, Missing) or is_blank(meter, value)


def is_blank(_: Meter, value: Any) -> bool:
    """Null, or an empty text, list or record."""
    return value is None or (isinstance(value, str | Mapping) and not value) or value in ([], ())


@entry("any -> boolean", "whether it is text", "'a' is text", "true", names="text string")
def text(_: Meter, value: Any) -> bool:
    """Whether it is text."""
    return isinstance(value, str)


@entry("any -> boolean", "whether it is a number", "1.5 is number", "true")
def number(_: Meter, value: Any) -> bool:
    """Whether it is a number."""
    return is_number(value)


@entry("any -> boolean", "whether it is a whole number", "1 is integer", "true")
def integer(_: Meter, value: Any) -> bool:
    """Whether it is a whole number."""
    if not is_number(value):
        return False
    number = exact(value)  # not int(): the digits of 1e999999999 would fill the memory
    return isinstance(number, int) or (number.is_finite() and number == number.to_integral_value())


@entry("any -> boolean", "whether it is true or false", "true is boolean", "true")
def boolean(_: Meter, value: Any) -> bool:
    """Whether it is true or false."""
    return isinstance(value, bool)


@entry("any -> boolean", "whether it is true", "true is true", "true")
def true(_: Meter, value: Any) -> bool:
    """Whether it is true."""
    return value is True


@entry("any -> boolean", "whether it is false", "false is false", "true")
def false(_: Meter, value: Any) -> bool:
    """Whether it is false."""
    return value is False


@entry(
    "any -> boolean", "whether it is a list", "[] is list", "true", names="list sequence iterable"
)
def list_(_: Meter, value: Any) -> bool:
    """Whether it is a list."""
    return is_list(value)


@entry("any -> boolean", "whether it is a record", "{} is record", "true", names="record mapping")
def record(_: Meter, value: Any) -> bool:
    """Whether it is a record."""
    return isinstance(value, Mapping)


@entry("any -> boolean", "whether it is a date or moment", "('2026-01-31' | date) is date", "true")
def date_(_: Meter, value: Any) -> bool:
    """Whether it is a date or a moment."""
    return isinstance(value, date | datetime)


@entry(
    "any, other: any -> boolean",
    "whether both are the same",
    "1 is eq 1",
    "true",
    names="eq equalto ==",
)
def eq(meter: Meter, value: Any, other: Any) -> bool:
    """Whether both are the same."""
    return equal(value, other, meter)


@entry("any, other: any -> boolean", "whether both differ", "1 is ne 2", "true", names="ne !=")
def ne(meter: Meter, value: Any, other: Any) -> bool:
    """Whether both differ."""
    return not equal(value, other, meter)


@entry(
    "number or text or date or moment, other: number or text or date or moment -> boolean",
    "whether it is less",
    "1 is lt 2",
    "true",
    names="lt lessthan <",
)
def lt(_: Meter, value: Any, other: Any) -> bool:
    """Whether it is less."""
    return ordered(value, other) < 0


@entry(
    "number or text or date or moment, other: number or text or date or moment -> boolean",
    "whether it is less or the same",
    "1 is le 1",
    "true",
    names="le <=",
)
def le(_: Meter, value: Any, other: Any) -> bool:
    """Whether it is less or the same."""
    return ordered(value, other) <= 0


@entry(
    "number or text or date or moment, other: number or text or date or moment -> boolean",
    "whether it is more",
    "2 is gt 1",
    "true",
    names="gt greaterthan >",
)
def gt(_: Meter, value: Any, other: Any) -> bool:
    """Whether it is more."""
    return ordered(value, other) > 0


@entry(
    "number or text or date or moment, other: number or text or date or moment -> boolean",
    "whether it is more or the same",
    "1 is ge 1",
    "true",
    names="ge >=",
)
def ge(_: Meter, value: Any, other: Any) -> bool:
    """Whether it is more or the same."""
    return ordered(value, other) >= 0


@entry(
    "any, whole: list or text or record -> boolean",
    "whether it is in a list, text or record",
    "1 is in [1, 2]",
    "true",
)
def in_(meter: Meter, value: Any, whole: Any) -> bool:
    """Whether it is in a list, text or record."""
    return contains(whole, value, meter)


@entry(
    "list or text or record, part: any -> boolean",
    "whether it contains something",
    "[1, 2] is contains 2",
    "true",
    names="contains containing",
)
def contains_(meter: Meter, value: Any, part: Any) -> bool:
    """Whether it contains something."""
    return contains(value, part, meter)


@entry(
    "number, other: number -> boolean",
    "whether it can be divided so without rest",
    "4 is divisibleby 2",
    "true",
)
def divisibleby(_: Meter, value: Any, other: Any) -> bool:
    """Whether it can be divided without rest."""
    divisor = need_number(other, "divisibleby")
    number = need_number(value, "divisibleby")
    return bool(divisor != 0 and calculate("%", number, divisor) == 0)


entry("text, part: text -> boolean", "whether it begins so", "'abc' is startswith 'a'", "true")(
    startswith
)
entry("text, part: text -> boolean", "whether it ends so", "'abc' is endswith 'c'", "true")(
    endswith
)
entry(
    "text, pattern: text -> boolean",
    "whether all of it fits a regular expression",
    "'deal-7' is matches 'deal-[0-9]+'",
    "true",
)(matches)
