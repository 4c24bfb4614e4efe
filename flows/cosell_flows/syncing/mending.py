"""Put a value into a field of a linked deal by hand, through the rules of its mapping. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cosell_definitions.problems import did_you_mean

from ..ledger.history import Change
from ..ledger.links import Link
from . import tables
from .errors import SyncError
from .mirror import Mirror, Row
from .pairs import PairPlan, own_writes, plan_pair, spoken
from .records import nest, overlay, pick
from .values import canonical, is_blank, to_wire_right
from .writes import FieldWrite


class CannotSet(SyncError):
    """The rules of a mapping do not let a person set this field to this value."""


class NoSuchField(SyncError):
    """A mapping has no row for a field."""


def row_of(mirror: Mirror, name: str) -> Row:
    """The row that *name* names: a field of either system, or the label; raises NoSuchField."""
    wanted = name.strip().lower()
    for row in mirror.rows:
        tails = [path.rpartition(".")[2] for path in row.right]
        if wanted in {known.lower() for known in (*names_of(row), *tails)}:
            return row
    every = [known for row in mirror.rows for known in names_of(row)]
    near = did_you_mean(name, every)
    labels = ", ".join(row.label for row in mirror.rows)
    raise NoSuchField(
        f"mapping {mirror.id} has no row for a field {name!r}",
        hint=f"did you mean {near!r}?" if near else f"its fields: {labels}",
    )


def names_of(row: Row) -> tuple[str, ...]:
    """Everything that a row is called: its fields in both systems, and its label."""
    return tuple(dict.fromkeys((*row.right, *row.left, row.label)))


def replaced(mirror: Mirror, row: Row, change: Change, written: Sequence[Change]) -> Any:
    """What *change* replaced, as the right side writes it. *written*: all changes of the deal."""
    if change.system == mirror.mapping.right.connection:
        return change.old
    if row.table:
        write = (change.run_id, change.at, change.system)
        together = {
            one.field: one.old for one in written if (one.run_id, one.at, one.system) == write
        }
        found = tables.to_right(row.table, [together.get(path) for path in row.left])
        if found is None:
            raise CannotSet(
                f"{row.label}: no row of table {row.field.table!r} says what it was",
                field=row.field,
            )
        return found.right
    return to_wire_right(row.field, canonical(row.field, change.old))


def typed(row: Row, text: str) -> Any:
    """What a person typed, as the right side writes it; raises BadValue where it does not fit."""
    if row.table:
        words = [one.right for one in row.table if isinstance(one.right, str) and one.right != "*"]
        same = [one for one in words if one.casefold() == text.strip().casefold()]
        return same[0] if same else text.strip()
    return to_wire_right(row.field, canonical(row.field, text.strip()))


def plan_setting(
    mirror: Mirror,
    link: Link | None,
    left: Mapping[str, Any],
    right: Mapping[str, Any],
    row: Row,
    value: Any,
    *,
    now: datetime,
    note: str,
) -> PairPlan:
    """Every field to be written so that *row* holds *value*, as if a seller had typed it.

    Raises CannotSet where the mapping's rules would not let it stay.
    """
    _refuse_what_cannot_stay(row, value)
    path = row.right[0]
    wanted = overlay(right, nest({path: value}))
    plan = plan_pair(mirror, link, left, wanted, now=now, extra_notes=(note,))
    against = next((one for one in plan.to_right if one.field == path), None)
    if against is not None:
        told = [one for one in plan.notes if one.startswith(row.label)]
        raise CannotSet(
            f"{row.label} cannot be set to {value!r}: the sync would put it back to {against.new!r}",
            hint=told[0] if told else f"see its rule: {row.field.place}",
            field=row.field,
        )
    old = pick(right, path)
    setting = FieldWrite(
        field=path, old=old, new=value, rule=row.field.place, loses=old, label=row.label
    )
    return replace(plan, right=right, to_right=(*plan.to_right, setting))


def plan_setting_alone(
    mirror: Mirror, right: Mapping[str, Any], row: Row, value: Any, *, now: datetime, note: str
) -> PairPlan:
    """The same for a record that has no twin yet: its field, and a line in its audit."""
    _refuse_what_cannot_stay(row, value)
    path, trail = row.right[0], mirror.audit
    old = pick(right, path)
    setting = FieldWrite(
        field=path, old=old, new=value, rule=row.field.place, loses=old, label=row.label
    )
    told = own_writes(mirror, right, spoken(mirror, note), good=True, now=now)
    return PairPlan(
        mirror=mirror,
        left={},
        right=right,
        left_id="",
        right_id=str(right["Id"]),
        to_left=(),
        to_left_first=(),
        to_right=(setting,),
        own=tuple(one for one in told if trail and one.field == trail.field),
        base_left={},
        base_right={},
        left_moment=None,
        right_moment=None,
        edits="sent",
    )


def _refuse_what_cannot_stay(row: Row, value: Any) -> None:
    why = None
    if not row.right or row.field.value is not None:
        why = "it is filled by the sync itself"
    elif row.right_computes:
        why = "it computes itself in Salesforce"
    elif row.field.direction == "left_to_right":
        why = "it comes from Partner Center and is never sent there; change it there"
    elif row.field.when == "create":
        why = "it travels only when the other side is made; change it in Salesforce"
    elif row.field.blank == "ignore" and is_blank(value):
        why = "a blank never overwrites: it would be filled again"
    if why:
        raise CannotSet(f"{row.label} cannot be set by hand: {why}", field=row.field)
