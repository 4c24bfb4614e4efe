"""Webhook events, from the moment they are acknowledged until something was done about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database, made, numbers
from .tables import EVENTS

EventStatus = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event as it was received. `handled`: the flows that are through with it."""

    id: str
    connection: str
    name: str
    resource_id: str
    resource_uri: str
    changed_at: datetime | None
    dedupe_key: str
    body: str
    received_at: datetime
    status: EventStatus
    attempts: int
    handled: tuple[str, ...] = ()
    not_before: datetime | None = None
    owner: str | None = None
    lease_until: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None


class Inbox:
    """All events. One that is running belongs to its owner until the lease expires."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store(
        self,
        event: str,
        *,
        connection: str,
        resource_id: str,
        resource_uri: str,
        changed_at: datetime | None,
        dedupe_key: str,
        body: str,
        status: EventStatus = "waiting",
    ) -> bool:
        """Keep an event; False when it is there already. On return it survives a power cut."""
        now = self._database.now()
        statement = self._database.insert(EVENTS).values(
            connection=connection,
            name=event,
            resource_id=resource_id,
            resource_uri=resource_uri,
            changed_at=changed_at,
            dedupe_key=dedupe_key,
            body=body,
            received_at=now,
            status=status,
            attempts=0,
            handled=[],
            finished_at=now if status == "done" else None,
        )
        stored = await self._database.change(
            statement.on_conflict_do_nothing(index_elements=[EVENTS.c.dedupe_key])
        )
        return stored == 1

    async def claim(
        self,
        names: Iterable[str],
        *,
        limit: int,
        owner: str,
        lease_seconds: float,
        connection: str | None = None,
    ) -> list[StoredEvent]:
        """Take up to *limit* events nobody works on, oldest first; each counts as an attempt."""
        now = self._database.now()
        query = (
            select(EVENTS.c.id)
            .where(EVENTS.c.name.in_(list(names)), _is_free(now))
            .order_by(EVENTS.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if connection is not None:
            query = query.where(EVENTS.c.connection == connection)

        async def work(connected: AsyncConnection) -> list[StoredEvent]:
            ids = list((await connected.execute(query)).scalars())
            if not ids:
                return []
            await connected.execute(
                update(EVENTS)
                .where(EVENTS.c.id.in_(ids))
                .values(
                    status="running",
                    attempts=EVENTS.c.attempts + 1,
                    owner=owner,
                    lease_until=now + timedelta(seconds=lease_seconds),
                    not_before=None,
                )
            )
            taken = select(EVENTS).where(EVENTS.c.id.in_(ids)).order_by(EVENTS.c.id)
            return [_event(row) for row in await connected.execute(taken)]

        async with self._database.write() as connected:
            return await work(connected)

    async def waiting(self, names: Iterable[str], *, connection: str | None = None) -> int:
        """How many events `claim` could take now."""
        query = (
            select(func.count())
            .select_from(EVENTS)
            .where(EVENTS.c.name.in_(list(names)), _is_free(self._database.now()))
        )
        if connection is not None:
            query = query.where(EVENTS.c.connection == connection)
        row = await self._database.row(query)
        return int(row[0]) if row else 0

    async def extend(self, ids: Iterable[str], *, owner: str, lease_seconds: float) -> int:
        """Keep working on these events; how many are still the owner's."""
        until = self._database.now() + timedelta(seconds=lease_seconds)
        return await self._change(ids, owner, lease_until=until)

    async def handled(self, ids: Iterable[str], *, flow: str) -> None:
        """Remember that *flow* is through with these events, though another flow is not yet."""
        async with self._database.write() as connection:
            for number in numbers(ids):
                one = select(EVENTS.c.handled).where(EVENTS.c.id == number).with_for_update()
                flows = (await connection.execute(one)).scalar_one_or_none()
                if flows is not None and flow not in flows:
                    await connection.execute(
                        update(EVENTS).where(EVENTS.c.id == number).values(handled=[*flows, flow])
                    )

    async def finish(
        self,
        ids: Iterable[str],
        status: Literal["done", "failed"],
        error: str | None = None,
        *,
        owner: str | None = None,
    ) -> int:
        """Be through with these events; with *owner*, only with those that are still its own."""
        return await self._change(
            ids,
            owner,
            status=status,
            error=error,
            owner=None,
            lease_until=None,
            finished_at=self._database.now(),
        )

    async def release(
        self,
        ids: Iterable[str],
        *,
        not_before: datetime | None = None,
        error: str | None = None,
        owner: str | None = None,
        counts: bool = True,
    ) -> int:
        """Put these events back; without *counts* as if they had not been tried."""
        values: dict[str, Any] = {} if counts else {"attempts": EVENTS.c.attempts - 1}
        return await self._change(
            ids,
            owner,
            status="waiting",
            owner=None,
            lease_until=None,
            not_before=not_before,
            error=error,
            **values,
        )

    async def owners(self) -> frozenset[str]:
        """Who works on events now, or says so."""
        query = select(EVENTS.c.owner).where(EVENTS.c.status == "running").distinct()
        return frozenset(row.owner for row in await self._database.rows(query) if row.owner)

    async def take_from(self, owner: str) -> int:
        """Put back every event of an owner that is gone, without waiting for its leases."""
        return await self._database.change(
            update(EVENTS)
            .where(EVENTS.c.owner == owner, EVENTS.c.status == "running")
            .values(status="waiting", owner=None, lease_until=None)
        )

    async def replay(self, ids: Iterable[str]) -> int:
        """Let these events be worked on again, as if they had just come in."""
        return await self._database.change(
            update(EVENTS)
            .where(EVENTS.c.id.in_(numbers(ids)), EVENTS.c.status.in_(("done", "failed")))
            .values(
                status="waiting",
                attempts=0,
                handled=[],
                not_before=None,
                finished_at=None,
                error=None,
            )
        )

    async def get(self, id: str) -> StoredEvent | None:  # noqa: A002 - what everybody calls it
        """The event with this id."""
        found = await self._database.rows(select(EVENTS).where(EVENTS.c.id.in_(numbers([id]))))
        return _event(found[0]) if found else None

    async def counts(self) -> dict[EventStatus, int]:
        """How many events there are of each status."""
        query = select(EVENTS.c.status, func.count()).group_by(EVENTS.c.status)
        rows: Sequence[Any] = await self._database.rows(query)
        found = {status: int(total) for status, total in rows}
        every: tuple[EventStatus, ...] = ("waiting", "running", "done", "failed")
        return {status: found.get(status, 0) for status in every}

    async def _change(self, ids: Iterable[str], whose: str | None, /, **values: Any) -> int:
        statement = update(EVENTS).where(EVENTS.c.id.in_(numbers(ids)))
        if whose is not None:
            statement = statement.where(EVENTS.c.owner == whose, EVENTS.c.status == "running")
        return await self._database.change(statement.values(**values))

    async def list(
        self,
        limit: int = 100,
        status: EventStatus | None = None,
        *,
        name: str | None = None,
        since: datetime | None = None,
    ) -> list[StoredEvent]:
        """Events, newest first: those of a status, of a name, received at a moment or later."""
        query = select(EVENTS).order_by(EVENTS.c.id.desc()).limit(limit)
        if status is not None:
            query = query.where(EVENTS.c.status == status)
        if name is not None:
            query = query.where(EVENTS.c.name == name)
        if since is not None:
            query = query.where(EVENTS.c.received_at >= since)
        return [_event(row) for row in await self._database.rows(query)]


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(
            EVENTS.c.status == "waiting",
            or_(EVENTS.c.not_before.is_(None), EVENTS.c.not_before <= now),
        ),
        # Its owner died, or could not tell for too long.
        and_(EVENTS.c.status == "running", EVENTS.c.lease_until <= now),
    )


def _event(row: Any) -> StoredEvent:
    return made(StoredEvent, row, id=str(row.id), handled=tuple(row.handled))
