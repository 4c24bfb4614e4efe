"""How far a run has come in a long list, for the run that goes on when it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from .database import Database, made
from .tables import BOOKMARKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """Where a loop over a list is. `asked` tells the list from others; `state` is the loop's own."""

    key: str
    run_id: str
    asked: str
    state: Any
    updated_at: datetime


class Bookmarks:
    """The bookmark of each loop over a long list; gone when the loop and its run are through."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: str) -> Bookmark | None:
        """The bookmark called *key*."""
        row = await self._database.row(select(BOOKMARKS).where(BOOKMARKS.c.key == key))
        return made(Bookmark, row) if row else None

    async def take(
        self, key: str, *, run_id: str, asked: str, state: Any, before: str | None
    ) -> bool:
        """Let the bookmark belong to a run, that of run *before* or a new one; False if too late."""
        values = {
            "run_id": run_id,
            "asked": asked,
            "state": state,
            "updated_at": self._database.now(),
        }
        if before is not None:
            mine = (BOOKMARKS.c.key == key) & (BOOKMARKS.c.run_id == before)
            return await self._database.change(update(BOOKMARKS).where(mine).values(**values)) == 1
        statement = self._database.insert(BOOKMARKS).values(key=key, **values)
        return await self._database.change(statement.on_conflict_do_nothing()) == 1

    async def keep(self, key: str, *, run_id: str, state: Any) -> None:
        """Move the bookmark of a run, if it is still its own."""
        await self._database.change(
            update(BOOKMARKS)
            .where(BOOKMARKS.c.key == key, BOOKMARKS.c.run_id == run_id)
            .values(state=state, updated_at=self._database.now())
        )

    async def forget(self, *, run_id: str) -> None:
        """A run is through: nobody has to go on where it was."""
        await self._database.change(delete(BOOKMARKS).where(BOOKMARKS.c.run_id == run_id))
