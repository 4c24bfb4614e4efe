"""Let go of what is old: history, events, runs, closed letters. Never of bases, nor of open letters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, or_, select

from .database import Database
from .tables import CHANGES, EVENTS, INTENTS, LETTERS, RUN_STEPS, RUNS, STATE


class Retention:
    """What may be forgotten once it is old enough."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prune(self, before: datetime) -> dict[str, int]:
        """Delete what ended before that moment; how many rows of each kind went.

        Links with their bases stay, as do open letters, waiting events, runs that never ended and
        intents of which nobody knows whether they happened, and what flows remember by a name.
        """
        old_runs = RUNS.c.finished_at < before
        steps = RUN_STEPS.c.run_id.in_(select(RUNS.c.run_id).where(old_runs))
        ended = EVENTS.c.status.in_(("done", "failed")) & or_(
            EVENTS.c.finished_at < before,
            EVENTS.c.finished_at.is_(None) & (EVENTS.c.received_at < before),
        )
        kinds: tuple[tuple[str, Table, ColumnElement[bool]], ...] = (
            ("changes", CHANGES, CHANGES.c.at < before),
            ("events", EVENTS, ended),
            ("steps", RUN_STEPS, steps),
            ("runs", RUNS, old_runs),
            ("letters", LETTERS, (LETTERS.c.status == "closed") & (LETTERS.c.closed_at < before)),
            (
                "intents",
                INTENTS,
                (INTENTS.c.state == "resolved") & (INTENTS.c.resolved_at < before),
            ),
            ("turns", STATE, (STATE.c.kind == "turn") & (STATE.c.updated_at < before)),
        )
        gone = {}
        for name, table, condition in kinds:  # one short transaction each: others write meanwhile
            gone[name] = await self._database.change(delete(table).where(condition))
        return gone
