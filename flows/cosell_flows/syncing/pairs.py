"""Plan a pair of records: what is known of it, what the merge says, and the fields each side gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..compiling.expressions import evaluate
from ..ledger.links import Link
from . import audit, tables
from .decisions import Decision, Merged, Sight, values_of
from .echo import PAUSED, TRAIL, Caught, caught, flipping, moment_of, walked
from .merge import merge, mixed
from .mirror import Mirror, Row
from .records import pick
from .speaking import ENGLISH, words
from .values import (
    canonical,
    fitted,
    parse_moment,
    plain,
    to_wire_left,
    to_wire_right,
)
from .writes import FieldWrite

STATE_REASON = "statusReason"  # free text of whoever closed a referral


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
    echoes: tuple[Caught, ...] = ()  # which nets caught our own hand, and why
    paused: tuple[str, ...] = ()  # labels of fields that flip back and forth
    newly_paused: tuple[str, ...] = ()  # the sentences about those that were not told of yet
    keeps: Mapping[str, Any] = field(default_factory=dict)  # for the notes of the link
    halfway: Mapping[str, Any] = field(default_factory=dict)  # the base left after the first writes

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
        left=undecorated(mirror, left, "left"),
        right=undecorated(mirror, right, "right"),
        base_left=link.base_left if link and link.base_left else None,
        base_right=link.base_right if link and link.base_right else None,
        left_moment=moment_of(mirror, link, left, "left")[0],
        right_moment=moment_of(mirror, link, right, "right")[0],
        moments=stamps,
    )


def undecorated(mirror: Mirror, record: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    """A record without our marks: they are never sent, compared or read back."""
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
    loops = flipping(link, merged.decisions, now=now)
    if loops:
        merged = merge(mirror, replace(sight, paused=frozenset(loops)))
    to_left = tuple(w for d in merged.decisions if d.to == "left" for w in _left_writes(d, sight))
    to_right = tuple(
        w for d in merged.decisions if d.to == "right" for w in _right_writes(d, sight)
    )
    to_right += tuple(_computed(mirror, sight, is_new=link is None))
    amounts = mixed(merged)
    notes = tuple(d.note for d in merged.decisions if d.note) + extra_notes
    notes += (amounts,) if amounts else ()
    pauses = _pauses(mirror, link, loops)
    notes += pauses
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
        echoes=(*_own_hand(mirror, link, left, right), *loops.values()),
        paused=tuple(row.label for row in mirror.rows if row.field.id in loops),
        newly_paused=pauses,
        keeps=_keeps(link, merged, loops, now),
        halfway={
            d.row.field.id: plain(d.through) for d in merged.decisions if _first_writes(d, sight)
        },
    )
    if not (to_left or to_right or notes or mend):
        return plan
    story = _story(plan)
    if not (to_left or to_right or mend) and _was_told(mirror, right, story):
        return plan
    return replace(plan, own=own_writes(mirror, right, story, good=True, now=now))


def _own_hand(
    mirror: Mirror, link: Link | None, left: Mapping[str, Any], right: Mapping[str, Any]
) -> tuple[Caught, ...]:
    nets = (caught(mirror, link, left, "left"), caught(mirror, link, right, "right"))
    return tuple(one for one in nets if one is not None)


def _pauses(mirror: Mirror, link: Link | None, loops: Mapping[str, Caught]) -> tuple[str, ...]:
    told = (link.notes.get(PAUSED) if link else None) or ()
    return tuple(
        f"{row.label} goes back and forth between the two sides and is paused; "
        "make both sides the same, or give it another value"
        for row in mirror.rows
        if row.field.id in loops and row.field.id not in told
    )


def _keeps(
    link: Link | None, merged: Merged, loops: Mapping[str, Caught], now: datetime
) -> dict[str, Any]:
    """What the link is to remember of this plan: the trail of our writes, and what is paused."""
    before = dict(link.notes) if link else {}
    trail = walked(link, merged.decisions, now=now)
    kept: dict[str, Any] = {TRAIL: trail} if trail else {}
    if loops or before.get(PAUSED):
        kept[PAUSED] = sorted(loops)
    return kept


def _was_told(mirror: Mirror, right: Mapping[str, Any], story: str) -> bool:
    """Whether the newest line of the trail says just this: it is not said again."""
    trail = mirror.audit
    return trail is not None and audit.last_message(pick(right, trail.field)) == " ".join(
        story.split()
    )


def spoken(mirror: Mirror, message: str) -> str:
    """*message* in the language of the mapping's audit."""
    return words(mirror.audit.language).say(message) if mirror.audit else message


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


def _computed(mirror: Mirror, sight: Sight, *, is_new: bool) -> list[FieldWrite]:
    # A record that gets its twin now, and was made by somebody else, gets what ours are made with.
    writes = []
    scope = {"env": mirror.env, "left": sight.left, "right": sight.right}
    for row in mirror.rows:
        if row.field.value is None or not row.right:
            continue
        if row.field.when == "create" and not is_new:
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
            new = decision.new
            if side == "right" and not decision.row.table:
                new = fitted(decision.row.field, new)
            base[name] = plain(new)
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
    trail = plan.mirror.audit
    language = trail.language if trail else ENGLISH
    notes = (*plan.notes, *_reason_of_closing(plan, received))
    return audit.told(sent, received, notes, language=language)


def _reason_of_closing(plan: PairPlan, received: list[tuple[str, Any, Any]]) -> tuple[str, ...]:
    """Why the referral was closed, in the words of whoever closed it, where they gave any."""
    row = plan.mirror.guarded()
    given = " ".join(str(pick(plan.left, STATE_REASON) or "").split())
    closed = row is not None and any(label == row.label for label, _, _ in received)
    if not (given and closed and plan.edits == "frozen"):
        return ()
    return (f"The reason given in Partner Center: {given[:255]}",)


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
