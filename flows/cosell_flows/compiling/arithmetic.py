"""Sums, comparisons and equality, with exact decimals and without surprises."""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from .limits import Meter, room_for
from .values import MAX_DIGITS, Faulty, is_list, is_number, kind_of, shown

# Enough for any sum of money; beyond it a result is rounded, never wrong by a float's doing.
CONTEXT = decimal.Context(prec=50, rounding=decimal.ROUND_HALF_UP)
MAX_BITS = 13_000  # some 4,000 digits


def exact(value: Any) -> int | Decimal:
    """A number as int or Decimal; a float by the digits that it shows."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def calculate(sign: str, left: Any, right: Any) -> Any:
    """`left sign right`."""
    if is_number(left) and is_number(right):
        return _numbers(sign, exact(left), exact(right))
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        room_for(text=len(left) + len(right))
        return left + right
    if sign == "+" and is_list(left) and is_list(right):
        room_for(items=len(left) + len(right))
        return [*left, *right]
    if sign == "-" and isinstance(left, date) and isinstance(right, date):
        return _days_between(left, right)
    if sign == "*" and isinstance(left, str) and isinstance(right, int):
        return _repeated(left, right)
    raise Faulty(
        f"{shown(left)} {sign} {shown(right)} cannot be worked out", _advice(sign, left, right)
    )


def _repeated(text: str, times: int) -> str:
    room_for(text=len(text) * max(0, times))
    return text * times


def _days_between(left: date, right: date) -> Decimal:
    """Between two dates or moments, in days."""
    if isinstance(left, datetime) != isinstance(right, datetime):
        raise Faulty(
            f"{shown(left)} - {shown(right)}: a date and a moment",
            "make both dates: | date",
        )
    try:
        between: timedelta = left - right
    except TypeError:
        raise Faulty(
            "one of the two moments has no zone", "make both moments: | datetime"
        ) from None
    return CONTEXT.divide(Decimal(between // timedelta(microseconds=1)), Decimal(86_400_000_000))


def _advice(sign: str, left: Any, right: Any) -> str:
    if left is None or right is None:
        return "give the null a value first: | default(0)"
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return "join texts with ~; make a number of text with | decimal"
    if isinstance(left, str) or isinstance(right, str):
        return "make a number of the text with | decimal or | int"
    return f"{sign} is for numbers; this is {kind_of(left)} and {kind_of(right)}"


def _numbers(sign: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if sign in ("/", "//", "%") and right == 0:
        raise Faulty(
            f"{shown(left)} {sign} 0: division by zero", "test it first: … if x != 0 else 0"
        )
    if isinstance(left, int) and isinstance(right, int) and sign != "/":
        return _whole(sign, left, right)
    try:
        return _decimals(sign, Decimal(left), Decimal(right))
    except decimal.DecimalException:
        raise Faulty(f"{shown(left)} {sign} {shown(right)} has no result") from None


def _whole(sign: str, left: int, right: int) -> int | Decimal:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "//":
            return left // right
        case "%":
            return left % right
    _refuse_huge(sign, left, right)
    if sign == "*":
        return left * right
    if right < 0:
        return _decimals(sign, Decimal(left), Decimal(right))
    return int(left**right)


def _refuse_huge(sign: str, left: int, right: int) -> None:
    times = sign == "*"
    bits = left.bit_length() + right.bit_length() if times else left.bit_length() * max(0, right)
    if bits > MAX_BITS and abs(left) > 1:
        raise Faulty(f"the result would have more than {MAX_DIGITS} digits")


def _decimals(sign: str, left: Decimal, right: Decimal) -> Decimal:
    match sign:
        case "+":
            return CONTEXT.add(left, right)
        case "-":
            return CONTEXT.subtract(left, right)
        case "*":
            return CONTEXT.multiply(left, right)
        case "/":
            return _short(CONTEXT.divide(left, right))
        case "//":
            return CONTEXT.divide_int(left, right)
        case "%":
            return CONTEXT.remainder(left, right)
    return CONTEXT.power(left, right)


def _short(value: Decimal) -> Decimal:
    """4 / 2 is 2, not 2.00."""
    if value == value.to_integral_value() and abs(value) < Decimal("1e30"):
        return value.quantize(Decimal(1), context=CONTEXT)
    return value


def negated(value: Any) -> Any:
    """`-value`."""
    if not is_number(value):
        raise Faulty(f"{shown(value)} has no negative", "- is for numbers")
    number = exact(value)
    return -number if isinstance(number, int) else number.copy_negate()


def equal(left: Any, right: Any, meter: Meter) -> bool:
    """Equality of values: 1 and 1.0 are equal, 1 and true are not, nor 1 and '1'."""
    meter.turn()
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(left) and is_number(right):
        return bool(exact(left) == exact(right))
    if is_list(left) and is_list(right):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(equal(one, two, meter) for one, two in pairs)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(
            equal(left[key], right[key], meter) for key in left
        )
    return bool(left == right)


def ordered(left: Any, right: Any) -> int:
    """-1, 0 or 1; values of different kinds have no order."""
    if is_number(left) and is_number(right):
        first, second = exact(left), exact(right)
    elif isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    elif isinstance(left, date) and isinstance(right, date):
        return _in_time(left, right)
    else:
        raise Faulty(
            f"{shown(left)} and {shown(right)} have no order",
            _advice("<", left, right),
        )
    return (first > second) - (first < second)


def _in_time(left: date, right: date) -> int:
    if isinstance(left, datetime) != isinstance(right, datetime):
        raise Faulty(f"{shown(left)} and {shown(right)} have no order", "make both dates: | date")
    try:
        return (left > right) - (left < right)
    except TypeError:
        raise Faulty(
            "one of the two moments has no zone", "make both moments: | datetime"
        ) from None


def contains(whole: Any, piece: Any, meter: Meter) -> bool:
    """`piece in whole`: an item of a list, a key of a record, a part of a text."""
    if isinstance(whole, str):
        if not isinstance(piece, str):
            raise Faulty(f"{shown(piece)} cannot be in a text", "compare texts with texts")
        meter.turn(len(whole) // 100 + 1)
        return piece in whole
    if isinstance(whole, Mapping):
        return piece in whole if isinstance(piece, str | int) else False
    if is_list(whole):
        assert isinstance(whole, Sequence)
        return any(equal(item, piece, meter) for item in whole)
    raise Faulty(
        f"{shown(whole)} cannot contain anything", "`in` looks into lists, texts and records"
    )
