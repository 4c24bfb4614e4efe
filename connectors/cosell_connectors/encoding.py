"""Write JSON with every digit of a decimal kept, and dates in ISO 8601."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

# Beyond this an exponent is shorter to write, and no amount of money is meant.
LONGEST_PLAIN_EXPONENT = 30


def encode(value: Any) -> bytes:
    """The compact JSON text of *value*, as UTF-8."""
    return "".join(_pieces(value)).encode()


def iso(moment: date) -> str:
    """*moment* in ISO 8601; a time without a zone is UTC, and UTC is written Z."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def number(value: Decimal) -> str:
    """The digits of *value*, exactly; JSON knows neither infinity nor NaN."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a number JSON can carry")
    return str(value) if abs(value.adjusted()) > LONGEST_PLAIN_EXPONENT else format(value, "f")


def text_of(value: Any) -> str | None:
    """One value as text, the way a cell, an element or an address holds it; None for many."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return number(value)
        case date():
            return iso(value)
        case str() | int() | float() | UUID():
            return str(value)
    return None


def _pieces(value: Any) -> list[str]:
    match value:
        case None | bool() | int() | str():
            return [json.dumps(value, ensure_ascii=False)]
        case float():
            return [json.dumps(value, allow_nan=False)]
        case Decimal():
            return [number(value)]
        case date():
            return [json.dumps(iso(value))]
        case UUID():
            return [json.dumps(str(value))]
        case Mapping():
            members = (
                [json.dumps(_key(key), ensure_ascii=False), ":", *_pieces(member)]
                for key, member in value.items()
            )
            return ["{", *_joined(members), "}"]
        case Sequence() if not isinstance(value, bytes | bytearray):
            return ["[", *_joined(_pieces(member) for member in value), "]"]
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _joined(groups: Any) -> list[str]:
    pieces: list[str] = []
    for group in groups:
        if pieces:
            pieces.append(",")
        pieces.extend(group)
    return pieces


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"names in JSON are text, and {key!r} is a {type(key).__name__}")
    return key
