"""Make the form in which Prefect's UI asks for a flow's inputs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cosell_definitions.model import Flow, Input, Schema, Template, Value
from cosell_flows.running.outcomes import Question

_TYPES = {
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "array": {"type": "array"},
    "object": {"type": "object"},
}
_LARGEST = 64 * 1024  # bytes of inputs that are worth showing with a run
# Prefect resolves these inside parameters: a block is loaded, a template is rendered.
_MAGIC = ('"$ref"', '"__prefect_kind"')


def form_of(flow: Flow) -> dict[str, Any]:
    """The JSON Schema of a flow's inputs, in the order in which they are declared."""
    # An unknown parameter is refused by Prefect's API, not by a run that has begun.
    return {**_form(flow.inputs, "Parameters"), "definitions": {}, "additionalProperties": False}


def form_of_answer(question: Question) -> dict[str, Any]:
    """The JSON Schema of an answer, in the order in which its fields are declared."""
    return {**_form(question.answer, question.name), "additionalProperties": False}


def _form(inputs: Sequence[Input], title: str) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": {one.name: _asked(one, place) for place, one in enumerate(inputs)},
        "required": [one.name for one in inputs if one.required],
    }


def shown(inputs: Mapping[str, Any]) -> Any:
    """*inputs* as JSON for people to read beside a run; moments as they are written."""
    return _plain(inputs)


def can_be_shown(text: str) -> bool:
    """Whether inputs of this JSON *text* may travel as parameters of a Prefect run."""
    return len(text) <= _LARGEST and not any(word in text for word in _MAGIC)


def _asked(one: Input, place: int) -> dict[str, Any]:
    asked = _schema(one.schema)
    asked.setdefault("title", one.name.replace("_", " ").capitalize())
    asked["position"] = place
    if not one.required and not _has_template(one.default) and one.default is not None:
        asked["default"] = _plain(one.default)
    return asked


def _schema(schema: Schema) -> dict[str, Any]:
    made: dict[str, Any] = {**_TYPES.get(schema.type, {"type": "string"})}
    if schema.title:
        made["title"] = schema.title
    if schema.description:
        made["description"] = schema.description
    if schema.format:
        made["format"] = schema.format
    if schema.enum:
        made["enum"] = [_plain(value) for value in schema.enum]
    if schema.items is not None:
        made["items"] = _schema(schema.items)
    elif schema.type == "array":
        made["items"] = {}
    if schema.properties:
        made["properties"] = {name: _schema(one) for name, one in schema.properties.items()}
    # Prefect's server tries a pattern without a limit of time; the run tries it with one.
    return made | {
        word: _plain(value) for word, value in schema.keywords.items() if word != "pattern"
    }


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _has_template(value: Value) -> bool:
    match value:
        case Template():
            return True
        case Mapping():
            return any(_has_template(item) for item in value.values())
        case tuple():
            return any(_has_template(item) for item in value)
        case _:
            return False
