"""What we were about to write when a write cannot be repeated, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database, made
from .tables import INTENTS, RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write that must happen once. `fresh`: it was opened just now, by this very call.

    `item`: the key of the record that its run was working on, where it worked on one.
    """

    key: str
    connection: str
    operation: str
    arguments_digest: str
    run_id: str
    state: Literal["open", "resolved"]
    outcome: Any
    opened_at: datetime
    resolved_at: datetime | None
    item: str | None = None
    fresh: bool = False


class Intents:
    """Stored before a write that is not idempotent is sent; its outcome after."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self,
        key: str,
        *,
        connection: str,
        operation: str,
        arguments_digest: str,
        run_id: str,
        item: str | None = None,
    ) -> Intent:
        """Say that this write is about to be sent; the earlier intent where one has the key."""
        values = {
            "connection": connection,
            "operation": operation,
            "arguments_digest": arguments_digest,
            "run_id": run_id,
            "state": "open",
            "opened_at": self._database.now(),
            "item": item,
        }
        statement = self._database.insert(INTENTS).values(key=key, **values)

        async def work(connected: AsyncConnection) -> Intent:
            result = await connected.execute(statement.on_conflict_do_nothing())
            row = (await connected.execute(_with(key))).one()
            return made(Intent, row, fresh=result.rowcount == 1)

        return await self._database.write_again(work)

    async def resolve(self, key: str, outcome: Any) -> None:
        """Keep what came of the write."""
        await self._database.change(
            update(INTENTS)
            .where(INTENTS.c.key == key)
            .values(state="resolved", outcome=outcome, resolved_at=self._database.now())
        )

    async def forget(self, key: str) -> None:
        """The write certainly did not happen; it may be sent anew."""
        await self._database.change(delete(INTENTS).where(INTENTS.c.key == key))

    async def left_by(self, flow: str) -> set[str]:
        """The records that runs of *flow* were about when they announced what is still here."""
        runs = select(RUNS.c.run_id).where(RUNS.c.flow == flow)
        query = select(INTENTS.c.item).where(
            INTENTS.c.item.is_not(None), INTENTS.c.run_id.in_(runs)
        )
        return {str(row.item) for row in await self._database.rows(query.distinct())}

    async def forget_of(self, item: str, *, flow: str) -> None:
        """A run of *flow* came through with a record: what an earlier one left open is settled."""
        runs = select(RUNS.c.run_id).where(RUNS.c.flow == flow)
        await self._database.change(
            delete(INTENTS).where(INTENTS.c.item == item, INTENTS.c.run_id.in_(runs))
        )

    async def get(self, key: str) -> Intent | None:
        """The intent with this key."""
        row = await self._database.row(_with(key))
        return made(Intent, row) if row else None

    async def unresolved(self) -> list[Intent]:
        """Writes of which nobody knows whether they happened, oldest first."""
        query = select(INTENTS).where(INTENTS.c.state == "open").order_by(INTENTS.c.opened_at)
        return [made(Intent, row) for row in await self._database.rows(query)]


def _with(key: str) -> Any:
    return select(INTENTS).where(INTENTS.c.key == key)
