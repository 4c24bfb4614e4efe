"""Whether a scalar fits its schema, and if not, in what: bounds, patterns, lists of values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .meaning import meant, repaired
from .nodes import MappingNode, Node, ScalarNode, SequenceNode
from .problems import Place
from .scalars import Plain, Unfit, describe, typed

JsonSchema = Mapping[str, Any]  # a JSON Schema, as it was loaded


def types_of(schema: JsonSchema) -> tuple[str, ...]:
    """The types that a schema names."""
    found = schema.get("type", ())
    return (found,) if isinstance(found, str) else tuple(found)


def fits_unquoted(node: ScalarNode, types: tuple[str, ...]) -> bool:
    """Whether a quoted scalar would be right without its quotes."""
    try:
        typed(ScalarNode(node.text, quoted=False, place=node.place), types)
    except Unfit:
        return False
    return True


def admits(node: Node, schema: JsonSchema) -> bool:
    """Whether a branch is for this kind of node at all."""
    types = types_of(schema)
    if not types:
        return True
    match node:
        case MappingNode():
            return "object" in types
        case SequenceNode():
            return "array" in types
        case ScalarNode():
            try:
                typed(node, types)
            except Unfit:
                return False
            return True


def wrong_with(value: Plain, node: ScalarNode, schema: JsonSchema) -> tuple[str, str] | None:
    """In what a scalar of the right type differs from the schema, and what to do."""
    if "const" in schema and value != schema["const"]:
        wanted = schema["const"]
        return f"is {describe(node)}; it must be {wanted}", f"write {wanted}"
    if "enum" in schema and value not in schema["enum"]:
        names = [str(name) for name in schema["enum"]]
        near = meant(node.text, names)
        listed = ", ".join(names)
        return (
            f"is {describe(node)}; known are {listed}",
            f"did you mean {near!r}?" if near else f"write one of: {listed}",
        )
    if isinstance(value, str):
        pattern = schema.get("pattern")
        if pattern and not re.search(pattern, value):
            wanted = schema.get("x-says", f"text that fits {pattern}")
            fixed = repaired(value, pattern)
            hint = f"write {fixed}" if fixed else schema.get("x-hint", f"write {wanted}")
            if value.isdigit() and wanted.startswith("a duration"):
                hint = f"say the unit: {value}s, {value}m or {value}h"
            return f"is {describe(node)}; it takes {wanted}", hint
        if not value and schema.get("minLength"):
            return "is empty", "write some text, or delete the key"
    elif value is not None and not isinstance(value, bool):
        least, most = schema.get("minimum"), schema.get("maximum")
        if least is not None and value < least:
            return f"is {value}; it must be at least {least}", f"write {least} or more"
        if most is not None and value > most:
            return f"is {value}; it must be at most {most}", f"write {most} or less"
    return None


def as_typed(node: ScalarNode) -> str:
    """A scalar as it was typed."""
    return json.dumps(node.text, ensure_ascii=False) if node.quoted else node.text


def place_of(key: ScalarNode | None) -> Place | None:
    """Where a key stands."""
    return key.place if key is not None else None


def name_of(key: ScalarNode | None) -> str:
    """What a value is called at the beginning of a message."""
    return f"{key.text!r} " if key is not None else "this "


def example_of(schema: JsonSchema) -> str:
    """What may be written where the schema is."""
    example = schema.get("const") or next(iter(schema.get("examples", ())), "…")
    return example if isinstance(example, str) else json.dumps(example)
