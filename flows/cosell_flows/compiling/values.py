"""What values are in expressions: their kinds, how they become text, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cosell_definitions.freezing import dataclass
from cosell_definitions.problems import did_you_mean

MAX_TEXT = 1_000_000
MAX_ITEMS = 100_000
MAX_DIGITS = 4_000


class Faulty(Exception):
    """A value is not what it should be here."""

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        at: int | None = None,
        code: str = "X003",  # of the problem that a check makes of it
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.at = at


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing is there: not null, but no such name. It may be chained; using it is an error."""

    name: str
    owner: str  # what was asked: "steps.plan.output", or "" for the scope itself
    known: tuple[str, ...] = ()
    because: str | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class ScopeFunction:
    """A function that a scope offers to expressions: the only thing there that can be called."""

    call: Callable[..., Any]


def is_list(value: object) -> bool:
    """Whether a value counts as a list."""
    if type(value) in (list, dict, str):  # nearly all there are
        return type(value) is list
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def is_number(value: object) -> bool:
    """Whether a value counts as a number; true and false do not."""
    return isinstance(value, int | Decimal | float) and not isinstance(value, bool)


def kind_of(value: object) -> str:
    """A word for the kind of a value."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a boolean"),
        ((int, Decimal, float), "a number"),
        (str, "text"),
        (datetime, "a moment"),
        (date, "a date"),
        (timedelta, "a duration"),
        (Mapping, "a record"),
        (ScopeFunction, "a function"),
        (Missing, "missing"),
    )
    if value is None:
        return "null"
    for types, word in kinds:
        if isinstance(value, types):
            return word
    return "a list" if is_list(value) else "a thing without a value"


def shown(value: object) -> str:
    """A value for an error message: short, with its kind."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        keys = ", ".join(str(key) for key in list(value)[:6])
        return (
            f"a record with {keys}{' …' if len(value) > 6 else ''}" if value else "an empty record"
        )
    if is_list(value):
        count = len(value)  # type: ignore[arg-type]
        return f"a list of {count}" if count else "an empty list"
    if kind_of(value) == "a thing without a value":
        return kind_of(value)
    text = repr(value) if isinstance(value, str) else text_of(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({kind_of(value)})"


def text_of(value: object) -> str:
    """How a value is written into text. Null and what is missing are errors, not blanks."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return _digits(value)
        case Decimal():
            return decimal_text(value)
        case float():
            return decimal_text(Decimal(repr(value)))
        case datetime():
            return moment_text(value)
        case date():
            return value.isoformat()
        case timedelta():
            return decimal_text(Decimal(value // timedelta(milliseconds=1)) / 1000) + "s"
        case None:
            raise Faulty(
                "null cannot be written into text",
                "say what stands there instead: | default('')",
            )
        case Missing():
            raise absent(value)
    if isinstance(value, Mapping) or is_list(value):
        return to_json(value)
    raise Faulty(f"{kind_of(value)} cannot be written into text")


def _digits(value: int) -> str:
    if value.bit_length() > MAX_DIGITS * 4:
        raise Faulty(f"this number has more than {MAX_DIGITS} digits")
    return str(value)


def decimal_text(value: Decimal) -> str:
    """The digits of a decimal, without an exponent where that is readable."""
    return format(value, "f") if value.is_finite() and abs(value.adjusted()) < 100 else str(value)


def moment_text(value: datetime) -> str:
    """A moment in ISO 8601; UTC ends in Z."""
    if value.tzinfo is not None and value.utcoffset() == timedelta():
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat()


def absent(missing: Missing) -> Faulty:
    """The error that using something missing is."""
    known = list(missing.known)
    near = did_you_mean(missing.name, known)
    where = f" in {missing.owner}" if missing.owner else " here"
    message = missing.because or f"there is no {missing.name!r}{where}"
    names = ", ".join(sorted(known)[:20]) + (" …" if len(known) > 20 else "")
    there = f"{'it has' if missing.owner else 'there are'}: {names}" if names else "it is empty"
    if missing.because:
        hint = "give a fallback: | default(…)"
    else:
        hint = f"did you mean {near!r}? {there}" if near else f"{there}; a fallback: | default(…)"
    return Faulty(message, hint, at=missing.at)


def to_json(value: object) -> str:
    """JSON with exactly the digits of the decimals; what is too long is refused on the way."""
    sheet = _Sheet()
    try:
        sheet.write(value)
    except RecursionError:
        raise Faulty("this is nested too deeply to be written as JSON") from None
    return "".join(sheet.pieces)


class _Sheet:
    """What has been written of a JSON text by now."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._letters = 0

    def _put(self, piece: str) -> None:
        self.pieces.append(piece)
        self._letters += len(piece)
        if self._letters > MAX_TEXT:
            raise Faulty(f"as JSON this would have more than {MAX_TEXT:,} letters")

    def write(self, value: object) -> None:
        """Write a value, and all that is in it."""
        match value:
            case None:
                self._put("null")
            case str():
                self._put(json.dumps(value, ensure_ascii=False))
            case bool() | int() | Decimal() | float():
                self._put(text_of(value))
            case datetime() | date():
                self._put(f'"{text_of(value)}"')
            case Missing():
                raise absent(value)
            case Mapping():
                self._put("{")
                for index, key in enumerate(value):
                    name = json.dumps(str(key), ensure_ascii=False)
                    self._put(f", {name}: " if index else f"{name}: ")
                    self.write(value[key])
                self._put("}")
            case _ if is_list(value):
                self._write_list(value)
            case _:
                raise Faulty(f"{kind_of(value)} cannot be written as JSON")

    def _write_list(self, items: Any) -> None:
        self._put("[")
        for index, inner in enumerate(items):
            if index:
                self._put(", ")
            self.write(inner)
        self._put("]")
