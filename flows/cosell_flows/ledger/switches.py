"""Which flows are on."""

from __future__ import annotations

from sqlalchemy import select

from .database import Database
from .tables import SWITCHES


class Switches:
    """The switch of each flow; off until somebody turns it on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def on(self) -> frozenset[str]:
        """The ids of the flows that are on."""
        rows = await self._database.rows(select(SWITCHES.c.flow).where(SWITCHES.c.is_on))
        return frozenset(row.flow for row in rows)

    async def set(self, flow_id: str, on: bool) -> None:
        """Turn a flow on or off."""
        values = {"is_on": on, "changed_at": self._database.now()}
        statement = self._database.insert(SWITCHES).values(flow=flow_id, **values)
        await self._database.change(
            statement.on_conflict_do_update(index_elements=[SWITCHES.c.flow], set_=values)
        )
