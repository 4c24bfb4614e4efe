"""What was changed, field by field, and why: the story of each record."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from .database import Database, made
from .tables import CHANGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that was written, the value that lost, and the rule that decided it."""

    run_id: str
    flow: str
    flow_hash: str
    system: str
    object: str
    operation: str
    field: str
    at: datetime
    mapping: str | None = None
    left_id: str | None = None
    right_id: str | None = None
    record_id: str | None = None
    old: Any = None
    new: Any = None
    loses: Any = None
    rule_file: str | None = None
    rule_line: int | None = None
    own: bool = False


class History:
    """All changes the sync has made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, changes: Sequence[Change]) -> None:
        """Keep *changes*, all or none."""
        if not changes:
            return
        names = [item.name for item in dataclasses.fields(Change)]
        rows = [{name: getattr(change, name) for name in names} for change in changes]
        async with self._database.write() as connection:
            await connection.execute(CHANGES.insert(), rows)

    async def of_record(self, *keys: str) -> list[Change]:
        """The changes of the deal that has these ids, whichever of them is known, oldest first."""
        columns = (CHANGES.c.left_id, CHANGES.c.right_id, CHANGES.c.record_id)
        return await self._found(or_(*(column.in_(keys) for column in columns)))

    async def of_run(self, run_id: str) -> list[Change]:
        """The changes of one run, in order."""
        return await self._found(CHANGES.c.run_id == run_id)

    async def _found(self, condition: Any) -> list[Change]:
        query = select(CHANGES).where(condition).order_by(CHANGES.c.at, CHANGES.c.id)
        return [made(Change, row) for row in await self._database.rows(query)]
