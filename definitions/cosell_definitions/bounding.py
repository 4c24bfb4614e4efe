"""Say where the rules of an input leave no value, or hold for values of another type. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from .parsing_values import Hand
from .problems import Severity
from .shaped import Shaped

# Each pair leaves values only where the first is no more than the second; where one of the two
# excludes its own value, it has to be less.
_PAIRS = (
    ("minimum", "maximum", False),
    ("exclusiveMinimum", "maximum", True),
    ("minimum", "exclusiveMaximum", True),
    ("exclusiveMinimum", "exclusiveMaximum", True),
    ("minLength", "maxLength", False),
    ("minItems", "maxItems", False),
)
_NUMBERS = frozenset({"integer", "number", "decimal"})
_OF_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_BELONG = (
    (_NUMBERS, _OF_NUMBERS, "numbers"),
    (frozenset({"string"}), ("minLength", "maxLength", "pattern", "format"), "texts"),
    (frozenset({"array"}), ("minItems", "maxItems", "uniqueItems", "items"), "lists"),
    (frozenset({"object"}), ("properties",), "records"),
)
_INSTEAD = {
    "minimum": {"string": "minLength", "array": "minItems"},
    "maximum": {"string": "maxLength", "array": "maxItems"},
    "minLength": {"array": "minItems", **dict.fromkeys(_NUMBERS, "minimum")},
    "maxLength": {"array": "maxItems", **dict.fromkeys(_NUMBERS, "maximum")},
    "minItems": {"string": "minLength", **dict.fromkeys(_NUMBERS, "minimum")},
    "maxItems": {"string": "maxLength", **dict.fromkeys(_NUMBERS, "maximum")},
}


def check_rules(hand: Hand, shaped: Shaped, kind: str) -> None:
    """Every rule of a declared value, against its type and against the other rules."""
    for name in _strange(shaped, kind):
        whose = next(words for _, names, words in _BELONG if name in names)
        instead = _INSTEAD.get(name, {}).get(kind)
        hand.say(
            "F015",
            shaped.entries[name].key or shaped.place,
            f"{name!r} is a rule for {whose}, and this is of type {kind}: nothing reads it",
            f"write {instead} instead" if instead else "delete it, or change the type",
            severity=Severity.WARNING,
        )
    against = contradiction(shaped)
    if against is not None:
        least, most = against
        values = f"{least} is {_number(shaped, least)}, and {most} is {_number(shaped, most)}"
        hand.say(
            "F015",
            max(shaped.entries[least].place, shaped.entries[most].place),
            f"no value is allowed: {values}",
            "change one of the two",
        )
    step = _number(shaped, "multipleOf")
    if step is not None and step <= 0:
        hand.say(
            "F015",
            shaped.entries["multipleOf"].place,
            f"nothing is a multiple of {step}",
            "write a number above 0, or delete the key",
        )


def contradiction(shaped: Shaped) -> tuple[str, str] | None:
    """Two rules that no value fulfils together; None where there is room for one."""
    for least, most, strictly in _PAIRS:
        one, other = _number(shaped, least), _number(shaped, most)
        if one is not None and other is not None and (one > other or (strictly and one == other)):
            return least, most
    return None


def _strange(shaped: Shaped, kind: str) -> Iterator[str]:
    for kinds, names, _ in _BELONG:
        if kind not in kinds:
            yield from (name for name in names if name in shaped.entries)


def _number(shaped: Shaped, name: str) -> int | Decimal | None:
    entry = shaped.get(name)
    value: Any = entry.value if entry is not None and entry.sound else None
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
