"""Linked records that are not found any more: a merged one is followed, a deleted one is told of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cosell_definitions.problems import Place

from ..ledger.errors import LinkTaken
from ..ledger.history import Change
from ..ledger.links import Link
from ..syncing.mirror import Mirror
from .braking import FEWEST_LINKS, Braked, judge, toll_of
from .looking_up import is_there
from .world import World

_PROBES = 3  # other records that are looked for before a side is said to be empty


class Losses:
    """What becomes, in one run, of links whose right record is gone."""

    def __init__(self, world: World, *, flow: str) -> None:
        self._world = world
        self._flow = flow
        self._probed = False  # whether other records were looked for

    async def deleted(self, mirror: Mirror, right_ids: Sequence[str], *, closed: bool) -> int:
        """Say of linked records that they were deleted; gives how many were not known to be.

        *closed*: their twins are closed by now, so that nothing is left to be done about those
        that were told of before.
        """
        links = await self._world.books.find_many(mirror.id, right_ids)
        done = [link for link in links if link.state == "deleted" and closed]
        for link in [] if self._world.planning else done:
            await self._world.books.close_letters(
                mirror.id, opportunity_id=link.right_id, referral_id=link.left_id
            )
        gone = [link for link in links if link.state != "deleted"]
        if gone:
            await self._heed(mirror, gone)
        for link in [] if self._world.planning else gone:
            await self._mark_deleted(mirror, link)
        return len(gone)

    async def follow(
        self, mirror: Mirror, moves: Iterable[Mapping[str, Any]], *, place: Place
    ) -> list[dict[str, Any]]:
        """Let links go over from merged records to those that survived; gives those that did."""
        survivors = {str(one["from"]): str(one["to"]) for one in moves if one.get("to")}
        links = await self._world.books.find_many(mirror.id, survivors)
        moved = []
        for link in links:
            survivor = _last(survivors, str(link.right_id))
            if survivor == link.right_id or not await self._moved(mirror, link, survivor, place):
                continue
            moved.append({"left_id": link.left_id, "from": link.right_id, "to": survivor})
        return moved

    async def _moved(self, mirror: Mirror, link: Link, survivor: str, place: Place) -> bool:
        world = self._world
        if world.planning:
            other = await world.books.find(mirror.id, right_id=survivor)
            return other is None or other.left_id == link.left_id
        try:
            # What both agreed on stays: what the survivor says otherwise is news, and travels.
            await world.books.save(
                replace(
                    link,
                    right_id=survivor,
                    right_version=None,
                    right_moment=None,
                    pending_right=None,
                    state="active" if link.state == "deleted" else link.state,
                )
            )
        except LinkTaken:
            await self._tell_of_two(mirror, link, survivor)
            return False
        await world.books.close_letters(mirror.id, opportunity_id=link.right_id)
        await world.ledger.history.record([self._change(mirror, link, survivor, place)])
        return True

    def _change(self, mirror: Mirror, link: Link, survivor: str, place: Place) -> Change:
        world, side = self._world, mirror.mapping.right
        return Change(
            run_id=world.run_id,
            flow=world.flow,
            flow_hash=world.flow_hash,
            mapping=mirror.id,
            left_id=link.left_id,
            right_id=survivor,
            system=side.connection,
            object=side.object,
            record_id=survivor,
            operation="follow",
            field="Id",
            old=link.right_id,
            new=survivor,
            rule_file=place.file,
            rule_line=place.line,
            own=True,
            at=world.now(),
        )

    async def _tell_of_two(self, mirror: Mirror, link: Link, survivor: str) -> None:
        name = mirror.mapping.right.object
        await self._world.books.write_letter(
            mirror.id,
            flow=self._flow,
            error_class="conflict",
            message=f"{name} {link.right_id} was merged into {survivor}, which has a referral of "
            "its own already; this referral is left alone",
            hint="close one of the two referrals in Partner Center",
            opportunity_id=link.right_id,
            referral_id=link.left_id,
        )

    async def _heed(self, mirror: Mirror, gone: Sequence[Link]) -> None:
        """Before linked records are taken for deleted: is it they that are gone, or the whole side?"""
        world, side = self._world, mirror.mapping.right
        world.lost |= {str(link.right_id) for link in gone}
        total = await world.ledger.links.count(mirror.id)
        if total < FEWEST_LINKS or world.released:
            return
        if not self._probed and not await self._any_other(mirror):
            world.empty = f"{side.connection} shows none of the linked deals: is it the right org?"
        losses = toll_of((), total, lost=len(world.lost), empty=world.empty)
        reason = judge(mirror.mapping.brakes, losses)
        if reason is not None and not world.planning:
            raise Braked(reason, self._flow, mirror.mapping.place)

    async def _any_other(self, mirror: Mirror) -> bool:
        """Whether any of a few other linked records is there."""
        side, world = mirror.mapping.right, self._world
        self._probed = True
        others = [
            one.right_id
            for one in reversed(await world.ledger.links.list(mirror.id))
            if one.state == "active" and one.right_id and one.right_id not in world.lost
        ]
        for record_id in others[:_PROBES]:
            if await is_there(world, side, record_id):
                return True
        return not others

    async def _mark_deleted(self, mirror: Mirror, link: Link) -> None:
        await self._world.books.save(replace(link, state="deleted"))
        await self._world.books.write_letter(
            mirror.id,
            flow=self._flow,
            error_class="deleted",
            message="The opportunity was deleted in Salesforce; the referral is left alone",
            hint="restore the opportunity from the recycle bin, or close the referral in Partner Center",
            opportunity_id=link.right_id,
            referral_id=link.left_id,
        )


def _last(survivors: Mapping[str, str], record_id: str) -> str:
    """The record at the end of a chain of merges."""
    seen = {record_id}
    while (after := survivors.get(record_id)) and after not in seen:
        seen.add(after)
        record_id = after
    return record_id
