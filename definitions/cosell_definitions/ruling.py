"""Hold a value against a JSON Schema, with the types of the language. Loaded only where it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator

from .fitting import JsonSchema
from .matching import TooLong, found_in_text


def faults_of(value: Any, schema: JsonSchema) -> tuple[tuple[tuple[str | int, ...], str], ...]:
    """Where a value breaks a schema: paths and words, best match first."""
    try:
        errors = sorted(
            _VALIDATOR(schema).iter_errors(value), key=jsonschema.exceptions.relevance, reverse=True
        )
    except TooLong as late:
        return (((), str(late)),)
    return tuple((tuple(error.absolute_path), _worded(error)) for error in errors)


def _worded(error: jsonschema.ValidationError) -> str:
    message: str = error.message
    return message if len(message) <= 300 else f"{message[:297]}…"


def _is_number(_: Any, value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(_: Any, value: object) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(
    _: Any, pattern: str, value: object, __: JsonSchema
) -> Iterator[jsonschema.ValidationError]:
    if isinstance(value, str) and not found_in_text(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


# The types of the language on top of those of JSON Schema: exact decimals, dates, moments.
_VALIDATOR = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "number": _is_number,
            "decimal": _is_number,
            "integer": _is_integer,
            "array": lambda _, value: isinstance(value, list | tuple),
            "object": lambda _, value: isinstance(value, Mapping),
            "date": lambda _, value: isinstance(value, date) and not isinstance(value, datetime),
            "datetime": lambda _, value: isinstance(value, datetime),
        }
    ),
)
