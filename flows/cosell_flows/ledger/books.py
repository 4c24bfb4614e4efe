"""What the ledger knows of the deals that a run holds: read once for many, kept up with what it writes.

Theory of operation. A deal is worked on by one run at a time, so what the ledger says of it may be
kept at hand while it is held, if it was read after it was taken. Rule 1: only a link that goes by
the key it is held by is kept at hand; whoever comes by the other id holds another lease. Rule 2:
everything the run writes goes through here. Rule 3: that there is *no* link is never believed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .letters import Letter
from .links import Link
from .opening import Ledger

_IDS = ("id", "mapping", "left_id", "right_id")
_TIMES = ("created_at", "updated_at")


class Books:
    """The links and letters of one run. *mapping*: whose deals it holds."""

    def __init__(self, ledger: Ledger, *, mapping: str | None = None) -> None:
        self._ledger = ledger
        self._mapping = mapping
        self._by_left: dict[str, Link] = {}  # links at hand
        self._by_right: dict[str, Link] = {}
        self._quiet: set[str] = set()  # ids, of either side, about which no letter is open
        self._found: dict[str, Link | None] = {}  # by key, as it was when the deal was taken

    # -- what is at hand

    async def open(self, keys: Collection[str]) -> None:
        """Read what is known of the deals *keys*, which are held by now."""
        if self._mapping is None:
            return
        links = await self._ledger.links.find_many(self._mapping, keys, left_ids=keys)
        lefts, rights = {one.left_id: one for one in links}, {one.right_id: one for one in links}
        ids = set(keys)
        for key in keys:
            link = self._found[key] = lefts.get(key) or rights.get(key)
            if link is not None and link.right_id == key and link.left_id is not None:
                self._keep(link)
                ids.add(link.left_id)
        self._quiet |= ids - await self._ledger.letters.among(self._mapping, ids)

    def close(self, key: str) -> None:
        """The deal is not held any more, or what is known of it is doubted."""
        self._quiet.discard(key)
        link = self._found.pop(key, None)
        if link is not None:
            self._drop(link)

    def found(self, key: str) -> Link | None:
        """The link of a deal as it was when the deal was taken."""
        return self._found.get(key)

    def _keep(self, link: Link) -> None:
        self._by_left[str(link.left_id)] = self._by_right[str(link.right_id)] = link

    def _drop(self, link: Link) -> None:
        self._by_left.pop(str(link.left_id), None)
        self._by_right.pop(str(link.right_id), None)
        self._quiet -= {str(link.left_id), str(link.right_id)}

    # -- links

    async def find(
        self, mapping: str, *, left_id: str | None = None, right_id: str | None = None
    ) -> Link | None:
        """The link of the record with one of these ids, the left one first."""
        known = self._at_hand(mapping, left_id, right_id)
        if known is not None:
            return known
        return await self._ledger.links.find(mapping, left_id=left_id, right_id=right_id)

    def _at_hand(self, mapping: str, left_id: str | None, right_id: str | None) -> Link | None:
        if mapping != self._mapping:
            return None
        if left_id is not None:
            return self._by_left.get(left_id)
        return self._by_right.get(str(right_id))

    async def find_many(
        self, mapping: str, right_ids: Iterable[str] = (), *, left_ids: Iterable[str] = ()
    ) -> list[Link]:
        """The links of all records with these ids, each link once."""
        rights, lefts = dict.fromkeys(right_ids), dict.fromkeys(left_ids)
        known = [self._at_hand(mapping, None, one) for one in rights]
        known += [self._at_hand(mapping, one, None) for one in lefts]
        if None in known:
            return await self._ledger.links.find_many(mapping, rights, left_ids=lefts)
        found = {one.id: one for one in known if one is not None}
        return sorted(found.values(), key=lambda one: one.id or 0)

    async def save(self, link: Link) -> Link:
        """Keep *link* as it is now: of one that is at hand, what changed and nothing else."""
        known = self._at_hand(link.mapping, link.left_id, link.right_id)
        if known is None or any(getattr(link, it) != getattr(known, it) for it in _IDS):
            if known is not None:
                self._drop(known)
            return await self._ledger.links.save(link)
        changes = _changes(known, link)
        saved = await self._ledger.links.amend(link, changes) if changes else known
        if self._by_left.get(str(link.left_id)) is known:  # nobody doubts it since
            self._keep(saved)
        return saved

    # -- letters

    def _no_letter(self, mapping: str, ids: Iterable[str | None]) -> bool:
        asked = {one for one in ids if one is not None}
        return mapping == self._mapping and bool(asked) and asked <= self._quiet

    async def open_letter(
        self, mapping: str, *, opportunity_id: str | None = None, referral_id: str | None = None
    ) -> Letter | None:
        """The open letter about this record."""
        if self._no_letter(mapping, (opportunity_id, referral_id)):
            return None
        return await self._ledger.letters.find_open(
            mapping, opportunity_id=opportunity_id, referral_id=referral_id
        )

    async def close_letters(
        self, mapping: str, *, opportunity_id: str | None = None, referral_id: str | None = None
    ) -> None:
        """Close what is open about this record."""
        if not self._no_letter(mapping, (opportunity_id, referral_id)):
            await self._ledger.letters.close(
                mapping, opportunity_id=opportunity_id, referral_id=referral_id
            )

    async def write_letter(
        self,
        mapping: str,
        *,
        opportunity_id: str | None = None,
        referral_id: str | None = None,
        **told: Any,
    ) -> Letter:
        """Say that a record failed; the letter that is already open about it counts one more."""
        self._quiet -= {str(opportunity_id), str(referral_id)}
        return await self._ledger.letters.open_or_update(
            mapping, opportunity_id=opportunity_id, referral_id=referral_id, **told
        )


def _changes(before: Link, link: Link) -> Mapping[str, Any]:
    """What *link* says otherwise than *before*; when it was saved is the ledger's to say."""
    names = [name for name in Link.__dataclass_fields__ if name not in (*_IDS, *_TIMES)]
    pairs = ((name, getattr(before, name), getattr(link, name)) for name in names)
    return {name: new for name, old, new in pairs if old != new}
