"""Say in a JSON Schema which branch holds by the key or value that decides it. Pure.

`oneOf` makes a validator try every kind of step for every step, and inside of each all of them again:
a flow that is six levels deep takes a minute, and a slip in it is told of every kind of step at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def decided(schema: Schema) -> Schema:
    """The schema with `if` and `then` in place of the branches that a key or a value tells apart."""
    made: Schema = _decided(schema, schema.get("$defs", {}))
    return made


def _decided(schema: Any, parts: Mapping[str, Schema]) -> Any:
    if isinstance(schema, list):
        return [_decided(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: Schema = {name: _decided(value, parts) for name, value in schema.items()}
    if "x-by-key" in made:
        return _by_key(made, schema["x-by-key"], parts)
    if "x-by-value" in made:
        return _by_value(made, schema["x-by-value"])
    return _forgiving(made)


def _forgiving(schema: Schema) -> Schema:
    """A key is missed only where no other one is strange, because that one is mostly it, misspelt."""
    closed = schema.get("type") == "object" and schema.get("additionalProperties") is False
    if not closed or {"if", "patternProperties"} & set(schema) or not schema.get("required"):
        return schema
    rest = {name: value for name, value in schema.items() if name != "required"}
    known = {"propertyNames": {"enum": sorted(schema["properties"])}}
    return {**rest, "if": known, "then": {"required": schema["required"]}}


def _by_key(schema: Schema, branches: Mapping[str, Schema], parts: Mapping[str, Schema]) -> Schema:
    rest = {name: one for name, one in schema.items() if name != "oneOf"}
    chain = _undecided(branches, parts)
    # `steps` is a scope by itself, and the body of a loop beside another keyword: it comes last.
    for name in sorted(branches, key=lambda it: it != "steps"):
        chain = {"if": {"required": [name]}, "then": branches[name], "else": chain}
    return {**rest, "type": "object", **chain}


def _undecided(branches: Mapping[str, Schema], parts: Mapping[str, Schema]) -> Schema:
    """Where no keyword is written yet: an editor offers them all, and marks what is none."""
    whole = {name: parts[str(one["$ref"]).rsplit("/", 1)[-1]] for name, one in branches.items()}
    everywhere = set.intersection(*(set(one["properties"]) for one in whole.values()))
    shared = next(iter(whole.values()))["properties"]
    return {
        "properties": {
            **{name: shared[name] for name in shared if name in everywhere},
            **{name: {"description": one["description"]} for name, one in whole.items()},
        },
        "additionalProperties": False,
        # A word that is none is marked as it stands; only then nothing is missing besides.
        "if": {"propertyNames": {"enum": sorted(everywhere)}},
        "then": {"anyOf": [{"required": [name]} for name in branches]},
    }


def _by_value(schema: Schema, choice: Mapping[str, Any]) -> Schema:
    rest = {name: one for name, one in schema.items() if name != "oneOf"}
    name, branches = choice["property"], choice["branches"]
    chain: Schema = {"required": [name], "properties": {name: {"enum": list(branches)}}}
    for value, branch in reversed(list(branches.items())):
        held = {"required": [name], "properties": {name: {"const": value}}}
        chain = {"if": held, "then": branch, "else": chain}
    return {**rest, "type": "object", "properties": {name: {"enum": list(branches)}}, **chain}
