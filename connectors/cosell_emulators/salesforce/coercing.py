"""Turn what a caller wrote into what a field holds, or say what is wrong with it."""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.problems import Problem, Refusal, refusal
from cosell_emulators.salesforce.schema import Field

_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]+@[^\s@.]+(?:\.[^\s@.]+)+")
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_INT_LIMIT = 2**31
_TEXTS = ("string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "base64")


class Unfit(Exception):
    """A value a field cannot take; the row's other fields are still worth checking."""

    def __init__(self, code: str, message: str, name: str) -> None:
        super().__init__(code, message)
        self.problem = Problem(code, message, (name,))


def coerced(field: Field, value: Any) -> Any:
    """Give a value the form a field keeps it in."""
    if value is None or (value == "" and field.type in (*_TEXTS, "reference", "id")):
        if field.type == "boolean":
            message = f"{field.label}: value not of required type: null"
            raise Unfit("INVALID_TYPE_ON_FIELD_IN_RECORD", message, field.name)
        return None
    if isinstance(value, dict | list):
        kind = "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"
        raise _unreadable(field, kind, "{" if isinstance(value, dict) else "[")
    match field.type:
        case "boolean":
            return _boolean(field, value)
        case "int":
            return _int(field, value)
        case "currency" | "double" | "percent":
            return _decimal(field, value)
        case "date":
            return _date(field, value)
        case "datetime":
            return _moment(field, value)
        case "id" | "reference":
            return _reference(field, str(value))
    return _text(field, value)


def moment(text: str) -> datetime:
    """Read a moment in any of the forms Salesforce takes; `ValueError` when it is none."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return datetime.combine(date.fromisoformat(text.strip()), datetime.min.time(), UTC)
    zone = (found[3] or "Z").upper().replace("Z", "+00:00")
    return datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}").astimezone(UTC)


def _text(field: Field, value: Any) -> str | None:
    if isinstance(value, bool):
        value = "true" if value else "false"
    # Salesforce cuts the white space around a text; nothing but white space is nothing.
    text = str(value).strip()
    if not text:
        return None
    if field.choices:
        text = _choice(field, text)
    if field.type == "email" and not _EMAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise Unfit("INVALID_EMAIL_ADDRESS", message, field.name)
    if field.type != "base64" and len(text) > (field.length or len(text)):
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise Unfit("STRING_TOO_LONG", message, field.name)
    return text


def _choice(field: Field, text: str) -> str:
    parts = text.split(";") if field.type == "multipicklist" else [text]
    known = {choice.value.casefold(): choice.value for choice in field.choices}
    for part in parts:
        if field.restricted and part.casefold() not in known:
            raise unlisted(field, part)
    return ";".join(known.get(part.casefold(), part) for part in parts)


def unlisted(field: Field, text: str) -> Unfit:
    """Refuse a value a restricted picklist does not list."""
    message = f"{field.label}: bad value for restricted picklist field: {text}"
    return Unfit("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _unreadable(field, _token(value), value)


def _number(field: Field, value: Any) -> Decimal:
    if isinstance(value, bool):
        raise _unreadable(field, _token(value), value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _unreadable(field, _token(value), value) from None
    if not number.is_finite():
        raise _unreadable(field, _token(value), value)
    return number


def _int(field: Field, value: Any) -> int:
    number = _number(field, value)
    if number != number.to_integral_value():
        raise _unreadable(field, _token(value), value)
    if not -_INT_LIMIT <= number < _INT_LIMIT:
        raise _out_of_range(field, value)
    return int(number)


def _decimal(field: Field, value: Any) -> Decimal:
    number = _number(field, value)
    if number.adjusted() >= field.precision - field.scale and number:
        raise _out_of_range(field, value)
    return number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)


def _out_of_range(field: Field, value: Any) -> Unfit:
    message = f"{field.label}: value outside of valid range on numeric field: {value}"
    return Unfit("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)


def _date(field: Field, value: Any) -> date:
    try:
        if len(str(value)) != len("2026-11-20"):
            raise ValueError
        return date.fromisoformat(str(value))
    except ValueError:
        raise _unreadable(field, _token(value), value) from None


def _moment(field: Field, value: Any) -> datetime:
    try:
        return moment(value if isinstance(value, str) else "").replace(microsecond=0)
    except (ValueError, OverflowError):
        raise _unreadable(field, _token(value), value) from None


def _reference(field: Field, text: str) -> str:
    if not is_id(text):
        message = f"{field.label}: id value of incorrect type: {text}"
        raise Unfit("MALFORMED_ID", message, field.name)
    try:
        return long_id(text)
    except Refusal:
        message = f"{field.label}: id value of incorrect type: {text}"
        raise Unfit("MALFORMED_ID", message, field.name) from None


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "VALUE_TRUE" if value else "VALUE_FALSE"
    if isinstance(value, int):
        return "VALUE_NUMBER_INT"
    return "VALUE_NUMBER_FLOAT" if isinstance(value, Decimal) else "VALUE_STRING"


def _unreadable(field: Field, token: str, value: Any) -> Refusal:
    message = (
        f"Cannot deserialize instance of {field.type} from {token} value {value} "
        "or request may be missing a required field at [line:1, column:2]"
    )
    return refusal("JSON_PARSER_ERROR", message, bare=True)
