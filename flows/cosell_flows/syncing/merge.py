"""Decide, field by field, what each side must learn from the other. Pure: no I/O, no clock.

Theory of operation. Three values meet per field: left, right, and the *base*, what both sides last
agreed on. Rule 1: where the two agree, nothing is written. Rule 2: one side moved away from its
base, so the other follows. Rule 3: both moved, so the field's `conflict` rule decides and the loser
is kept. Rule 4: a blank never overwrites (`blank: ignore`); it is filled again. Rule 5: what the
left side's state forbids is never sent (`guard`); what it puts off is held until the state moves.
The base is kept per side, because two values may mean the same without being equal (any open stage
is *Active*).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from . import tables
from .errors import NoTranslation
from .mirror import Mirror, Row
from .records import pick
from .values import canonical, is_blank, is_zero_or_blank, plain

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of a pair when it is merged. Moments: the last change that was not ours."""

    left: Mapping[str, Any]
    right: Mapping[str, Any]
    base_left: Mapping[str, Any] | None = None  # None: the pair was never in step before
    base_right: Mapping[str, Any] | None = None
    left_moment: datetime | None = None
    right_moment: datetime | None = None
    moments: Mapping[str, datetime] = field(default_factory=dict)  # right path prefix -> its moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to happen with one field. `to` None: nothing is written."""

    row: Row
    to: Side | None
    old: Any
    new: Any
    loses: Any = None
    reason: str = ""
    note: str | None = None  # what a seller should read about it
    settled: bool = True  # False: the base stays, so that the difference is seen again
    through: tuple[Any, ...] = ()  # a left state that must be written first


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The outcome for a pair: a decision per row, and whether the right side's edits are put off."""

    decisions: tuple[Decision, ...]
    edits: Literal["sent", "held", "frozen"] = "sent"


def values_of(row: Row, record: Mapping[str, Any], side: Side) -> Any:
    """The canonical value of a row on one side; rows with a table keep each side's own words."""
    paths = row.left if side == "left" else row.right
    raw = [pick(record, path) for path in paths]
    if row.table:
        words = tuple(None if value == "" else value for value in raw)
        return words if side == "left" else words[0]
    return canonical(row.field, raw[0]) if raw else None


def merge(mirror: Mirror, sight: Sight) -> Merged:
    """Decide every row of *mirror* for the pair in *sight*."""
    guarded = mirror.guarded()
    state = _decide(guarded, sight) if guarded else None
    edits = _edits(guarded, state, sight)
    decisions = []
    for row in mirror.rows:
        if row.field.when == "create" or row.field.value is not None or not row.left:
            continue
        decision = state if state and row is guarded else _decide(row, sight)
        decisions.append(_put_off(decision, edits, row is guarded))
    return Merged(decisions=tuple(decisions), edits=edits)


def _edits(
    guarded: Row | None, state: Decision | None, sight: Sight
) -> Literal["sent", "held", "frozen"]:
    if guarded is None or state is None:
        return "sent"
    now = values_of(guarded, sight.left, "left")
    row = tables.state_of(guarded.guard, now)
    moving = state.to == "left"
    return "sent" if row is None or (moving and row.edits == "held") else row.edits


def _put_off(decision: Decision, edits: str, is_state: bool) -> Decision:
    if decision.to != "left" or is_state or edits == "sent":
        return decision
    reason = (
        "the deal is on hold: edits are sent once it is accepted"
        if edits == "held"
        else "the referral is closed: nothing is sent any more"
    )
    return Decision(
        row=decision.row, to=None, old=decision.old, new=decision.old, reason=reason,
        settled=edits == "frozen",
    )  # fmt: skip


def _decide(row: Row, sight: Sight) -> Decision:
    left = values_of(row, sight.left, "left")
    right = values_of(row, sight.right, "right")
    if row.table:
        return _decide_table(row, sight, left, right)
    if left == right:
        return _stay(row, left, "both sides agree")
    if row.field.latch:
        return _decide_latch(row, sight, left, right)
    if row.field.direction != "both":
        return _decide_one_way(row, left, right)
    if row.field.skip_when and (held := _skip(row, sight, left, right)):
        return held
    if row.field.blank == "ignore" and (is_blank(row.field, left) or is_blank(row.field, right)):
        return _fill(row, left, right)
    return _decide_by_change(row, sight, left, right)


def _decide_by_change(row: Row, sight: Sight, left: Any, right: Any) -> Decision:
    left_changed = _changed(row, sight.base_left, left)
    right_changed = _changed(row, sight.base_right, right)
    if left_changed and not right_changed:
        return _go(row, "right", left, right, "changed in Partner Center")
    if right_changed and not left_changed:
        return _go(row, "left", right, left, "changed in Salesforce")
    if not left_changed:
        return _stay(row, left, "they differ since an earlier sync left them so")
    winner = _winner(row, sight, left, right)
    if winner is None:
        return _stay(row, left, "both sides changed: a person decides", settled=False,
                     note=f"{row.label} was changed on both sides; decide which counts")  # fmt: skip
    if winner == "left":
        return _go(row, "right", left, right, _conflict_reason(row), loses=right)
    return _go(row, "left", right, left, _conflict_reason(row), loses=left)


def _winner(row: Row, sight: Sight, left: Any, right: Any) -> Side | None:
    match row.field.conflict:
        case "left" | "right" as side:
            return side
        case "max":
            return "left" if left > right else "right"
        case "ask":
            return None
        case "newest":
            ours = _right_moment(row, sight)
            theirs = sight.left_moment
            if theirs is None or ours is None:
                return "right" if theirs is None else "left"
            return "left" if theirs > ours else "right"


def _right_moment(row: Row, sight: Sight) -> datetime | None:
    # A field of a related record (Account.BillingCountry) has that record's moment.
    head, dot, _ = row.right[0].partition(".")
    return sight.moments.get(head, sight.right_moment) if dot else sight.right_moment


def _conflict_reason(row: Row) -> str:
    return f"both sides changed: {row.field.conflict} wins"


def _decide_one_way(row: Row, left: Any, right: Any) -> Decision:
    to: Side = "right" if row.field.direction == "left_to_right" else "left"
    new, old = (left, right) if to == "right" else (right, left)
    if is_blank(row.field, new) and row.field.blank == "ignore":
        return _stay(row, old, "a blank never overwrites")
    return _go(row, to, new, old, f"travels {row.field.direction.replace('_', ' ')} only")


def _decide_latch(row: Row, sight: Sight, left: Any, right: Any) -> Decision:
    """Once on, never off: the side that is off is put back."""
    if not is_blank(row.field, left) and not is_blank(row.field, right):
        return _decide_by_change(row, sight, left, right)
    if is_blank(row.field, left):
        return _go(row, "left", right, left, "once on, never off")
    was_on = sight.base_right is not None and not _changed(row, sight.base_right, left)
    note = f"{row.label} cannot be taken back once given; it was put back" if was_on else None
    return _go(row, "right", left, right, "once on, never off", note=note)


def _skip(row: Row, sight: Sight, left: Any, right: Any) -> Decision | None:
    zero = is_zero_or_blank if row.field.skip_when == "zero_or_blank" else _is_none
    note = f"{row.label} is empty or 0 and was not synced; it is, once it has a value"
    if zero(right):
        told = _changed(row, sight.base_right, right) or sight.base_right is None
        return _stay(row, right, "no value: it travels in neither direction",
                     note=note if told and not (zero(left) and zero(right)) else None)  # fmt: skip
    if not zero(left):
        return None
    was_emptied = sight.base_left is not None and _changed(row, sight.base_left, left)
    if was_emptied and not _changed(row, sight.base_right, right):
        return _stay(row, left, "no value: it travels in neither direction", note=note)
    return _go(row, "left", right, left, "filled in: the other side has no value")


def _fill(row: Row, left: Any, right: Any) -> Decision:
    if is_blank(row.field, left):
        return _go(row, "left", right, left, "a blank never overwrites; it is filled again")
    return _go(row, "right", left, right, "a blank never overwrites; it is filled again")


def _decide_table(row: Row, sight: Sight, left: tuple[Any, ...], right: Any) -> Decision:
    if tables.agree(row.table, left, right):
        return _stay(row, left, "both sides agree")
    there = tables.to_right(row.table, left)
    back = tables.to_left(row.table, right, now=left)
    if row.field.latch:
        return _table_latch(row, sight, left, right, there, back)
    left_changed = _changed(row, sight.base_left, left)
    right_changed = _changed(row, sight.base_right, right)
    allowed = back is not None and (
        not row.guard or tables.may_go(row.guard, left, _target(back, left))
    )
    if right_changed and not left_changed and back is None:
        raise NoTranslation(row.field, right)
    if right_changed and allowed and (not left_changed or _newest(row, sight) == "right"):
        assert back is not None
        return _go(row, "left", _target(back, left), left, "changed in Salesforce",
                   loses=left if left_changed and sight.base_left is not None else None,
                   through=back.through)  # fmt: skip
    if left_changed or not allowed:
        return _to_right_by_table(row, sight, left, right, there)
    return _stay(row, left, "they differ since an earlier sync left them so")


def _to_right_by_table(row: Row, sight: Sight, left: Any, right: Any, there: Any) -> Decision:
    state = tables.state_of(row.guard, left) if row.guard else None
    left_changed = _changed(row, sight.base_left, left)
    right_changed = _changed(row, sight.base_right, right)
    if state and state.edits == "frozen" and not left_changed:
        return _stay(row, left, "the referral is closed: nothing is sent any more")
    if not left_changed and not right_changed:
        return _stay(row, left, "they differ since an earlier sync left them so")
    if there is None:
        raise NoTranslation(row.field, left)
    note = None
    if right_changed and not left_changed and sight.base_right is not None:
        note = f"{row.label} cannot go back to {right!r}; it was put back to {there.right!r}"
    loses = right if right_changed and sight.base_right is not None else None
    return _go(
        row, "right", there.right, right, "changed in Partner Center", loses=loses, note=note
    )


def _table_latch(row: Row, sight: Sight, left: Any, right: Any, there: Any, back: Any) -> Decision:
    """Help once asked for stays asked for; Partner Center has no path to change it."""
    left_blank = there is not None and there.right is None
    if right is None and not left_blank:
        if there is None:
            raise NoTranslation(row.field, left)
        note = None
        if sight.base_right is not None and not _changed(row, sight.base_right, there.right):
            note = f"{row.label} cannot be taken back once given; it was put back"
        return _go(row, "right", there.right, right, "once on, never off", note=note)
    if back is None:
        raise NoTranslation(row.field, right)
    return _go(row, "left", _target(back, left), left, "changed in Salesforce")


def _target(row: Any, now: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        current if want == tables.ANY and tables.fits(row.left, now) else want
        for want, current in zip(row.left, now, strict=True)
    )


def _newest(row: Row, sight: Sight) -> Side:
    if row.field.conflict in ("left", "right"):
        return row.field.conflict
    if sight.left_moment is None or sight.right_moment is None:
        return "right" if sight.left_moment is None else "left"
    return "left" if sight.left_moment > sight.right_moment else "right"


def _changed(row: Row, base: Mapping[str, Any] | None, value: Any) -> bool:
    if base is None or row.field.id not in base:
        return True
    return bool(base[row.field.id] != plain(value))


def _is_none(value: Any) -> bool:
    return value is None


def _stay(
    row: Row, value: Any, reason: str, *, note: str | None = None, settled: bool = True
) -> Decision:
    return Decision(
        row=row, to=None, old=value, new=value, reason=reason, note=note, settled=settled
    )


def _go(
    row: Row,
    to: Side,
    new: Any,
    old: Any,
    reason: str,
    *,
    loses: Any = None,
    note: str | None = None,
    through: tuple[Any, ...] = (),
) -> Decision:
    if to == "left" and row.left_fixed:
        return _stay(row, old, f"{row.label} cannot be changed in Partner Center any more")
    return Decision(
        row=row, to=to, old=old, new=new, loses=loses, reason=reason, note=note, through=through
    )
