"""Plan a pair of records: what is known of it, what the merge says, and the fields each side gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..compiling.expressions import evaluate
from ..ledger.links import Link
from . import audit, tables
from .merge import Decision, Merged, Sight, merge, values_of
from .mirror import Mirror, Row, moment_field
from .records import nest, overlay, pick
from .values import (
    canonical,
    is_blank,
    is_zero_or_blank,
    parse_moment,
    plain,
    to_wire_left,
    to_wire_right,
)
from .writes import FieldWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPlan:
    """Everything a sync of one pair is going to do, field by field."""

    mirror: Mirror
    left: Mapping[str, Any]
    right: Mapping[str, Any]
    left_id: str
    right_id: str
    to_left: tuple[FieldWrite, ...]
    to_left_first: tuple[FieldWrite, ...]  # a state on the way, written before the rest
    to_right: tuple[FieldWrite, ...]
    own: tuple[FieldWrite, ...]
    base_left: Mapping[str, Any]
    base_right: Mapping[str, Any]
    left_moment: datetime | None
    right_moment: datetime | None
    edits: str
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written on either side."""
        return not (self.to_left or self.to_right or self.own)


def sight_of(
    mirror: Mirror, link: Link | None, left: Mapping[str, Any], right: Mapping[str, Any]
) -> Sight:
    """What the ledger and the two records tell about a pair."""
    stamps = {
        key: moment
        for key, value in right.items()
        if isinstance(value, Mapping)
        and (moment := parse_moment(value.get(mirror.mapping.right.version)))
    }
    return Sight(
        left=_undecorated(mirror, left, "left"),
        right=_undecorated(mirror, right, "right"),
        base_left=link.base_left if link and link.base_left else None,
        base_right=link.base_right if link and link.base_right else None,
        left_moment=_moment(mirror, link, left, "left"),
        right_moment=_moment(mirror, link, right, "right"),
        moments=stamps,
    )


def _moment(
    mirror: Mirror, link: Link | None, record: Mapping[str, Any], side: str
) -> datetime | None:
    """When *record* changed last by somebody else's hand: our own writes never win by being newer."""
    rules = mirror.mapping.left if side == "left" else mirror.mapping.right
    version = pick(record, rules.version)
    if link is not None:
        known, kept, pending = (
            (link.left_version, link.left_moment, link.pending_left)
            if side == "left"
            else (link.right_version, link.right_moment, link.pending_right)
        )
        if known is not None and known == version:
            return kept
        if pending and all(pick(record, path) == value for path, value in pending.items()):
            return kept  # we were cut off between a write and the note of it
    return parse_moment(pick(record, moment_field(rules)))


def _undecorated(mirror: Mirror, record: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    bare = dict(record)
    for row in mirror.rows:
        if row.field.decoration:
            for path in row.left if side == "left" else row.right:
                if isinstance(bare.get(path), str):
                    bare[path] = audit.unmarked(bare[path])
    return bare


def plan_pair(
    mirror: Mirror,
    link: Link | None,
    left: Mapping[str, Any],
    right: Mapping[str, Any],
    *,
    now: datetime,
    mend: bool = False,
    extra_notes: tuple[str, ...] = (),
) -> PairPlan:
    """Merge a pair and say every field to be written. `mend`: the last sync of it had failed."""
    sight = sight_of(mirror, link, left, right)
    merged = merge(mirror, sight)
    to_left = tuple(w for d in merged.decisions if d.to == "left" for w in _left_writes(d, sight))
    to_right = tuple(
        w for d in merged.decisions if d.to == "right" for w in _right_writes(d, sight)
    )
    to_right += tuple(_computed(mirror, sight))
    notes = tuple(d.note for d in merged.decisions if d.note) + extra_notes
    first = tuple(w for d in merged.decisions for w in _first_writes(d, sight))
    plan = PairPlan(
        mirror=mirror,
        left=left,
        right=right,
        left_id=str(pick(left, mirror.left_key)),
        right_id=str(right.get("Id") or pick(right, "Id")),
        to_left=to_left,
        to_left_first=first,
        to_right=to_right,
        own=(),
        base_left=_base(mirror, merged, sight, "left"),
        base_right=_base(mirror, merged, sight, "right"),
        left_moment=sight.left_moment,
        right_moment=sight.right_moment,
        edits=merged.edits,
        notes=notes,
    )
    if to_left or to_right or notes or mend:
        return replace(plan, own=own_writes(mirror, right, _story(plan), good=True, now=now))
    return plan


def own_writes(
    mirror: Mirror, right: Mapping[str, Any], message: str, *, good: bool, now: datetime
) -> tuple[FieldWrite, ...]:
    """The audit line and the mark that tell a seller how the sync of *right* went."""
    trail = mirror.audit
    if trail is None:
        return ()
    place = mirror.mapping.place
    before = pick(right, trail.field)
    writes = [
        FieldWrite(
            field=trail.field,
            old=before,
            new=audit.with_line(before, message, at=now, limit=trail.max_length),
            rule=place,
            own=True,
            label="Audit",
        )
    ]
    if trail.mark and trail.show_marks:
        name = pick(right, trail.mark)
        wanted = audit.marked(name, audit.GOOD if good else audit.BAD)
        if name is not None and wanted != name:
            writes.append(
                FieldWrite(
                    field=trail.mark, old=name, new=wanted, rule=place, own=True, label="Name"
                )
            )
    return tuple(writes)


def compose(
    mirror: Mirror, record: Mapping[str, Any], *, to: str, also: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[FieldWrite, ...]]:
    """What a new record on side *to* gets from *record*: its body, and the same field by field.

    `also` is laid over what the mapping's rows give.
    """
    source = _undecorated(mirror, record, "right" if to == "left" else "left")
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
    if to == "right" and any("." in path for path in paths):
        return []  # a field of a related record: the flow makes that record
    value = values_of(row, source, "right" if to == "left" else "left")
    if row.table:
        return _translated(row, value, to)
    if is_blank(row.field, value) and not (row.field.type == "boolean" and row.field.latch):
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


def _left_writes(decision: Decision, sight: Sight) -> list[FieldWrite]:
    row = decision.row
    if row.table:
        news = dict(zip(row.left, decision.new, strict=True))
    else:
        news = {row.left[0]: to_wire_left(row.field, decision.new)}
    return [_field_write(path, pick(sight.left, path), new, decision) for path, new in news.items()]


def _first_writes(decision: Decision, sight: Sight) -> list[FieldWrite]:
    row = decision.row
    if decision.to != "left" or not decision.through:
        return []
    if tables.fits(decision.through, decision.old):
        return []
    state = tables.state_of(row.guard, decision.old)
    if state is None or not any(tables.fits(to, decision.through) for to in state.to):
        return []
    return [
        _field_write(path, pick(sight.left, path), new, decision)
        for path, new in zip(row.left, decision.through, strict=True)
    ]


def _right_writes(decision: Decision, sight: Sight) -> list[FieldWrite]:
    row = decision.row
    new = decision.new if row.table else to_wire_right(row.field, decision.new)
    return [_field_write(row.right[0], pick(sight.right, row.right[0]), new, decision)]


def _field_write(path: str, old: Any, new: Any, decision: Decision) -> FieldWrite:
    return FieldWrite(
        field=path,
        old=old,
        new=new,
        rule=decision.row.field.place,
        loses=plain(decision.loses),
        label=decision.row.label,
    )


def _computed(mirror: Mirror, sight: Sight) -> list[FieldWrite]:
    writes = []
    scope = {"env": mirror.env, "left": sight.left, "right": sight.right}
    for row in mirror.rows:
        if row.field.value is None or row.field.when == "create" or not row.right:
            continue
        value = evaluate(row.field.value, scope)
        old = pick(sight.right, row.right[0])
        if canonical(row.field, old) != canonical(row.field, value):
            writes.append(
                FieldWrite(
                    field=row.right[0], old=old, new=value, rule=row.field.place, label=row.label
                )
            )
    return writes


def _base(mirror: Mirror, merged: Merged, sight: Sight, side: str) -> dict[str, Any]:
    """What this side is taken to have agreed on, once the plan is done."""
    before = (sight.base_left if side == "left" else sight.base_right) or {}
    base: dict[str, Any] = {}
    for decision in merged.decisions:
        name = decision.row.field.id
        if decision.to == side:
            base[name] = plain(decision.new)
        elif decision.settled:
            record = sight.left if side == "left" else sight.right
            base[name] = plain(
                values_of(decision.row, record, "left" if side == "left" else "right")
            )
        elif name in before:
            base[name] = before[name]
    return base


def _story(plan: PairPlan) -> str:
    quiet = {row.label for row in plan.mirror.rows if _is_ours(plan.mirror, row)}
    sent = _by_label(plan.to_left)
    received = [
        (label, old, _with_state(plan, label, new))
        for label, old, new in _by_label(plan.to_right)
        if label not in quiet
    ]
    return audit.told(sent, received, plan.notes)


def _is_ours(mirror: Mirror, row: Row) -> bool:
    """Whether a row only keeps the books of the sync: the identifier, the link."""
    return row.field.value is not None or row.right == (mirror.right_key,)


def _with_state(plan: PairPlan, label: str, new: Any) -> Any:
    """A stage with the state it stands for: Closed Lost may be Lost, Declined or Expired."""
    row = plan.mirror.guarded()
    if row is None or row.label != label:
        return new
    return f"{new} ({'/'.join(str(word) for word in values_of(row, plan.left, 'left'))})"


def _by_label(writes: tuple[FieldWrite, ...]) -> list[tuple[str, Any, Any]]:
    """One entry per row: a row of several paths (status, substatus) is told as one."""
    grouped: dict[str, list[FieldWrite]] = {}
    for write in writes:
        grouped.setdefault(write.label, []).append(write)
    return [
        (
            label,
            *(
                (ws[0].old, ws[0].new)
                if len(ws) == 1
                else ([w.old for w in ws], [w.new for w in ws])
            ),
        )
        for label, ws in grouped.items()
    ]
