"""Filters on texts, numbers, dates and SOQL. Pure."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from .arithmetic import CONTEXT, exact
from .limits import Meter, room_for
from .patterns import fits
from .tables import Table, need_count, need_number, need_text
from .values import (
    MAX_DIGITS,
    Faulty,
    Missing,
    decimal_text,
    is_number,
    shown,
    text_of,
    to_json,
)

TABLE = Table()
entry = TABLE.entry
_NONE: Any = Missing("fallback", "")  # told from null: `default=none` is a fallback
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_DIRECTIVES = frozenset("YmdHMSjBbAay%")


@entry("text -> text", "in capital letters", "'abc' | upper", '"ABC"')
def upper(_: Meter, value: Any) -> str:
    """In capital letters."""
    return need_text(value, "upper").upper()


@entry("text -> text", "in small letters", "'ABC' | lower", '"abc"')
def lower(_: Meter, value: Any) -> str:
    """In small letters."""
    return need_text(value, "lower").lower()


@entry(
    "text -> text", "the first letter of every word a capital", "'new deal' | title", '"New Deal"'
)
def title(_: Meter, value: Any) -> str:
    """The first letter of every word a capital."""
    return need_text(value, "title").title()


@entry(
    "text -> text", "the first letter a capital, the rest small", "'dEAL' | capitalize", '"Deal"'
)
def capitalize(_: Meter, value: Any) -> str:
    """The first letter a capital, the rest small."""
    return need_text(value, "capitalize").capitalize()


@entry("text, [letters: text] -> text", "without blanks at both ends", "'  a ' | trim", '"a"')
def trim(_: Meter, value: Any, letters: Any = None) -> str:
    """Without blanks, or these letters, at both ends."""
    return need_text(value, "trim").strip(None if letters is None else need_text(letters, "trim"))


@entry(
    "text, old: text, new: text -> text",
    "with every *old* replaced",
    "'a-b' | replace('-', '_')",
    '"a_b"',
)
def replace(_: Meter, value: Any, old: Any, new: Any) -> str:
    """With every *old* replaced by *new*."""
    text, before, after = (need_text(part, "replace") for part in (value, old, new))
    if not before:
        raise Faulty("replace needs something to look for; it was given ''")
    room_for(text=len(text) + text.count(before) * max(0, len(after) - len(before)))
    return text.replace(before, after)


@entry(
    "text, [separator: text] -> list of text",
    "the parts between separators",
    "'a,b' | split(',')",
    '["a", "b"]',
)
def split(_: Meter, value: Any, separator: Any = None) -> list[str]:
    """The parts between separators; without one, the words."""
    text = need_text(value, "split")
    if separator == "":
        raise Faulty("split needs a separator of at least one letter", "without any: the words")
    parts = text.split(None if separator is None else need_text(separator, "split"))
    room_for(items=len(parts))
    return parts


@entry(
    "text, length: integer, [end: text] -> text",
    "cut to a length",
    "'Contoso Ltd' | truncate(8)",
    '"Contoso…"',
)
def truncate(_: Meter, value: Any, length: Any, end: Any = "…") -> str:
    """Cut to *length* letters, the end mark included."""
    text, mark = need_text(value, "truncate"), need_text(end, "truncate")
    most = need_count(length, "truncate", most=1_000_000)
    return text if len(text) <= most else text[: max(0, most - len(mark))] + mark


@entry("text, part: text -> boolean", "whether it begins so", "'abc' | startswith('a')", "true")
def startswith(_: Meter, value: Any, part: Any) -> bool:
    """Whether a text begins with another."""
    return need_text(value, "startswith").startswith(need_text(part, "startswith"))


@entry("text, part: text -> boolean", "whether it ends so", "'abc' | endswith('c')", "true")
def endswith(_: Meter, value: Any, part: Any) -> bool:
    """Whether a text ends with another."""
    return need_text(value, "endswith").endswith(need_text(part, "endswith"))


@entry(
    "text, pattern: text -> boolean",
    "whether all of it fits a regular expression",
    "'deal-7' | matches('deal-[0-9]+')",
    "true",
)
def matches(meter: Meter, value: Any, pattern: Any) -> bool:
    """Whether all of a text fits a regular expression."""
    return fits(need_text(value, "matches"), need_text(pattern, "matches"), meter)


@entry("text -> text", "for a part of a web address", "'a b&c' | urlencode", '"a%20b%26c"')
def urlencode(_: Meter, value: Any) -> str:
    """Fit for a part of a web address."""
    text = need_text(value, "urlencode")
    room_for(text=len(text.encode("utf-8", "replace")) * 3)
    return quote(text, safe="", errors="replace")


@entry("any -> text", "as text, as it would stand between other text", "1.50 | string", '"1.50"')
def string(_: Meter, value: Any) -> str:
    """As text, as it would stand between other text."""
    return text_of(value)


@entry(
    "any -> text",
    "as JSON, with exact digits",
    "{'a': [1.50, none]} | tojson",
    '"{\\"a\\": [1.50, null]}"',
)
def tojson(meter: Meter, value: Any) -> str:
    """As JSON, with exact digits."""
    text = to_json(value)
    meter.turn(len(text) // 10)
    room_for(text=len(text))
    return text


@entry(
    "any, fallback: any, [blank: boolean] -> any",
    "the fallback where nothing or null is; with true also for blank text, 0 and empty lists",
    "none | default('x')",
    '"x"',
    names="default d",
    takes_missing=True,
)
def default(_: Meter, value: Any, fallback: Any, blank: Any = False) -> Any:
    """The fallback where nothing or null is."""
    if value is None or isinstance(value, Missing) or (blank is True and not value):
        return fallback
    return value


# -- numbers ------------------------------------------------------------------------------------


@entry(
    "text or number, [default: any] -> integer",
    "a whole number of a text or number; without a default, anything else is an error",
    "'42' | int",
    "42",
)
def int_(_: Meter, value: Any, default: Any = _NONE) -> Any:
    """A whole number; digits behind the point are cut off."""
    number = _number_or_none(value)
    if number is None:
        return _fallback(value, default, "a whole number", "int")
    return int(number)


@entry(
    "text or number, [default: any] -> number",
    "an exact decimal of a text or number; without a default, anything else is an error",
    "'1.50' | decimal",
    "1.50",
    names="decimal number float",
)
def decimal_(_: Meter, value: Any, default: Any = _NONE) -> Any:
    """An exact decimal."""
    number = _number_or_none(value)
    if number is None:
        return _fallback(value, default, "a number", "decimal")
    return Decimal(number)


def _number_or_none(value: Any) -> int | Decimal | None:
    if is_number(value):
        number = exact(value)
        usable = isinstance(number, int) or (number.is_finite() and abs(number.adjusted()) < 1000)
        return number if usable else None
    if isinstance(value, str) and len(value) < MAX_DIGITS and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None


def _fallback(value: Any, default: Any, wanted: str, name: str) -> Any:
    if default is _NONE:
        raise Faulty(f"{shown(value)} is not {wanted}", f"give a fallback: | {name}(0)")
    return default


@entry(
    "number, [digits: integer] -> number",
    "rounded half up, as money is",
    "2.345 | round(2)",
    "2.35",
)
def round_(_: Meter, value: Any, digits: Any = 0) -> Any:
    """Rounded half up, as money is."""
    number = exact(need_number(value, "round"))
    places = need_count(digits, "round", most=30)
    if isinstance(number, int) and places >= 0:
        return number
    try:
        rounded = Decimal(number).quantize(
            Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=CONTEXT
        )
    except InvalidOperation:
        raise Faulty(f"{shown(value)} has too many digits to be rounded") from None
    return Decimal(decimal_text(rounded)) if places < 0 else rounded


@entry("number -> number", "without its sign", "-3 | abs", "3")
def abs_(_: Meter, value: Any) -> Any:
    """Without its sign."""
    number = exact(need_number(value, "abs"))
    return abs(number) if isinstance(number, int) else number.copy_abs()


@entry(
    "boolean or text, [default: any] -> boolean",
    "true of true and yes, false of false and no, in any case",
    "'Yes' | boolean",
    "true",
    names="boolean bool",
)
def boolean(_: Meter, value: Any, default: Any = _NONE) -> Any:
    """True of true and yes, false of false and no."""
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "false": False, "no": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    return _fallback(value, default, "yes or no", "boolean")
