"""Say in a JSON Schema which branch holds by the key or value that decides it. Pure.

`oneOf` makes a validator try every kind of step for every step, and inside of each all of them again:
a flow that is six levels deep takes a minute, and a slip in it is told of every kind of step at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def decided(schema: Any) -> Any:
    """The schema with `if` and `then` in place of the branches that a key or a value tells apart."""
    if isinstance(schema, list):
        return [decided(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: Schema = {name: decided(value) for name, value in schema.items()}
    if "x-by-key" in made:
        return _by_key(made, schema["x-by-key"])
    if "x-by-value" in made:
        return _by_value(made, schema["x-by-value"])
    return made


def _by_key(schema: Schema, branches: Mapping[str, Schema]) -> Schema:
    rest = {name: one for name, one in schema.items() if name != "oneOf"}
    # `steps` is a scope by itself, and the body of a loop beside another keyword.
    first = [name for name in branches if name != "steps"]
    chain: Schema = {"required": ["steps"]} if "steps" in branches else {}
    chain = {"if": chain, "then": branches["steps"], "else": _one_of(branches)} if chain else {}
    for name in reversed(first):
        chain = {"if": {"required": [name]}, "then": branches[name], "else": chain}
    # Named here too, so that an editor offers the keywords where none is written yet.
    return {**rest, "type": "object", "properties": {name: {} for name in branches}, **chain}


def _one_of(branches: Mapping[str, Schema]) -> Schema:
    return {"anyOf": [{"required": [name]} for name in branches]}


def _by_value(schema: Schema, choice: Mapping[str, Any]) -> Schema:
    rest = {name: one for name, one in schema.items() if name != "oneOf"}
    name, branches = choice["property"], choice["branches"]
    chain: Schema = {"required": [name], "properties": {name: {"enum": list(branches)}}}
    for value, branch in reversed(list(branches.items())):
        held = {"required": [name], "properties": {name: {"const": value}}}
        chain = {"if": held, "then": branch, "else": chain}
    return {**rest, "type": "object", "properties": {name: {"enum": list(branches)}}, **chain}
