"""Give the arguments of a call the types that the called declares: `flag: Yes`, `zip: 00184`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checking import value_faults
from .model import Input, Schema, Template, Value
from .nodes import Node
from .parsing_inputs import json_schema
from .parsing_values import Ill, of_schema
from .scalars import describe


def bound(
    arguments: Mapping[str, Value], nodes: Mapping[str, Node], schemas: Mapping[str, Schema]
) -> dict[str, Value]:
    """*arguments* with every literal typed by the schema of its parameter, where there is one."""
    return {
        name: _bound(value, nodes.get(name), schemas.get(name)) for name, value in arguments.items()
    }


def _bound(value: Value, node: Node | None, schema: Schema | None) -> Value:
    if node is None or schema is None or has_templates(value):
        return value
    try:
        typed: Value = of_schema(node, schema)
    except Ill:
        return value  # the check says so; a run refuses it by itself
    return typed


def misfit(node: Node, value: Value, declared: Input) -> str | None:
    """Why an input refuses a literal; None where it takes it, or where it is not a literal."""
    if has_templates(value):
        return None
    schema = declared.schema
    try:
        typed: Any = of_schema(node, schema)
    except Ill as ill:
        return f"{describe(ill.node)}; {ill.wanted} is needed"
    if typed is None:
        return None if not declared.required else "null, and it is required"
    faults = value_faults(typed, json_schema(schema))
    return faults[0][1] if faults else None


def has_templates(value: Value) -> bool:
    """Whether braces stand anywhere in a value."""
    if isinstance(value, Mapping):
        return any(has_templates(inner) for inner in value.values())
    if isinstance(value, tuple):
        return any(has_templates(inner) for inner in value)
    return isinstance(value, Template)
