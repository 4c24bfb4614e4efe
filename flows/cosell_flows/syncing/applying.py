"""Carry out what was planned for a pair: the writes, and what the ledger keeps of them.

Theory of operation. Before each write the ledger is told what is going to be written (`pending`),
after it which version it left behind. A run that is cut off anywhere in between leaves enough for
the next one to know its own hand, so that what we wrote never passes for somebody's newer edit.
The base moves at the very end: until then both sides have not agreed on anything new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..ledger.links import Link
from .echo import MODIFIED_BY, OUR_USER, moment_of
from .mirror import Mirror
from .pairs import PairPlan
from .records import pick
from .sending import Systems, read_record, update_left, update_related, update_right
from .writes import FieldWrite

PAUSED = "paused"  # the class of letters about fields that flip back and forth


async def apply(systems: Systems, plan: PairPlan) -> None:
    """Write both sides of *plan*, Partner Center first, and keep the new base.

    Raises ConnectorError of class `conflict` where a record moved since it was read: read and plan
    again.
    """
    left_version = pick(plan.left, plan.mirror.mapping.left.version)
    for writes in (plan.to_left_first, plan.to_left):
        if not writes:
            continue
        await _intend(systems, plan, left=writes)
        left_version = await update_left(
            systems, plan.mirror, plan.left, writes, version=left_version, right_id=plan.right_id
        )
        await _wrote_left(systems, plan, left_version)
    right_version, ours = await _write_right(systems, plan)
    if systems.planning:
        return
    link = await _link(systems, plan)
    notes = {**link.notes, **({OUR_USER: ours} if ours else {})}
    await systems.ledger.links.save(
        replace(link, left_version=left_version, right_version=right_version, notes=notes)
    )
    if not plan.paused:
        await systems.ledger.letters.close(plan.mirror.id, opportunity_id=plan.right_id)
    await _tell_paused(systems, plan)


async def apply_right(systems: Systems, plan: PairPlan) -> None:
    """Write the right side of *plan* alone: the record has no twin yet, and no link."""
    groups = _by_record(plan)
    own = groups.pop("", [])
    for relation, writes in groups.items():
        await update_related(systems, plan.mirror, plan.right, relation, writes, None)
    if own:
        await update_right(systems, plan.mirror, plan.right, own, None)


async def remember(systems: Systems, plan: PairPlan) -> None:
    """Keep the base of a pair that needed no write; nothing where it is as it was."""
    if systems.planning:
        return
    known = await _known_link(systems, plan)
    link = replace(
        await _link(systems, plan),
        left_version=pick(plan.left, plan.mirror.mapping.left.version),
        right_version=pick(plan.right, plan.mirror.mapping.right.version),
    )
    if link != known or known.created_at is None:
        await systems.ledger.links.save(link)


async def write_fields(
    systems: Systems, mirror: Mirror, record: Mapping[str, Any], fields: Mapping[str, Any]
) -> None:
    """Write fields of a left record that no row of the mapping carries (lists), as our own hand."""
    left_id = str(pick(record, mirror.left_key))
    link = await systems.ledger.links.find(mirror.id, left_id=left_id)
    writes = [
        FieldWrite(field=path, old=pick(record, path), new=value, rule=mirror.mapping.place)
        for path, value in fields.items()
    ]
    side = mirror.mapping.left
    if link is not None and not systems.planning:
        # The moment of the last change that was not ours is still that of the record as it was.
        link = await systems.ledger.links.save(replace(
            link, left_moment=moment_of(mirror, link, record, "left")[0], pending_left=_pending(writes),
        ))  # fmt: skip
    version = await update_left(
        systems, mirror, record, writes,
        version=pick(record, side.version), right_id=link.right_id if link else None,
    )  # fmt: skip
    if link is not None and not systems.planning:
        await systems.ledger.links.save(replace(link, left_version=version, pending_left=None))


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
    await systems.ledger.links.save(
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


async def _wrote_left(systems: Systems, plan: PairPlan, version: Any) -> None:
    if systems.planning:
        return
    known = await _known_link(systems, plan)
    await systems.ledger.links.save(replace(known, left_version=version, pending_left=None))


async def _write_right(systems: Systems, plan: PairPlan) -> tuple[Any, str | None]:
    """Write the right side: the related records (Account.BillingCountry), then its own."""
    side = plan.mirror.mapping.right
    version = pick(plan.right, side.version)
    groups = _by_record(plan)
    own = groups.pop("", [])
    for relation, writes in groups.items():
        await update_related(systems, plan.mirror, plan.right, relation, writes, plan.left_id)
    if not own:
        return version, None
    await _intend(systems, plan, right=own)
    await update_right(systems, plan.mirror, plan.right, own, plan.left_id)
    if systems.planning:
        return version, None
    return await version_left(systems, plan.mirror, plan.right)


def _by_record(plan: PairPlan) -> dict[str, list[FieldWrite]]:
    """What the right side gets, by the relation that leads to the record; its own under ''."""
    groups: dict[str, list[FieldWrite]] = {}
    for write in (*plan.to_right, *plan.own):
        groups.setdefault(write.field.rpartition(".")[0], []).append(write)
    return groups


async def version_left(
    systems: Systems, mirror: Mirror, before: Mapping[str, Any]
) -> tuple[Any, str | None]:
    """The version our own write left behind, and whom we act as where the record tells.

    Salesforce answers an update with nothing, so it is asked.
    """
    side = mirror.mapping.right
    names = [side.version, *([MODIFIED_BY] if MODIFIED_BY in before else [])]
    fresh = await read_record(systems, mirror, str(before["Id"]), names)
    ours = pick(fresh, MODIFIED_BY)
    return pick(fresh, side.version), str(ours) if ours else None


async def _known_link(systems: Systems, plan: PairPlan) -> Link:
    known = await systems.ledger.links.find(plan.mirror.id, left_id=plan.left_id)
    return known or Link(mapping=plan.mirror.id, left_id=plan.left_id, right_id=plan.right_id)


async def _link(systems: Systems, plan: PairPlan) -> Link:
    """The link as it is once both sides of *plan* agree."""
    known = await _known_link(systems, plan)
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
    await systems.ledger.letters.open_or_update(
        plan.mirror.id,
        flow="",
        error_class=PAUSED,
        message=". ".join(plan.newly_paused),
        hint="the other fields go on; see `cosell records show` for who wrote what",
        opportunity_id=plan.right_id,
        referral_id=plan.left_id,
    )
