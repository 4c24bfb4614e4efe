"""Check what a flow is given against what it takes, and type what a person typed. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cosell_definitions.checking import value_faults
from cosell_definitions.formats import unlike
from cosell_definitions.model import Flow, Input, Schema
from cosell_definitions.parsing_inputs import json_schema
from cosell_definitions.problems import did_you_mean

from ..compiling.expressions import ExpressionFailed, evaluate

_TRUE, _FALSE = {"true", "yes"}, {"false", "no"}
LARGEST = 16 * 1024 * 1024
MOST_DIGITS = 1_000
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class BadInputs(ValueError):
    """The inputs do not fit the flow; each complaint is a sentence."""

    def __init__(self, flow: str, complaints: list[str]) -> None:
        super().__init__("; ".join(complaints))
        self.flow = flow
        self.complaints = complaints


def checked(
    flow: Flow,
    given: Mapping[str, Any],
    *,
    env: Mapping[str, Any] | None = None,
    typed_by_hand: bool = False,
) -> dict[str, Any]:
    """*given* with defaults filled in and every value of its type; raises BadInputs.

    `env`: what defaults may read. `typed_by_hand`: values are text from the command line, arrays
    and objects JSON.
    """
    known = {one.name: one for one in flow.inputs}
    complaints = []
    for name in given:
        if name not in known:
            meant = did_you_mean(name, known)
            listed = ", ".join(known) or "none"
            hint = f"did you mean {meant!r}?" if meant else f"it takes: {listed}"
            complaints.append(f"flow {flow.id!r} has no input {name!r}; {hint}")
    values: dict[str, Any] = {}
    for name, declared in known.items():
        if name not in given:
            if declared.required:
                complaints.append(f"input {name!r} is missing; give it with -i {name}=…")
            try:
                values[name] = _default(declared, env or {})
            except (ValueError, ExpressionFailed) as error:
                complaints.append(f"input {name!r}, its default: {error}")
            continue
        value = given[name]
        if value is None and not declared.required:
            values[name] = None
            continue
        try:
            if typed_by_hand and isinstance(value, str):
                value = from_text(declared.schema, value)
            values[name] = conform(declared.schema, value)
            _refuse_faults(declared.schema, values[name])
        except ValueError as error:
            complaints.append(f"input {name!r}: {error}")
    if complaints:
        raise BadInputs(flow.id, complaints)
    return values


def _refuse_faults(schema: Schema, value: Any) -> None:
    """What JSON Schema asks for besides the type, down to the fields: `required` and the like."""
    for path, message in value_faults(value, json_schema(schema))[:1]:
        where = ".".join(map(str, path))
        raise ValueError(f"{where}: {message}" if where else message)


def _default(declared: Input, env: Mapping[str, Any]) -> Any:
    """The default, of the input's own type: a date is a date though nobody typed it."""
    value = evaluate(declared.default, {"env": dict(env)})
    return None if value is None else conform(declared.schema, value)


def from_text(schema: Schema, text: str) -> Any:
    """A value as typed after `-i NAME=`, before it is checked."""
    if schema.type in ("array", "object"):
        try:
            return from_json(text)
        except ValueError as error:
            raise ValueError(
                f"{_short(text)} is not JSON ({error}); an {schema.type} is needed"
            ) from None
    if schema.type == "boolean":
        lowered = text.strip().lower()
        if lowered not in _TRUE | _FALSE:
            raise ValueError(f"{text!r} is neither yes nor no")
        return lowered in _TRUE
    if schema.type in ("integer", "number", "decimal"):
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"{_short(text)} is not a number")
        return _number(schema, text)
    return text


def from_json(text: str) -> Any:
    """What a JSON text says, every decimal with its digits; raises ValueError with a sentence."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number in JSON")


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"


def conform(schema: Schema, value: Any) -> Any:
    """*value* as the schema's type; raises ValueError with a sentence."""
    result = _TYPES[schema.type](schema, value) if schema.type in _TYPES else value
    allowed = [plain(one) for one in schema.enum]
    if allowed and result not in allowed:
        raise ValueError(f"{value!r} is not one of {', '.join(map(repr, allowed))}")
    _keywords(schema, result)
    return result


def _text(schema: Schema, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    wanted = unlike(value, schema.format)
    if wanted is not None:
        raise ValueError(f"{value!r} is not {wanted}")
    return value


def _number(schema: Schema, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    if abs(number.adjusted()) > MOST_DIGITS:  # written out, its digits would fill the memory
        raise ValueError(f"{value!r} has more than {MOST_DIGITS:,} digits")
    if schema.type == "integer":
        if number != number.to_integral_value():
            raise ValueError(f"{value!r} is not a whole number")
        return int(number)
    return number


def _typed_number(schema: Schema, value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"{value!r} is text, not a number")
    return _number(schema, value)


def _boolean(schema: Schema, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither yes nor no")
    return value


def _day(schema: Schema, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a date such as 2026-01-31") from None


def _moment(schema: Schema, value: Any) -> datetime:
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError(f"{value!r} is not a moment such as 2026-01-31T10:00:00Z") from None
    # As the filter `datetime` has it: a moment without a zone is none that could be kept.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _array(schema: Schema, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{value!r} is not a list")
    if schema.items is None:
        return list(value)
    result = []
    for index, one in enumerate(value):
        try:
            result.append(conform(schema.items, one))
        except ValueError as error:
            raise ValueError(f"element {index}: {error}") from None
    return result


def _object(schema: Schema, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not an object")
    result = dict(value)
    for name, inner in schema.properties.items():
        if name in result:
            result[name] = conform(inner, result[name])
    return result


_TYPES = {
    "string": _text,
    "integer": _typed_number,
    "number": _typed_number,
    "decimal": _typed_number,
    "boolean": _boolean,
    "date": _day,
    "datetime": _moment,
    "array": _array,
    "object": _object,
}


def _matches(pattern: str, text: str) -> bool:
    from cosell_definitions.matching import found_in_text  # noqa: PLC0415 - hardly any input has one

    return found_in_text(pattern, text)


def _keywords(schema: Schema, value: Any) -> None:
    words = schema.keywords
    if not words:
        return
    sized = value if isinstance(value, (str, list)) else None
    checks = (
        ("minimum", lambda limit: value < limit, "is less than"),
        ("maximum", lambda limit: value > limit, "is more than"),
        ("minLength", lambda limit: sized is not None and len(sized) < limit, "is shorter than"),
        ("maxLength", lambda limit: sized is not None and len(sized) > limit, "is longer than"),
        (
            "minItems",
            lambda limit: sized is not None and len(sized) < limit,
            "has fewer elements than",
        ),
        (
            "maxItems",
            lambda limit: sized is not None and len(sized) > limit,
            "has more elements than",
        ),
        ("pattern", lambda pattern: not _matches(str(pattern), str(value)), "does not match"),
    )
    for word, breaks, says in checks:
        limit: Any = words.get(word)
        if limit is not None and breaks(limit):
            raise ValueError(f"{value!r} {says} {limit}")


def plain(value: Any) -> Any:
    """A default as a value of its own: lists and dicts, no tuples."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return value
