"""Which record is the twin of which, and what both said when they last agreed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database, in_chunks, made
from .errors import LinkTaken
from .tables import LINKS

LinkState = Literal["active", "deleted", "closed"]
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two records that are one deal. While one of them is still being made, its id is None."""

    mapping: str
    id: int | None = None  # the ledger's own; None where the link was not read from it
    left_id: str | None = None
    right_id: str | None = None
    base_left: Mapping[str, Any] = field(default_factory=dict)
    base_right: Mapping[str, Any] = field(default_factory=dict)
    left_version: str | None = None
    right_version: str | None = None
    left_moment: datetime | None = None
    right_moment: datetime | None = None
    pending_left: Mapping[str, Any] | None = None
    pending_right: Mapping[str, Any] | None = None
    state: LinkState = "active"
    notes: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None  # the ledger sets both
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that are twins, and no more."""

    left_id: str | None
    right_id: str | None
    state: LinkState


class Links:
    """The links between the two systems."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, mapping: str, *, left_id: str | None = None, right_id: str | None = None
    ) -> Link | None:
        """The link of the record with one of these ids, the left one first."""
        for column, value in ((LINKS.c.left_id, left_id), (LINKS.c.right_id, right_id)):
            if value is None:
                continue
            row = await self._database.row(_of(mapping).where(column == value))
            if row is not None:
                return made(Link, row)
        return None

    async def find_many(
        self, mapping: str, right_ids: Iterable[str] = (), *, left_ids: Iterable[str] = ()
    ) -> list[Link]:
        """The links of all records with these ids, each link once."""
        found: dict[int, Link] = {}
        queries = [
            _of(mapping).where(
                or_(LINKS.c.right_id.in_(rights or ()), LINKS.c.left_id.in_(lefts or ()))
            )
            for rights, lefts in zip_longest(
                in_chunks(dict.fromkeys(right_ids)), in_chunks(dict.fromkeys(left_ids))
            )
        ]
        for rows in await self._database.rows_of_each(queries):
            found |= {row.id: made(Link, row) for row in rows}
        return [found[key] for key in sorted(found)]

    async def list(self, mapping: str | None = None) -> list[Link]:
        """All links, of one mapping or of all, oldest first."""
        query = select(LINKS) if mapping is None else _of(mapping)
        return [made(Link, row) for row in await self._database.rows(query.order_by(LINKS.c.id))]

    async def pairs(self, mapping: str) -> Sequence[Pair]:
        """Which records are twins, oldest first, without all that is known of them."""
        known = [LINKS.c.left_id, LINKS.c.right_id, LINKS.c.state]
        query = select(*known).where(LINKS.c.mapping == mapping).order_by(LINKS.c.id)
        return [Pair(*row) for row in await self._database.rows(query)]

    async def noting(
        self, mapping: str, name: str, key: str, values: Iterable[str]
    ) -> Sequence[Pair]:
        """The twins of which a list *key* of what was noted under *name* holds one of *values*."""
        wanted, found, last = set(values), [], 0
        columns = [LINKS.c.id, LINKS.c.left_id, LINKS.c.right_id, LINKS.c.state, LINKS.c.notes]
        query = select(*columns).where(LINKS.c.mapping == mapping).order_by(LINKS.c.id)
        while rows := await self._database.rows(query.where(LINKS.c.id > last).limit(_CHUNK)):
            last = rows[-1].id
            for row in rows:
                noted = row.notes.get(name)
                known = noted.get(key) if isinstance(noted, dict) else None
                if wanted.intersection(known or ()):
                    found.append(Pair(row.left_id, row.right_id, row.state))
        return found

    async def count(self, mapping: str) -> int:
        """How many links a mapping has in which both records are known."""
        row = await self._database.row(
            select(func.count())
            .select_from(LINKS)
            .where(
                LINKS.c.mapping == mapping,
                LINKS.c.left_id.is_not(None),
                LINKS.c.right_id.is_not(None),
            )
        )
        return int(row[0]) if row else 0

    async def save(self, link: Link) -> Link:
        """Keep *link* as it is now, and hand it back with its times.

        A link whose other half was unknown so far is completed; where each half stood alone,
        they become one. Raises LinkTaken where one of the two belongs to another record.
        """
        if link.left_id is None and link.right_id is None:
            raise ValueError("a link needs the id of at least one record")
        try:
            return await self._database.write_again(lambda connection: self._put(connection, link))
        except IntegrityError:
            raise _taken(link) from None

    async def amend(self, link: Link, changes: Mapping[str, Any]) -> Link:
        """Keep *changes* of a link that was read, none of them an id; what else it says stays.

        *link* says already what it will say then.
        """
        now = self._database.now()
        kept = await self._database.change(
            update(LINKS).where(LINKS.c.id == link.id).values(**changes, updated_at=now)
        )
        if kept == 1:
            return replace(link, updated_at=now)
        return await self.save(link)  # it became one with its other half meanwhile

    async def _put(self, connection: AsyncConnection, link: Link) -> Link:
        now = self._database.now()
        rows = (await connection.execute(_both_halves(link))).all()
        kept = next((row for row in rows if row.left_id == link.left_id is not None), None)
        kept = kept or (rows[0] if rows else None)
        if kept is None:
            saved = replace(link, created_at=now, updated_at=now)
            inserting = LINKS.insert().values(**_values(saved)).returning(LINKS.c.id)
            return replace(saved, id=(await connection.execute(inserting)).scalar_one())
        if link.left_id is not None and kept.left_id not in (None, link.left_id):
            raise _taken(link)
        await self._absorb(connection, link, kept=kept, others=rows)
        saved = replace(
            _completed(link, kept), id=kept.id, created_at=kept.created_at, updated_at=now
        )
        await connection.execute(
            update(LINKS).where(LINKS.c.id == kept.id).values(**_values(saved))
        )
        return saved

    async def _absorb(
        self, connection: AsyncConnection, link: Link, *, kept: Row[Any], others: Iterable[Row[Any]]
    ) -> None:
        """Remove a half that stood alone, now that both are known to be one."""
        for row in others:
            if row.id == kept.id:
                continue
            if row.left_id is not None:
                raise _taken(link)
            await connection.execute(delete(LINKS).where(LINKS.c.id == row.id))


def _of(mapping: str) -> Select[Any]:
    return select(LINKS).where(LINKS.c.mapping == mapping)


def _both_halves(link: Link) -> Select[Any]:
    halves: list[ColumnElement[bool]] = []
    if link.left_id is not None:
        halves.append(LINKS.c.left_id == link.left_id)
    if link.right_id is not None:
        halves.append(LINKS.c.right_id == link.right_id)
    return _of(link.mapping).where(or_(*halves)).order_by(LINKS.c.id).with_for_update()


def _completed(link: Link, row: Row[Any]) -> Link:
    # A caller that knows one id does not make the ledger forget the other.
    return replace(
        link, left_id=link.left_id or row.left_id, right_id=link.right_id or row.right_id
    )


def _values(link: Link) -> dict[str, Any]:
    return {name: getattr(link, name) for name in Link.__dataclass_fields__ if name != "id"}


def _taken(link: Link) -> LinkTaken:
    return LinkTaken(mapping=link.mapping, left_id=link.left_id, right_id=link.right_id)
