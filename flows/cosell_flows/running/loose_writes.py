"""Spell out a write that a flow makes by itself, by no mapping: its record, its fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cosell_connectors.model import Connector, Operation, Rows
from cosell_connectors.pointers import put
from cosell_definitions.problems import Place

from ..syncing.records import flatten
from ..syncing.writes import FieldWrite, Kind, Write, new_id


def loose_write(
    connector: Connector,
    system: str,
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    rule: Place,
) -> Write:
    """A write that a flow spells out itself: its fields are what its body holds."""
    body: dict[str, Any] = {}
    for parameter in operation.parameters:
        value = arguments.get(parameter.name)  # null is an argument that is not given
        if parameter.location in {"body", "body_field"} and value is not None:
            body |= _spelled(parameter.name, value)
    record_id = arguments.get("id")
    name = _named(connector, operation, arguments)
    return Write(
        system=system,
        object=name,
        id=str(record_id) if record_id else None,
        kind=_kind(operation),
        operation=operation.name,
        arguments=arguments,
        fields=tuple(
            FieldWrite(field=name, old=None, new=value, rule=rule) for name, value in body.items()
        ),
        predicted={
            **_answered(operation, arguments, name, body),
            **_predicted(arguments),
            "id": record_id or new_id(name, body),
        },
    )


def _kind(operation: Operation) -> Kind:
    """What an operation does to records: a POST makes one, unless it names it or may be repeated."""
    match operation.method:
        case "DELETE":
            return "delete"
        case "POST" if not operation.idempotent and operation.parameter("id") is None:
            return "create"
        case _:
            return "update"


def _answered(
    operation: Operation, arguments: Mapping[str, Any], name: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """What a plan takes for the names an operation gives out: new ids, and rows that went well."""
    made: dict[str, Any] = {}
    for one in operation.output:
        is_id = one.name.endswith("_id")
        made[one.name] = new_id(f"{name} {one.name}", body) if is_id else None
        if operation.rows is not None and one.pointer == operation.rows.at:
            made[one.name] = _rows(operation.rows, arguments, name)
    return made


def _rows(rows: Rows, arguments: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    given = next((value for value in arguments.values() if isinstance(value, list | tuple)), ())
    made: list[dict[str, Any]] = []
    for one in given:
        known = one.get("id", one.get("Id")) if isinstance(one, Mapping) else one
        row: dict[str, Any] = {"id": known or new_id(name, one)}
        if rows.succeeded is not None:
            put(row, rows.succeeded, True)
        made.append(row)
    return made


def _named(connector: Connector, operation: Operation, arguments: Mapping[str, Any]) -> str:
    """The kind of record that an operation works on."""
    if arguments.get("object"):
        return str(arguments["object"])
    for name, resource in connector.resources.items():
        calls = (resource.create, resource.update)
        if name != "*" and any(call and call.operation == operation.name for call in calls):
            return name
    return operation.name


def _spelled(parameter: str, value: Any) -> dict[str, Any]:
    """A body by dotted path: an object's fields, or what a JSON patch puts where."""
    match value:
        case Mapping():
            return flatten(value)
        case list() | tuple() if value and all(
            isinstance(one, Mapping) and "path" in one for one in value
        ):
            return {
                str(one["path"]).strip("/").replace("/", "."): one.get("value") for one in value
            }
        case _:
            return {parameter: value}


def _predicted(arguments: Mapping[str, Any]) -> dict[str, Any]:
    bodies = [value for value in arguments.values() if isinstance(value, Mapping)]
    return dict(bodies[0]) if bodies else {}
