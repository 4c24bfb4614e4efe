"""Pick values out of records by dotted path, and put them in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def pick(record: Mapping[str, Any], path: str) -> Any:
    """The value at *path* (`details.dealValue`), or None where any part of it is missing."""
    value: Any = record
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value[part] if part in value else _caseless(value, part)
    return value


def _caseless(record: Mapping[str, Any], name: str) -> Any:
    # Salesforce answers in the canonical case of a field, whatever case it was asked in.
    lowered = name.lower()
    return next((value for key, value in record.items() if key.lower() == lowered), None)


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        spot = tree
        for part in parents:
            spot = spot.setdefault(part, {})
        spot[last] = value
    return tree


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`; lists stay whole."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{path}.")
        else:
            flat[path] = value
    return flat


def overlay(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """*over* laid on *under*, mapping by mapping; lists and plain values are replaced whole."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = overlay(below, value)
        else:
            result[key] = value
    return result


def same_id(one: str | None, other: str | None) -> bool:
    """Whether two record ids name the same record; Salesforce writes 15 or 18 characters."""
    if not one or not other:
        return False
    short = 15
    if len(one) != len(other) and min(len(one), len(other)) == short:
        return one[:short] == other[:short]
    return one == other
