"""Decide a row with a table: states that follow one another, and words that mean the same. Pure."""

from __future__ import annotations

from typing import Any

from cosell_definitions.model_mappings import TableRow

from . import tables
from .decisions import Decision, Sight, ask, changed, edited, go, stay, winner
from .errors import NoTranslation
from .mirror import Row

Words = tuple[Any, ...]


def decide_by_table(row: Row, sight: Sight, left: Words, right: Any) -> Decision:
    """What is to happen with a row whose values a table translates."""
    if tables.agree(row.table, left, right):
        return stay(row, left, "both sides agree")
    there = tables.to_right(row.table, left)
    back = tables.to_left(row.table, right, now=left)
    if row.field.latch:
        return _latch(row, sight, left, right, there, back)
    if row.field.direction != "both":
        return _one_way(row, sight, left, right, there, back)
    if row.field.blank == "ignore" and not row.guard:
        if right is None and there is not None and there.right is not None:
            return go(row, "right", there.right, right, "a blank never overwrites")
        if back is not None and all(word is None for word in left):
            return go(row, "left", target(back, left), left, "a blank never overwrites")
    return _both_ways(row, sight, left, right, there, back)


def _both_ways(
    row: Row, sight: Sight, left: Words, right: Any, there: TableRow | None, back: TableRow | None
) -> Decision:
    left_changed = changed(row, sight.base_left, left)
    right_changed = changed(row, sight.base_right, right)
    if right_changed and not left_changed and back is None:
        raise NoTranslation(row.field, right)
    allowed = back is not None and (
        not row.guard or tables.may_go(row.guard, left, target(back, left))
    )
    wins = winner(row, sight, left, right)
    if left_changed and right_changed and allowed and wins is None:
        return ask(row, left)
    if right_changed and allowed and (not left_changed or wins == "right"):
        assert back is not None
        return go(
            row, "left", target(back, left), left, "changed in Salesforce",
            loses=left if left_changed and sight.base_left is not None else None,
            through=back.through,
        )  # fmt: skip
    if left_changed or not allowed:
        return _to_right(row, sight, left, right, there)
    return stay(row, left, "they differ since an earlier sync left them so")


def _to_right(row: Row, sight: Sight, left: Words, right: Any, there: TableRow | None) -> Decision:
    """Let the left state count: because it changed, or because the right may not go where it went."""
    state = tables.state_of(row.guard, left) if row.guard else None
    left_changed = changed(row, sight.base_left, left)
    right_changed = changed(row, sight.base_right, right)
    if state and state.edits == "frozen" and not left_changed:
        return stay(row, left, "the referral is closed: nothing is sent any more")
    if not left_changed and not right_changed:
        return stay(row, left, "they differ since an earlier sync left them so")
    if there is None:
        raise NoTranslation(row.field, left)
    new = there.right
    note = None
    if not left_changed and edited(row, sight.base_right, right):
        before = (sight.base_right or {})[row.field.id]
        if tables.agree(row.table, left, before):
            new = before  # any open stage is Active: the one it had is the one it gets back
        note = f"{row.label} cannot go back to {right}; it was put back to {new}"
    loses = right if edited(row, sight.base_right, right) else None
    return go(row, "right", new, right, "changed in Partner Center", loses=loses, note=note)


def _one_way(
    row: Row, sight: Sight, left: Words, right: Any, there: TableRow | None, back: TableRow | None
) -> Decision:
    reason = f"travels {row.field.direction.replace('_', ' ')} only"
    if row.field.direction == "left_to_right":
        if there is None:
            raise NoTranslation(row.field, left)
        if there.right is None and row.field.blank == "ignore":
            return stay(row, left, "a blank never overwrites")
        loses = right if edited(row, sight.base_right, right) else None
        return go(row, "right", there.right, right, reason, loses=loses)
    if right is None and row.field.blank == "ignore":
        return stay(row, left, "a blank never overwrites")
    if back is None:
        raise NoTranslation(row.field, right)
    loses = left if edited(row, sight.base_left, left) else None
    return go(row, "left", target(back, left), left, reason, loses=loses)


def _latch(
    row: Row, sight: Sight, left: Words, right: Any, there: TableRow | None, back: TableRow | None
) -> Decision:
    """Help once asked for stays asked for; Partner Center has no path to change it."""
    left_off = there is not None and there.right is None
    if left_off:
        if back is None:
            raise NoTranslation(row.field, right)
        if row.left_fixed:
            return stay(row, right, f"{row.label} is asked for when the deal becomes a co-sell")
        return go(row, "left", target(back, left), left, "changed in Salesforce")
    if there is None:
        raise NoTranslation(row.field, left)
    if right is None:
        note = None
        if edited(row, sight.base_right, right):
            note = f"{row.label} cannot be taken back once given; it was put back"
        return go(row, "right", there.right, right, "once on, never off", note=note)
    if row.left_fixed:
        note = f"{row.label} cannot be changed once given; it was put back to {there.right}"
        loses = right if edited(row, sight.base_right, right) else None
        return go(row, "right", there.right, right, "fixed since it was given", loses=loses,
                  note=note)  # fmt: skip
    if back is None:
        raise NoTranslation(row.field, right)
    return go(row, "left", target(back, left), left, "changed in Salesforce")


def target(row: TableRow, now: Words) -> Words:
    """The left words of a table's row; `*` stands for what is there now."""
    return tuple(
        current if want == tables.ANY and tables.fits(row.left, now) else want
        for want, current in zip(row.left, now, strict=True)
    )
