"""Carry out what was planned for a pair: the writes, and what the ledger keeps of them.

Theory of operation. Before each write the ledger is told what is going to be written (`pending`),
after it which version it left behind. A run that is cut off anywhere in between leaves enough for
the next one to know its own hand, so that what we wrote never passes for somebody's newer edit.
The base moves at the very end: until then both sides have not agreed on anything new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cosell_definitions.problems import Place

from ..ledger.links import Link
from .echo import MODIFIED_BY, OUR_USER, moment_of
from .mirror import Mirror
from .pairs import PairPlan
from .records import pick
from .second_look import stands
from .sending import (
    Systems,
    read_record,
    update_left,
    update_other,
    update_right,
)
from .standing import PRINT, differing, print_of
from .writes import FieldWrite

PAUSED = "paused"  # the class of letters about fields that flip back and forth


async def apply(systems: Systems, plan: PairPlan) -> Any:
    """Write both sides of *plan*, Partner Center first, and keep the new base.

    Gives the version the left record has then. Raises ConnectorError of class `conflict` where a
    record moved since it was read: read and plan again.
    """
    left_version = pick(plan.left, plan.mirror.mapping.left.version)
    for writes in (plan.to_left_first, plan.to_left):
        if not writes:
            continue
        await _intend(systems, plan, left=writes)
        left_version = await update_left(
            systems, plan.mirror, plan.left, writes, version=left_version, right_id=plan.right_id
        )
        first = writes is plan.to_left_first
        await _wrote_left(systems, plan, left_version, plan.halfway if first else {})
    behind = await _write_right(systems, plan)
    if systems.planning:
        return left_version
    link = _in_step(await _known_link(systems, plan), plan)
    await systems.books.save(replace(
        link, left_version=left_version, right_version=behind.version, notes=behind.noted(link.notes),
    ))  # fmt: skip
    if not plan.paused:
        await systems.books.close_letters(
            plan.mirror.id, opportunity_id=plan.right_id, referral_id=plan.left_id
        )
    await _tell_paused(systems, plan)
    return left_version


async def apply_right(systems: Systems, plan: PairPlan) -> None:
    """Write the right side of *plan* alone: the record has no twin yet, and no link."""
    groups = _by_record(plan)
    own = groups.pop("", [])
    for relation, writes in groups.items():
        await _write_related(systems, plan, relation, writes, None)
    if own:
        await stands(systems, plan.mirror, plan.right, [write.field for write in own])
        await update_right(systems, plan.mirror, plan.right, own, None)


async def remember(systems: Systems, plan: PairPlan) -> None:
    """Keep the base of a pair that needed no write; nothing where it is as it was."""
    if systems.planning:
        return
    known = await _known_link(systems, plan)
    link = _in_step(known, plan)
    link = replace(
        link,
        left_version=pick(plan.left, plan.mirror.mapping.left.version),
        right_version=pick(plan.right, plan.mirror.mapping.right.version),
        notes={**link.notes, PRINT: print_of(plan.mirror, plan.right)},
    )
    if link != known or known.created_at is None:
        await systems.books.save(link)


def spelled(
    record: Mapping[str, Any], fields: Mapping[str, Any], *, loses: Mapping[str, Any], rule: Place
) -> list[FieldWrite]:
    """Fields that no row of a mapping carries (lists, people), with what they say now."""
    return [
        FieldWrite(field=path, old=pick(record, path), new=new, rule=rule, loses=loses.get(path))
        for path, new in fields.items()
    ]


async def write_left(
    systems: Systems, mirror: Mirror, record: Mapping[str, Any], writes: Sequence[FieldWrite]
) -> Any:
    """Write fields that no row carries into a left record, as our own hand; gives its version then."""
    left_id = str(pick(record, mirror.left_key))
    link = await systems.books.find(mirror.id, left_id=left_id)
    side = mirror.mapping.left
    if link is not None and not systems.planning:
        # The moment of the last change that was not ours is still that of the record as it was.
        link = await systems.books.save(replace(
            link, left_moment=moment_of(mirror, link, record, "left")[0], pending_left=_pending(writes),
        ))  # fmt: skip
    version = await update_left(
        systems, mirror, record, writes,
        version=pick(record, side.version), right_id=link.right_id if link else None,
    )  # fmt: skip
    if link is not None and not systems.planning:
        await systems.books.save(replace(link, left_version=version, pending_left=None))
    return version


async def write_related(
    systems: Systems,
    mirror: Mirror,
    name: str,
    record: Mapping[str, Any],
    writes: Sequence[FieldWrite],
    *,
    deal: Mapping[str, Any],
) -> None:
    """Write fields of a record of the right side that belongs to *deal*: a contact, a role."""
    left_id = pick(deal, mirror.right_key)
    await stands(systems, mirror, record, [write.field for write in writes], name=name)
    await update_other(
        systems, mirror, name, record, writes,
        left_id=str(left_id) if left_id else None, right_id=str(deal["Id"]),
    )  # fmt: skip


async def _intend(
    systems: Systems,
    plan: PairPlan,
    *,
    left: Sequence[FieldWrite] = (),
    right: Sequence[FieldWrite] = (),
) -> None:
    """Note what we are about to write; the moments of others' changes are kept with it."""
    if systems.planning:
        return
    known = await _known_link(systems, plan)
    await systems.books.save(
        replace(
            known,
            left_moment=plan.left_moment,
            right_moment=plan.right_moment,
            pending_left=_pending(left) if left else known.pending_left,
            pending_right=_pending(right) if right else known.pending_right,
        )
    )


def _pending(writes: Sequence[FieldWrite]) -> dict[str, Any]:
    said = {write.field: write.new for write in writes if not write.own}
    return said or {write.field: write.new for write in writes}


async def _wrote_left(
    systems: Systems, plan: PairPlan, version: Any, halfway: Mapping[str, Any]
) -> None:
    """Keep the version. A state on the way is our doing, too: it is no move of the other side."""
    if systems.planning:
        return
    known = await _known_link(systems, plan)
    base = {**known.base_left, **halfway}
    await systems.books.save(
        replace(known, left_version=version, pending_left=None, base_left=base)
    )


async def _write_right(systems: Systems, plan: PairPlan) -> LeftBehind:
    """Write the right side: the related records (Account.BillingCountry), then its own."""
    side = plan.mirror.mapping.right
    as_it_is = LeftBehind(
        version=pick(plan.right, side.version), print=print_of(plan.mirror, plan.right)
    )
    groups = _by_record(plan)
    own = groups.pop("", [])
    for relation, writes in groups.items():
        await _write_related(systems, plan, relation, writes, plan.left_id)
    if not own:
        return as_it_is
    await stands(systems, plan.mirror, plan.right, [write.field for write in own])
    await _intend(systems, plan, right=own)
    await update_right(systems, plan.mirror, plan.right, own, plan.left_id)
    if systems.planning:
        return as_it_is
    return await left_behind(systems, plan.mirror, plan.right, own)


async def _write_related(
    systems: Systems,
    plan: PairPlan,
    relation: str,
    writes: Sequence[FieldWrite],
    left_id: str | None,
) -> None:
    """Change fields of a record that the right record leads to (Account)."""
    related = pick(plan.right, relation) or {}
    record_id = related.get("Id") or plan.right.get(f"{relation}Id")
    if not record_id:
        return
    other = {**related, "Id": record_id}
    bare = [replace(write, field=write.field.rpartition(".")[2]) for write in writes]
    await stands(systems, plan.mirror, other, [write.field for write in bare], name=relation)
    await update_other(
        systems, plan.mirror, relation, other, bare, left_id=left_id, right_id=plan.right_id
    )


def _by_record(plan: PairPlan) -> dict[str, list[FieldWrite]]:
    """What the right side gets, by the relation that leads to the record; its own under ''."""
    groups: dict[str, list[FieldWrite]] = {}
    for write in (*plan.to_right, *plan.own):
        groups.setdefault(write.field.rpartition(".")[0], []).append(write)
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """How our own hand left a right record. No version: somebody changed it right after us."""

    version: Any
    print: str
    user: str | None = None  # whom we act as, where the record tells

    def noted(self, notes: Mapping[str, Any]) -> dict[str, Any]:
        """*notes* of a link, with this among them."""
        return {**notes, PRINT: self.print, **({OUR_USER: self.user} if self.user else {})}


async def left_behind(
    systems: Systems, mirror: Mirror, before: Mapping[str, Any], writes: Sequence[FieldWrite]
) -> LeftBehind:
    """How *writes* left a record that was as *before*.

    Salesforce answers an update with nothing, so it is asked. What it says then may be somebody
    else's doing already; such a version is not ours.
    """
    side = mirror.mapping.right
    untouched = {name for name in mirror.right_fields() if "." not in name and name in before}
    untouched -= {write.field for write in writes}
    names = [side.version, *([MODIFIED_BY] if MODIFIED_BY in before else []), *mirror.own_fields()]
    fresh = await read_record(systems, mirror, str(before["Id"]), list(dict.fromkeys(names)))
    somebody = differing(before, fresh, untouched)
    ours = pick(fresh, MODIFIED_BY)
    return LeftBehind(
        version=None if somebody else pick(fresh, side.version),
        print=print_of(mirror, fresh),
        user=str(ours) if ours and not somebody else None,
    )


async def _known_link(systems: Systems, plan: PairPlan) -> Link:
    known = await systems.books.find(plan.mirror.id, left_id=plan.left_id)
    return known or Link(mapping=plan.mirror.id, left_id=plan.left_id, right_id=plan.right_id)


def _in_step(known: Link, plan: PairPlan) -> Link:
    """The link as it is once both sides of *plan* agree."""
    return replace(
        known,
        right_id=plan.right_id,
        base_left=plan.base_left,
        base_right=plan.base_right,
        left_moment=plan.left_moment,
        right_moment=plan.right_moment,
        pending_left=None,
        pending_right=None,
        state="closed" if plan.edits == "frozen" else "active",
        notes={**known.notes, **plan.keeps},
    )


async def _tell_paused(systems: Systems, plan: PairPlan) -> None:
    if not plan.newly_paused:
        return
    await systems.books.write_letter(
        plan.mirror.id,
        flow="",
        error_class=PAUSED,
        message=". ".join(plan.newly_paused),
        hint="the other fields go on; see `cosell records show` for who wrote what",
        opportunity_id=plan.right_id,
        referral_id=plan.left_id,
    )
