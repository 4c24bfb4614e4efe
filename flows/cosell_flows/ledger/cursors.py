"""How far each source has been read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from .database import Database
from .tables import CURSORS


class Cursors:
    """Named moments that only move forward."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> datetime | None:
        """How far *name* has been read, or None before the first time."""
        row = await self._database.row(select(CURSORS.c.read_until).where(CURSORS.c.name == name))
        return row.read_until if row else None

    async def all(self) -> dict[str, datetime]:
        """How far every source has been read."""
        rows = await self._database.rows(select(CURSORS.c.name, CURSORS.c.read_until))
        return {row.name: row.read_until for row in rows}

    async def advance(self, name: str, to: datetime) -> None:
        """Move *name* forward; never back, whoever else moved it meanwhile."""
        values = {"read_until": to, "updated_at": self._database.now()}
        statement = self._database.insert(CURSORS).values(name=name, **values)
        await self._database.change(
            statement.on_conflict_do_update(
                index_elements=[CURSORS.c.name], set_=values, where=CURSORS.c.read_until < to
            )
        )
