"""Hold a document against the schema of its kind, and a value against the schema of an input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fitting import JsonSchema
from .nodes import Document, MappingNode, ScalarNode
from .problems import Place, Problem, did_you_mean
from .shaped import Shaped
from .shaping import LETTERS, load_schema, shape
from .unread import braces_in_vain

__all__ = ["Shaped", "check", "load_schema", "value_faults"]

ENDINGS = {
    "flow": "<id>.flow.yaml",
    "mapping": "<id>.map.yaml",
    "test": "<id>.test.yaml",
    "connector": "connectors/<id>/connector.yaml",
    "environment": "env/<name>.yaml",
    "variables": "env/<solution>/variables.yaml",
    "overlay": "overlays/<environment>/<name>.yaml",
}


def check(document: Document, kind: str) -> tuple[Shaped | None, tuple[Problem, ...]]:
    """The document with its types, and every problem of reading and of shape."""
    if document.root is None:
        return None, document.problems
    schema = load_schema(kind)
    letter = LETTERS.get(kind, "F")
    misfit = _wrong_kind(document, kind, letter)
    if misfit is not None:
        return None, (*document.problems, misfit)
    shaped, problems = shape(document.root, schema, letter=letter)
    idle = {one.place: one for one in braces_in_vain(document.root, kind)}
    more = (one for one in problems if one.place not in idle)
    return shaped, (*document.problems, *more, *idle.values())


def _wrong_kind(document: Document, kind: str, letter: str) -> Problem | None:
    """A file of another kind, or of another version: nothing else about it can be said."""
    root = document.root
    first = Place(file=document.file)
    if not isinstance(root, MappingNode) or not root.entries:
        return Problem(
            code=f"{letter}005",
            place=root.place if root is not None else first,
            message=f"a {kind} file begins with keys and values",
            hint=f"make the first line: {kind}: v1",
        )
    if kind in root.entries:
        return None
    key, value = next(iter(root.entries.values()))
    near = did_you_mean(key.text, [kind])
    if key.text in LETTERS and isinstance(value, ScalarNode):
        message = f"this says it is a {key.text} file, but its name says {kind}"
        hint = f"rename the file to {ENDINGS[key.text]}, or change its first line"
    else:
        message = f"the first line must say what this file is: {kind}: v1"
        hint = f"write {kind}: v1 instead of {key.text}" if near else f"add the line: {kind}: v1"
    return Problem(code=f"{letter}005", place=key.place, message=message, hint=hint)


def value_faults(value: Any, schema: JsonSchema) -> tuple[tuple[tuple[str | int, ...], str], ...]:
    """Where a value, say of an input, breaks a JSON Schema: paths and words, best match first.

    >>> value_faults([1, "x"], {"type": "array", "items": {"type": "integer"}})
    (((1,), "'x' is not of type 'integer'"),)
    """
    if _fits_plainly(value, schema):
        return ()
    from .ruling import faults_of  # noqa: PLC0415 - jsonschema loads for as long as a check takes

    return faults_of(value, schema)


def _fits_plainly(value: Any, schema: JsonSchema) -> bool:
    """Whether the value is sound at first sight: right type, and no rule beyond it."""
    match schema:
        case {"type": "string", **rest}:
            allowed = rest.pop("enum", [value])
            return not rest and isinstance(value, str) and value in allowed
        case {"type": "integer", **rest}:
            return not rest and isinstance(value, int) and not isinstance(value, bool)
        case {"type": "boolean", **rest}:
            return not rest and isinstance(value, bool)
        case {"type": "array", **rest}:
            inner = rest.pop("items", {})
            fits = isinstance(value, list | tuple) and not rest
            return fits and (not value or all(_fits_plainly(one, inner) for one in value))
        case {"type": "object", **rest}:
            known = rest.pop("properties", {})
            return (
                not rest
                and isinstance(value, Mapping)
                and all(_fits_plainly(one, known.get(name, {})) for name, one in value.items())
            )
        case {}:
            return not schema  # which takes anything
    return False
