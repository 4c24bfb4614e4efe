"""Know our own hand: three nets that catch what we did ourselves, each saying why. Pure.

The *ledger* net: the record is as our last write left it, by its version or word for word. The
*origin* net: the user we act as changed it last, and every field says what we agreed on. The *hops*
net: a field that our own writes carried to and fro twice is paused, alone, until somebody says
something new. People may work under the user we act as, so the origin alone never hides a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from ..ledger.links import Link
from .decisions import Decision, Side, changed, values_of
from .mirror import Mirror, moment_field
from .records import pick
from .standing import PRINT, print_of
from .values import parse_moment, plain

OUR_USER = "our_user"  # the user we act as, in the notes of a link
TRAIL = "trail"  # what we wrote last, field by field, in the notes of a link
PAUSED = "paused"  # fields that wait for a person, in the notes of a link
MODIFIED_BY = "LastModifiedById"
_WINDOW = timedelta(days=1)  # flips farther apart than this are no loop
_HOPS = 4  # there and back, twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What a net caught, and why."""

    net: Literal["ledger", "origin", "hops"]
    side: Side
    why: str

    def __str__(self) -> str:
        return f"{self.net}: {self.why}"


def outdated(
    mirror: Mirror, link: Link | None, right: Mapping[str, Any]
) -> Literal["no", "yes", "perhaps"]:
    """Whether the right record was read before another run brought the pair in step.

    The base is newer than such a record: what that run wrote would pass for taken back by a seller.
    *perhaps*: it has the version that run left, and says something else. Either it was read in the
    same second just before, or edited in the same second just after.
    """
    if link is None or link.right_id != right.get("Id"):
        return "no"
    known = parse_moment(link.right_version)
    seen = parse_moment(pick(right, mirror.mapping.right.version))
    if known is None or seen is None or seen > known:
        return "no"
    if seen < known:
        return "yes"
    return "no" if as_left(mirror, link, right) else "perhaps"


def as_left(mirror: Mirror, link: Link, right: Mapping[str, Any]) -> bool:
    """Whether the right record says, field by field, what it said when we left it."""
    left = link.notes.get(PRINT)  # a link of an earlier cosell has none
    return left is None or left == print_of(mirror, right)


def caught(
    mirror: Mirror, link: Link | None, record: Mapping[str, Any], side: Side
) -> Caught | None:
    """Why the last change of *record* was our own, or None where it was somebody else's."""
    if link is None:
        return None
    rules = mirror.mapping.left if side == "left" else mirror.mapping.right
    known, pending = (
        (link.left_version, link.pending_left)
        if side == "left"
        else (link.right_version, link.pending_right)
    )
    same = known is not None and known == pick(record, rules.version)
    if same and (side == "left" or as_left(mirror, link, record)):
        return Caught(net="ledger", side=side, why=f"its {rules.version} is as we left it")
    if pending and all(_says(record, path, value) for path, value in pending.items()):
        return Caught(
            net="ledger", side=side, why="it says what a run that was cut off was writing"
        )
    ours = link.notes.get(OUR_USER)
    if side == "right" and ours and pick(record, MODIFIED_BY) == ours:
        base = link.base_right
        rows = [row for row in mirror.rows if row.field.id in base and row.right]
        if rows and not any(changed(row, base, values_of(row, record, "right")) for row in rows):
            return Caught(
                net="origin", side=side, why=f"our user {ours} changed it, nothing differs"
            )
    return None


def moment_of(
    mirror: Mirror, link: Link | None, record: Mapping[str, Any], side: Side
) -> tuple[datetime | None, Caught | None]:
    """When *record* changed last by somebody else's hand: our own writes never win by being newer."""
    rules = mirror.mapping.left if side == "left" else mirror.mapping.right
    own = caught(mirror, link, record, side)
    if own is not None and link is not None:
        return (link.left_moment if side == "left" else link.right_moment), own
    return parse_moment(pick(record, moment_field(rules))), None


def flipping(
    link: Link | None, decisions: Iterable[Decision], *, now: datetime
) -> dict[str, Caught]:
    """Rows whose next write would repeat, for the third time, what we wrote to and fro."""
    trail = _trail(link)
    found = {}
    for decision in decisions:
        if decision.to is None:
            continue
        before = [step for step in trail.get(decision.row.field.id, ()) if _is_recent(step, now)]
        last = [step[:2] for step in before[-_HOPS:]]
        following = [decision.to, plain(decision.new)]
        if len(last) == _HOPS and last[:2] == last[2:] and last[0] == following != last[1]:
            if last[0][0] == last[1][0]:
                continue  # one side changing its mind is no loop
            why = f"it was written to and fro {_HOPS} times and would be again"
            found[decision.row.field.id] = Caught(net="hops", side=decision.to, why=why)
    return found


def walked(
    link: Link | None, decisions: Iterable[Decision], *, now: datetime
) -> dict[str, list[Any]]:
    """The trail of what we wrote, with these decisions at its end."""
    trail = {name: list(steps) for name, steps in _trail(link).items()}
    for decision in decisions:
        if decision.to is not None:
            step = [decision.to, plain(decision.new), now.isoformat()]
            trail[decision.row.field.id] = [*trail.get(decision.row.field.id, []), step][-_HOPS:]
    return trail


def _trail(link: Link | None) -> Mapping[str, Sequence[Any]]:
    return (link.notes.get(TRAIL) if link else None) or {}


def _is_recent(step: Sequence[Any], now: datetime) -> bool:
    at = parse_moment(step[2])
    return at is not None and now - at <= _WINDOW


def _says(record: Mapping[str, Any], path: str, value: Any) -> bool:
    """Whether a record holds a value we wrote, each in the system's own spelling."""
    there = pick(record, path)
    if isinstance(there, str) and isinstance(value, str):
        if there.replace("\r\n", "\n").strip() == value.replace("\r\n", "\n").strip():
            return True
        return _moment(there) == _moment(value) is not None
    if isinstance(there, bool) or isinstance(value, bool):
        return there is value
    numbers = int | float | str | Decimal
    if isinstance(there, numbers) and isinstance(value, numbers):
        try:
            return Decimal(str(there)) == Decimal(str(value))
        except InvalidOperation:
            return False
    return bool(there == value)


def _moment(text: str) -> datetime | None:
    try:
        return parse_moment(text)
    except ValueError:
        return None
