"""Decide, field by field, what each side must learn from the other. Pure: no I/O, no clock.

Theory of operation. Three values meet per field: left, right, and the *base*, what both sides last
agreed on. Rule 1: where the two agree, nothing is written. Rule 2: one side moved away from its
base, so the other follows. Rule 3: both moved, so the field's `conflict` rule decides and the loser
is kept. Rule 4: a blank never overwrites (`blank: ignore`); it is filled again. Rule 5: what the
left side's state forbids is never sent (`guard`); what it puts off is held until the state moves.
A field that computes itself in Salesforce is never written there.
Rule 6: a field that flips back and forth is paused, alone, until one side says something new.
The base is kept per side, because two values may mean the same without being equal (any open stage
is *Active*).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import tables
from .decisions import (
    Decision,
    Edits,
    Merged,
    Side,
    Sight,
    ask,
    changed,
    edited,
    go,
    stay,
    values_of,
    winner,
)
from .mirror import Mirror, Row
from .translating import decide_by_table
from .values import canonical, is_blank, is_off, is_zero_or_blank, same

COMPUTES = "it computes itself in Salesforce"


def merge(mirror: Mirror, sight: Sight) -> Merged:
    """Decide every row of *mirror* for the pair in *sight*."""
    guarded = mirror.guarded()
    state = _decided(guarded, sight) if guarded else None
    edits = _edits(guarded, state, sight)
    decisions = []
    for row in mirror.rows:
        if row.field.when == "create" or row.field.value is not None or not row.left:
            continue
        decision = state if state and row is guarded else _decided(row, sight)
        decisions.append(_put_off(decision, edits, row is guarded))
    return Merged(decisions=tuple(decisions), edits=edits)


def _edits(guarded: Row | None, state: Decision | None, sight: Sight) -> Edits:
    if guarded is None or state is None:
        return "sent"
    now = values_of(guarded, sight.left, "left")
    row = tables.state_of(guarded.guard, now)
    moving = state.to == "left"
    return "sent" if row is None or (moving and row.edits == "held") else row.edits


def _put_off(decision: Decision, edits: Edits, is_state: bool) -> Decision:
    if decision.to != "left" or is_state or edits == "sent":
        return decision
    reason = (
        "the deal is on hold: edits are sent once it is accepted"
        if edits == "held"
        else "the referral is closed: nothing is sent any more"
    )
    return stay(decision.row, decision.old, reason, settled=edits == "frozen")


def _decided(row: Row, sight: Sight) -> Decision:
    """The decision for *row*, but for what the left side cannot take or what flips."""
    decision = _decide(row, sight)
    if decision.to is not None and row.field.id in sight.paused:
        return stay(row, decision.old, "paused: it flips back and forth", settled=False)
    if decision.to == "left" and row.left_fixed:
        told = edited(row, sight.base_right, decision.new)
        note = f"{row.label} cannot be changed in Partner Center any more; it stays as it was there"
        reason = f"{row.label} cannot be changed in Partner Center any more"
        return stay(row, decision.old, reason, note=note if told else None)
    if decision.to == "right" and row.right_computes:
        return _not_taken(row, sight, decision)
    return decision


def _not_taken(row: Row, sight: Sight, decision: Decision) -> Decision:
    """What Salesforce computes is not written there; what it came to meanwhile still goes out."""
    left, right = decision.new, decision.old
    if not row.table and edited(row, sight.base_right, right) and not _has_nothing(row, right):
        return go(row, "left", right, left, COMPUTES, loses=left)
    note = not_taken(row) if changed(row, sight.base_left, left) else None
    return stay(row, right, COMPUTES, note=note)


def not_taken(row: Row) -> str:
    """What a seller reads of a value that came for a field which computes itself."""
    return f"{row.label} computes itself in Salesforce; what Partner Center says was not written"


def _decide(row: Row, sight: Sight) -> Decision:
    left = values_of(row, sight.left, "left")
    right = values_of(row, sight.right, "right")
    if row.table:
        return decide_by_table(row, sight, left, right)
    if same(row.field, left, right):
        return stay(row, left, "both sides agree")
    if row.field.latch:
        return _decide_latch(row, sight, left, right)
    if row.field.direction != "both":
        return _decide_one_way(row, sight, left, right)
    if row.field.skip_when and (held := _skip(row, sight, left, right)):
        return held
    if row.field.blank == "ignore" and (is_blank(left) or is_blank(right)):
        to: Side = "left" if is_blank(left) else "right"
        new, old = (right, left) if to == "left" else (left, right)
        return go(row, to, new, old, "a blank never overwrites; it is filled again")
    return _decide_by_change(row, sight, left, right)


def _decide_by_change(row: Row, sight: Sight, left: Any, right: Any) -> Decision:
    left_changed = changed(row, sight.base_left, left)
    right_changed = changed(row, sight.base_right, right)
    if left_changed and not right_changed:
        return go(row, "right", left, right, "changed in Partner Center")
    if right_changed and not left_changed:
        return go(row, "left", right, left, "changed in Salesforce")
    if not left_changed:
        return stay(row, left, "they differ since an earlier sync left them so")
    wins = winner(row, sight, left, right)
    if wins is None:
        return ask(row, left)
    reason = f"both sides changed: {row.field.conflict} wins"
    if wins == "left":
        return go(row, "right", left, right, reason, loses=right)
    return go(row, "left", right, left, reason, loses=left)


def _decide_one_way(row: Row, sight: Sight, left: Any, right: Any) -> Decision:
    to: Side = "right" if row.field.direction == "left_to_right" else "left"
    new, old = (left, right) if to == "right" else (right, left)
    if is_blank(new) and row.field.blank == "ignore":
        return stay(row, old, "a blank never overwrites")
    if row.field.skip_when and _has_nothing(row, new):
        return stay(row, old, "no value: it does not travel")
    base = sight.base_right if to == "right" else sight.base_left
    loses = old if edited(row, base, old) else None
    return go(row, to, new, old, f"travels {row.field.direction.replace('_', ' ')} only",
              loses=loses)  # fmt: skip


def _decide_latch(row: Row, sight: Sight, left: Any, right: Any) -> Decision:
    """Once on, never off: the side that is off is put back."""
    if not is_off(left) and not is_off(right):
        return _decide_by_change(row, sight, left, right)
    if is_off(left):
        return go(row, "left", right, left, "once on, never off")
    was_on = edited(row, sight.base_right, right)
    note = f"{row.label} cannot be taken back once given; it was put back" if was_on else None
    return go(row, "right", left, right, "once on, never off", note=note)


def _skip(row: Row, sight: Sight, left: Any, right: Any) -> Decision | None:
    """While the seller's value is empty or 0 the field travels in neither direction."""
    note = f"{row.label} is empty or 0 and was not synced; it is, once it has a value"
    reason = "no value: it travels in neither direction"
    filled = "filled in: the other side has no value"
    if _has_nothing(row, right):
        if _has_nothing(row, left):
            return stay(row, right, reason)
        if changed(row, sight.base_left, left) and not _was_emptied(row, sight):
            return go(row, "right", left, right, filled)
        held = _once(row, sight.base_right, right, note) or _once(row, sight.base_left, left, note)
        return stay(row, right, reason, note=held)
    if not _has_nothing(row, left):
        return None
    if changed(row, sight.base_right, right):
        return go(row, "left", right, left, filled)
    return stay(row, left, reason, note=_once(row, sight.base_left, left, note))


def _was_emptied(row: Row, sight: Sight) -> bool:
    """Whether the seller took the value out: then only the seller puts one in again."""
    base = sight.base_left
    if base is None or row.field.id not in base:
        return False
    return not _has_nothing(row, canonical(row.field, base[row.field.id]))


def _once(row: Row, base: Mapping[str, Any] | None, value: Any, note: str) -> str | None:
    """*note* where the value was emptied since the last sync: it is said once."""
    return note if edited(row, base, value) else None


def _has_nothing(row: Row, value: Any) -> bool:
    if row.field.skip_when == "zero_or_blank":
        return is_zero_or_blank(value)
    return is_blank(value)


def mixed(merged: Merged) -> str | None:
    """A sentence where an amount came from one side and its currency from the other."""
    told = {
        decision.row.field.type: decision
        for decision in merged.decisions
        if decision.to is not None and decision.row.field.type in ("money", "currency")
    }
    amount, currency = told.get("money"), told.get("currency")
    if amount is None or currency is None or amount.to == currency.to:
        return None
    return (
        f"{amount.row.label} and {currency.row.label} were changed on different sides; "
        "please check the amount"
    )


__all__ = ["Decision", "Merged", "Sight", "merge", "mixed", "not_taken", "values_of"]
