"""Give a scalar the type that the schema asks for; looks decide only where it is silent."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal

from .nodes import MappingNode, Node, ScalarNode, SequenceNode

Plain = bool | int | Decimal | str | None

MAX_DIGITS = 300  # longer ones are identifiers, whatever they look like
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_NULLS = ("", "~", "null")

TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "decimal": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "keys with values",
}


class Unfit(ValueError):
    """The scalar cannot be of any of the types asked for."""


def untyped(node: ScalarNode) -> Plain:
    """The value where no schema speaks: only what can be nothing else is not text."""
    if node.quoted:
        return node.text
    if node.text in _NULLS:
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    return number_of(node.text) if number_of(node.text) is not None else node.text


def number_of(text: str) -> int | Decimal | None:
    """The number that *text* writes out; None where it is anything else."""
    if len(text) > MAX_DIGITS:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def boolean_of(text: str) -> bool | None:
    """Yes and no in any case, and true and false; None for anything else."""
    return _BOOLEANS.get(text.lower())


def typed(node: ScalarNode, types: Collection[str]) -> Plain:
    """The value as one of *types*; text comes last, because any scalar is text."""
    if not types:
        return untyped(node)
    if not node.quoted:
        if "null" in types and node.text in _NULLS:
            return None
        if "boolean" in types and (flag := boolean_of(node.text)) is not None:
            return flag
        number = number_of(node.text) if {"integer", "number"} & set(types) else None
        if number is not None and ("number" in types or isinstance(number, int)):
            return number
    if "string" in types and (node.quoted or node.text):
        return node.text
    raise Unfit


def words_for(types: Collection[str]) -> str:
    """The types in plain words: "text or a whole number"."""
    words = list(dict.fromkeys(TYPE_WORDS.get(name, name) for name in types))
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def describe(node: Node) -> str:
    """What stands there, with its type."""
    match node:
        case MappingNode():
            return "keys with values"
        case SequenceNode():
            return "a list"
        case ScalarNode(text, quoted, _):
            shown = text if len(text) <= 40 else text[:39] + "…"
            if not quoted and text == "":
                return "nothing"
            if text.startswith("{{"):
                return f"{shown!r}, and expressions are not read here"
            value = untyped(node)
            if quoted:
                return f"{shown!r}, which is text because of its quotes"
            if value is None:
                return "null"
            if isinstance(value, bool):
                return shown
            if isinstance(value, int | Decimal):
                return f"the number {shown}"
            return f"{shown!r}, which is text"
