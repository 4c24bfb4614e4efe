"""Compose a new record on one side from its twin on the other, by the rows of a mapping. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..compiling.expressions import evaluate
from . import tables
from .decisions import values_of
from .merge import not_taken
from .mirror import Mirror, Row
from .pairs import undecorated
from .records import nest, overlay
from .values import is_blank, is_zero_or_blank, to_wire_left, to_wire_right
from .writes import FieldWrite


def compose(
    mirror: Mirror, record: Mapping[str, Any], *, to: str, also: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[FieldWrite, ...]]:
    """What a new record on side *to* gets from *record*: its body, and the same field by field.

    `also` is laid over what the mapping's rows give.
    """
    source = undecorated(mirror, record, "right" if to == "left" else "left")
    rules: dict[str, Row] = {}
    values: dict[str, Any] = {}
    for row in mirror.rows:
        for path, value in _carried(mirror, row, source, to):
            values[path] = value
            rules[path] = row
    body = overlay(nest(values) if to == "left" else values, also)
    shown = body if to == "right" else _leaves(body)
    writes = tuple(
        FieldWrite(
            field=path,
            old=None,
            new=value,
            rule=rules[path].field.place if path in rules else mirror.mapping.place,
            label=rules[path].label if path in rules else path,
        )
        for path, value in shown.items()
        if value is not None
    )
    return body, writes


def untold(mirror: Mirror, left: Mapping[str, Any]) -> list[str]:
    """What a seller is to read of values that a new right record cannot take."""
    rows = (row for row in mirror.rows if row.right_computes and row.left)
    return [
        not_taken(row)
        for row in rows
        if not (row.table or "." in row.right[0] or is_zero_or_blank(values_of(row, left, "left")))
    ]


def _leaves(body: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in body.items():
        if isinstance(value, Mapping):
            flat |= _leaves(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _carried(mirror: Mirror, row: Row, source: Mapping[str, Any], to: str) -> list[tuple[str, Any]]:
    """The paths and wire values that *row* carries into a new record on side *to*."""
    against = "right_to_left" if to == "right" else "left_to_right"
    if row.field.direction == against:
        return []
    paths = row.left if to == "left" else row.right
    if row.field.value is not None:
        scope = {"env": mirror.env, "left": source}
        made = evaluate(row.field.value, scope) if to == "right" else None
        return [(path, made) for path in paths if made is not None]
    if not paths or not (row.right if to == "left" else row.left):
        return []
    if to == "right" and row.right_computes:
        return []
    if to == "right" and any("." in path for path in paths):
        return []  # a field of a related record: the flow makes that record
    value = values_of(row, source, "right" if to == "left" else "left")
    if row.table:
        return _translated(row, value, to)
    if is_blank(value):
        return []
    if row.field.skip_when == "zero_or_blank" and is_zero_or_blank(value):
        return []
    if to == "left":
        return [(paths[0], to_wire_left(row.field, value))]
    return [(paths[0], to_wire_right(row.field, value))]


def _translated(row: Row, value: Any, to: str) -> list[tuple[str, Any]]:
    if to == "right":
        there = tables.to_right(row.table, value)
        return [(row.right[0], there.right)] if there and there.right is not None else []
    if row.guard:
        return []  # the state of a new record is the other system's to give
    back = tables.to_left(row.table, value, now=())
    return list(zip(row.left, back.left, strict=True)) if back else []
