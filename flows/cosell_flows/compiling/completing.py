"""Put a project's own names into the JSON Schemas of its files, so that editors complete them. Pure.

The schemas of the language say which keys there are; these say in addition which operations,
parameters, variables, flows, mappings and fields. What is named here is offered, not demanded: a
name that is newer than the schema is no error in the editor. `cosell check` is the judge.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cosell_connectors.model import Connector, Shape
from cosell_definitions.model import CallFlow, Flow
from cosell_definitions.model import Schema as ValueSchema
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.parsing_inputs import json_schema
from cosell_definitions.settings import Declaration

from .deciding import decided
from .operations import ENGINE
from .steps_within import steps_within

Schema = dict[str, Any]
Named = Mapping[str, str]
"""Names, and what each is in a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a project has. `fields`: what a live org has besides, by connection and object."""

    flows: Mapping[str, Flow] = field(default_factory=dict)
    mappings: Mapping[str, MappingFile] = field(default_factory=dict)
    declarations: Sequence[Declaration] = ()
    connectors: Mapping[str, Connector] = field(default_factory=dict)  # by connection
    fields: Mapping[tuple[str, str], Named] = field(default_factory=dict)


def completed(kind: str, base: Mapping[str, Any], known: Known) -> Schema:
    """The schema of a kind of file, with the project's names in it."""
    schema: Schema = copy.deepcopy(dict(base))
    filled = {
        "flow": _flow,
        "mapping": _mapping,
        "environment": _environment,
        "test": _test,
        "overlay": _overlay,
    }.get(kind)
    if filled is not None:
        filled(schema, known)
    relaxed: Schema = _relaxed(decided(schema))
    return relaxed


def _relaxed(schema: Any) -> Any:
    """The schema as an editor needs it, which takes `006E00000012345` for a number and Yes for text.

    In our language a scalar has the type that the schema gives it, whatever it looks like.
    """
    if isinstance(schema, list):
        return [_relaxed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _relaxed(value) for name, value in schema.items()}
    if made.get("type") == "string" and not {"enum", "const"} & set(made):
        made["type"] = ["string", "number"]
    elif made.get("type") == "boolean":
        del made["type"]
        made["anyOf"] = [{"type": "boolean"}, {"enum": ["Yes", "No", "yes", "no"]}]
    return made


# -- what there is ----------------------------------------------------------------------------


def _operations(known: Known) -> dict[str, tuple[str, dict[str, Schema], list[str]]]:
    """Every operation: what it does, its parameters, and those that are required."""
    found: dict[str, tuple[str, dict[str, Schema], list[str]]] = {}
    mappings = _offered({}, _mapping_names(known))
    for system, operations in ENGINE.items():
        for name, one in operations.items():
            takes: dict[str, Schema] = {parameter: {} for parameter in one.parameters}
            if "mapping" in takes:
                takes["mapping"] = mappings
            required = [parameter for parameter, needed in one.parameters.items() if needed]
            found[f"{system}.{name}"] = (one.summary, takes, required)
    for connection, connector in known.connectors.items():
        for operation in connector.operations.values():
            takes = {
                one.name: {"description": one.description or f"in: {one.location}, {one.type}"}
                for one in operation.parameters
            }
            required = [
                one.name for one in operation.parameters if one.required and one.default is None
            ]
            found[f"{connection}.{operation.name}"] = (operation.summary, takes, required)
    return found


def _flow_names(known: Known) -> Named:
    return {one.id: one.name for one in known.flows.values()}


def _mapping_names(known: Known) -> Named:
    return {
        one.id: f"{one.left.connection} {one.left.object}, {one.right.connection} {one.right.object}"
        for one in known.mappings.values()
    }


def _variables(known: Known) -> Named:
    return {one.name: one.display_name for one in known.declarations}


def _connections(known: Known) -> Named:
    return {name: one.title for name, one in known.connectors.items()}


def _fields(known: Known, side: str) -> Named:
    """Field names of one side: the org's, the connector's, those that mappings name already."""
    named: dict[str, str] = {
        f"{{{{ env.{one.name} }}}}": f"{one.display_name}, here {one.default}"
        for one in known.declarations
        if one.type == "field"
    }
    for mapping in known.mappings.values():
        one = mapping.left if side == "left" else mapping.right
        for row in mapping.fields:
            paths = row.left if side == "left" else row.right
            named |= {path: row.label or "" for path in paths if isinstance(path, str)}
        connector = known.connectors.get(one.connection)
        resource = connector.resource(one.object) if connector is not None else None
        if resource is not None:
            held = _paths(resource.record) if resource.record is not None else ()
            for path in (*(resource.updatable or ()), *held):
                named.setdefault(path, f"a field of {one.object}")
        named |= known.fields.get((one.connection, one.object), {})
    return named


def _paths(shape: Shape, before: str = "") -> Iterator[str]:
    """`details.dealValue`: every field that a record holds, dotted."""
    for name, one in shape.fields.items():
        yield f"{before}{name}"
        yield from _paths(one, f"{before}{name}.")


# -- into the schemas -------------------------------------------------------------------------


def _offered(schema: Schema, names: Named) -> Schema:
    """The schema of a text, which offers *names* and takes others too."""
    if not names:
        return schema
    listed = {"enum": list(names), "enumDescriptions": list(names.values())}
    rest = {name: value for name, value in schema.items() if name != "description"}
    described = {"description": schema["description"]} if "description" in schema else {}
    return {**described, "anyOf": [listed, rest or {"type": "string"}]}


def _offer(properties: Schema, name: str, names: Named) -> None:
    """Offer *names* as values of one key; of a list, as its items."""
    schema = properties[name]
    if schema.get("type") == "array":
        properties[name] = {**schema, "items": _offered(schema["items"], names)}
    else:
        properties[name] = _offered(schema, names)


def _when(key: str, value: str, then: Schema) -> Schema:
    """What holds in addition where a key has that value."""
    return {
        "if": {"properties": {key: {"const": value}}, "required": [key]},
        "then": {"properties": then},
    }


def _flow(schema: Schema, known: Known) -> None:
    properties, parts = schema["properties"], schema["$defs"]
    _offer(properties, "needs", _flow_names(known))
    uses = properties["uses"]["properties"]
    _offer(uses, "connections", _connections(known))
    _offer(uses, "env", _variables(known))
    _offer(uses, "mappings", _mapping_names(known))
    operations = _operations(known)
    action, call = parts["action_step"], parts["call_step"]
    _offer(action["properties"], "action", {name: one[0] for name, one in operations.items()})
    action["allOf"] = [
        _when("action", name, {"with": _arguments(takes, required)})
        for name, (_, takes, required) in operations.items()
        if takes
    ]
    _offer(call["properties"], "call", _flow_names(known))
    call["allOf"] = [
        _when("call", one.id, {"with": _arguments(*_inputs(one))})
        for one in known.flows.values()
        if one.inputs
    ]
    hook = parts["webhook_trigger"]["properties"]
    hooks = {name: one for name, one in known.connectors.items() if one.webhook is not None}
    _offer(hook, "connection", {name: one.title for name, one in hooks.items()})
    events = {name: "" for one in hooks.values() if one.webhook for name in one.webhook.events}
    _offer(hook, "events", events)


def _arguments(takes: Mapping[str, Schema], required: Iterable[str]) -> Schema:
    return {"type": "object", "properties": dict(takes), "required": list(required)}


def _inputs(flow: Flow) -> tuple[dict[str, Schema], list[str]]:
    """The inputs of a flow, for whoever calls it: a value may also be an expression."""
    takes = {one.name: _input(one.schema) for one in flow.inputs}
    return takes, [one.name for one in flow.inputs if one.required]


def _input(schema: ValueSchema) -> Schema:
    words = " - ".join(text for text in (schema.title, schema.description) if text)
    described = {"description": words} if words else {}
    if schema.enum:
        values = [str(value) for value in schema.enum]
        return {**described, "anyOf": [{"enum": values}, {"type": "string"}]}
    if schema.type == "boolean":
        return {**described, "anyOf": [{"enum": [True, False]}, {"type": "string"}]}
    return described


def _mapping(schema: Schema, known: Known) -> None:
    for side in ("left", "right"):
        about = schema["properties"][side]["properties"]
        _offer(about, "connection", _connections(known))
        names = _fields(known, side)
        for key in ("key", "version", "moment"):
            _offer(about, key, names)
        row = schema["$defs"]["field"]["properties"]
        row[side] = {
            **row[side],
            "anyOf": [
                {**one, "items": _offered(one["items"], names)}
                if one.get("type") == "array"
                else _offered(one, names)
                for one in row[side]["anyOf"]
            ],
        }


def _environment(schema: Schema, known: Known) -> None:
    variables = schema["properties"]["variables"]
    variables["properties"] = {one.name: _variable(one) for one in known.declarations}
    connections = schema["properties"]["connections"]
    inner = connections["additionalProperties"]
    connections["properties"] = {
        name: {**inner, "description": title} for name, title in _connections(known).items()
    }


def _variable(one: Declaration) -> Schema:
    default = f" The default is {one.default}." if one.default is not None else ""
    described = {"description": f"{one.display_name}. {one.description}{default}".strip()}
    if one.type == "boolean":
        return {**described, "enum": ["Yes", "No", True, False]}
    if one.choices:
        return {**described, "enum": list(one.choices)}
    return {**described, "type": ["string", "number", "boolean"]}


def _test(schema: Schema, known: Known) -> None:
    parts = schema["$defs"]
    _offer(schema["properties"], "flow", _flow_names(known))
    operations = {
        name: one[0]
        for name, one in _operations(known).items()
        if name.partition(".")[0] not in ENGINE
    }
    for holder, key in ((parts, "mock"), (parts["expect"]["properties"], "calls")):
        inner = holder[key]["additionalProperties"]
        holder[key]["properties"] = {
            name: {**inner, "description": words} for name, words in operations.items()
        }
    for holder in (schema["properties"], parts["case"]["properties"]):
        holder["env"]["properties"] = {one.name: _variable(one) for one in known.declarations}
    schema["allOf"] = [
        _when("flow", one.id, {"cases": {"items": {"properties": dict(_case(one, known))}}})
        for one in known.flows.values()
    ]


def _case(flow: Flow, known: Known) -> Iterator[tuple[str, Schema]]:
    """What a case of a flow may name: its inputs, triggers, steps, outputs."""
    yield "inputs", {"properties": _inputs(flow)[0]}
    yield "trigger", {"properties": {one.id: {"description": one.type} for one in flow.triggers}}
    steps = {"items": _offered({"type": "string"}, _steps(flow, known))}
    yield (
        "expect",
        {
            "properties": {
                "ran": steps,
                "not_ran": steps,
                "skipped": steps,
                "outputs": {"properties": {one.name: {} for one in flow.outputs}},
            }
        },
    )


def _steps(flow: Flow, known: Known) -> Named:
    """The steps of a flow, and those of the flows it calls."""
    own = list(steps_within(flow.steps))
    called = {one.do.flow for one in own if isinstance(one.do, CallFlow)}
    named = {one.id: one.name or "" for one in own}
    for child in sorted(called & set(known.flows)):
        inner = steps_within(known.flows[child].steps)
        named |= {f"{child}/{one.id}": one.name or "" for one in inner}
    return named


def _overlay(schema: Schema, known: Known) -> None:
    properties = schema["properties"]
    _offer(properties, "flow", _flow_names(known))
    _offer(properties, "mapping", _mapping_names(known))
    schema["allOf"] = [
        _when(
            "flow",
            one.id,
            {
                "steps": {"properties": {step.id: {} for step in steps_within(one.steps)}},
                "triggers": {"properties": {trigger.id: {} for trigger in one.triggers}},
                "inputs": {
                    "properties": {given.name: json_schema(given.schema) for given in one.inputs}
                },
            },
        )
        for one in known.flows.values()
    ] + [
        _when("mapping", one.id, {"fields": {"properties": {row.id: {} for row in one.fields}}})
        for one in known.mappings.values()
    ]
