"""Bring a value to the one form in which both sides can be compared, and back to each side's own. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from cosell_definitions.model_mappings import MapField

from .errors import BadValue, NotARow, TooLong


def canonical(field: MapField, value: Any) -> Any:
    """*value* in the form in which the two sides of *field* are compared; blank is None.

    Raises BadValue where it is not of the field's type.
    """
    if value is None or value == "":
        # An empty checkbox is not ticked; Salesforce knows no third state.
        return False if field.type == "boolean" else None
    try:
        return _CANONICAL[field.type](field, value)
    except (ValueError, InvalidOperation, TypeError) as error:
        raise BadValue(field, value) from error


def is_blank(value: Any) -> bool:
    """Whether a canonical *value* says nothing."""
    return value is None


def is_off(value: Any) -> bool:
    """Whether a latch with this canonical *value* is not on yet."""
    return value is None or value is False


def fitted(field: MapField, value: Any) -> Any:
    """A canonical *value* as the right side can hold it: text longer than `max_length` is cut.

    Raises TooLong where the row says `too_long: refuse`.
    """
    if not isinstance(value, str) or not field.max_length or len(value) <= field.max_length:
        return value
    if field.too_long == "refuse":
        raise TooLong(field, value)
    return value[: field.max_length - 1].rstrip() + "…"


def same(field: MapField, left: Any, right: Any) -> bool:
    """Whether two canonical values agree; a text that was cut on the right still says the same."""
    if left == right:
        return True
    cut = field.too_long == "cut" and isinstance(left, str) and isinstance(right, str)
    return cut and fitted(field, left) == right


def is_zero_or_blank(value: Any) -> bool:
    """Whether a canonical amount is empty or 0."""
    return value is None or value == 0


def to_wire_left(field: MapField, value: Any) -> Any:
    """A canonical *value* as Partner Center writes it: moments for dates, ISO codes upper-case."""
    if field.type == "date" and isinstance(value, date):
        # closingDateTime is midnight UTC in every documented sample (get-a-list-of-referrals).
        return f"{value.isoformat()}T00:00:00Z"
    return _iso(value)


def to_wire_right(field: MapField, value: Any) -> Any:
    """A canonical *value* as Salesforce writes it, cut at the field's maximum length."""
    if field.type == "boolean":
        return bool(value)
    return _iso(fitted(field, value))


def plain(value: Any) -> Any:
    """A canonical *value* as the ledger keeps it in a base: text, yes/no, nothing, or a list of these."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    return _iso(value)


def parse_moment(value: Any) -> datetime | None:
    """An ISO moment as UTC; Salesforce writes `+0000`, Partner Center seven digits of a second."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if not isinstance(value, str) or not value:
        return None
    text = value.replace("Z", "+00:00")
    if len(text) > 5 and text[-5] in "+-" and ":" not in text[-5:]:
        text = f"{text[:-2]}:{text[-2:]}"
    head, dot, tail = text.partition(".")
    if dot:
        zone_at = next((i for i, ch in enumerate(tail) if ch in "+-"), len(tail))
        digits, zone = tail[:zone_at], tail[zone_at:]
        text = f"{head}.{digits[:6].ljust(6, '0')}{zone}"
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _iso(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _text(field: MapField, value: Any) -> Any:
    # Salesforce turns line ends into CRLF; that is no edit.
    return str(value).replace("\r\n", "\n").rstrip()


def _money(field: MapField, value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise InvalidOperation
    # Salesforce rounds halves up.
    return _short(amount.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP))


def _number(field: MapField, value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise InvalidOperation
    return _short(number)


def _short(number: Decimal) -> Decimal:
    """The number without zeros at its end, and never with an exponent."""
    return Decimal(format(number.normalize(), "f")) if number else Decimal(0)


def _code(length: int) -> Callable[[MapField, Any], str]:
    def read(field: MapField, value: Any) -> str:
        code = str(value).strip().upper()
        if len(code) != length or not code.isalpha():
            raise ValueError(code)
        return code

    return read


def _rows(field: MapField, value: Any) -> Any:
    raise NotARow(field)


def _date(field: MapField, value: Any) -> date:
    if isinstance(value, str) and len(value) == len("2026-01-31"):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    moment = parse_moment(value)
    if moment is None:
        raise ValueError(value)
    return moment.date()


def _moment(field: MapField, value: Any) -> datetime:
    moment = parse_moment(value)
    if moment is None:
        raise ValueError(value)
    return moment


def _boolean(field: MapField, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[str(value).lower()]


_CANONICAL: dict[str, Callable[[MapField, Any], Any]] = {
    "text": _text,
    "money": _money,
    "number": _number,
    "currency": _code(3),
    "country": _code(2),
    "date": _date,
    "datetime": _moment,
    "boolean": _boolean,
    "rows": _rows,
}
