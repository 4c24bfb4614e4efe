"""What a merge works on and comes to: the sight of a pair, and a decision per row. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .mirror import Row
from .records import pick
from .values import canonical, plain

Side = Literal["left", "right"]
Edits = Literal["sent", "held", "frozen"]


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
    paused: frozenset[str] = frozenset()  # rows that flipped back and forth, and wait for a person


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
    edits: Edits = "sent"


def values_of(row: Row, record: Mapping[str, Any], side: Side) -> Any:
    """The canonical value of a row on one side; rows with a table keep each side's own words."""
    paths = row.left if side == "left" else row.right
    raw = [pick(record, path) for path in paths]
    if row.table:
        words = tuple(None if value == "" else value for value in raw)
        return words if side == "left" else words[0]
    return canonical(row.field, raw[0]) if raw else None


def changed(row: Row, base: Mapping[str, Any] | None, value: Any) -> bool:
    """Whether a side moved away from what both last agreed on."""
    if base is None or row.field.id not in base:
        return True
    return bool(base[row.field.id] != plain(value))


def edited(row: Row, base: Mapping[str, Any] | None, value: Any) -> bool:
    """Whether somebody changed a value that both sides had agreed on before."""
    return base is not None and row.field.id in base and changed(row, base, value)


def winner(row: Row, sight: Sight, left: Any, right: Any) -> Side | None:
    """Whose value counts where both sides changed, or None where a person decides."""
    match row.field.conflict:
        case "left" | "right" as side:
            return side
        case "max" if not row.table:
            if left is None or right is None:
                return "right" if left is None else "left"
            return "left" if left > right else "right"
        case "ask":
            return None
        case _:
            theirs, ours = sight.left_moment, _right_moment(row, sight)
            if theirs is None or ours is None:
                return "right" if theirs is None else "left"
            return "left" if theirs > ours else "right"


def _right_moment(row: Row, sight: Sight) -> datetime | None:
    # A field of a related record (Account.BillingCountry) has that record's moment: its last change
    # by anybody, so that a newer edit never loses, though an older one may win.
    head, dot, _ = row.right[0].partition(".")
    return sight.moments.get(head, sight.right_moment) if dot else sight.right_moment


def stay(
    row: Row, value: Any, reason: str, *, note: str | None = None, settled: bool = True
) -> Decision:
    """Write nothing."""
    return Decision(
        row=row, to=None, old=value, new=value, reason=reason, note=note, settled=settled
    )


def go(
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
    """Write *new* over *old* on side *to*."""
    return Decision(
        row=row, to=to, old=old, new=new, loses=loses, reason=reason, note=note, through=through
    )


def ask(row: Row, value: Any) -> Decision:
    """Leave both sides as they are until a person decides."""
    return stay(
        row,
        value,
        "both sides changed: a person decides",
        settled=False,
        note=f"{row.label} was changed on both sides; make both the same to decide which counts",
    )
