"""What ran, step by step, and whether it still does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, update

from .database import Database, made
from .errors import LedgerUnreachable
from .owners import this_process
from .tables import RUN_STEPS, RUNS

RunStatus = Literal["running", "waiting", "succeeded", "partial", "skipped", "failed", "cancelled"]
BEAT_S = 10.0
"""How often a run that is alive says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of a run that was reached."""

    step_id: str
    status: str
    started_at: datetime
    attempts: int = 1
    seconds: float = 0.0
    reason: str | None = None
    counts: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a flow. `beat_at`: when its process, the `owner`, last gave a sign of life."""

    run_id: str
    flow: str
    flow_hash: str
    trigger: str
    inputs: Mapping[str, Any]
    status: RunStatus
    started_at: datetime
    beat_at: datetime
    owner: str | None = None
    finished_at: datetime | None = None
    result: Any = None


class Runs:
    """All runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(
        self, run_id: str, *, flow: str, flow_hash: str, trigger: str, inputs: Mapping[str, Any]
    ) -> None:
        """A run begins; one that is begun again under its id starts over."""
        now = self._database.now()
        values = {
            "flow": flow,
            "flow_hash": flow_hash,
            "trigger": trigger,
            "owner": this_process(),
            "inputs": inputs,
            "status": "running",
            "started_at": now,
            "beat_at": now,
            "finished_at": None,
            "result": None,
        }
        statement = self._database.insert(RUNS).values(run_id=run_id, **values)
        await self._database.change(
            statement.on_conflict_do_update(index_elements=[RUNS.c.run_id], set_=values)
        )

    async def step(self, run_id: str, step: StepRecord) -> None:
        """Keep what became of a step; a sign of life, too."""
        values = {name: getattr(step, name) for name in StepRecord.__dataclass_fields__}
        async with self._database.write() as connection:
            await connection.execute(RUN_STEPS.insert().values(run_id=run_id, **values))
            await connection.execute(
                update(RUNS).where(RUNS.c.run_id == run_id).values(beat_at=self._database.now())
            )

    async def finish(self, run_id: str, status: RunStatus, result: Any = None) -> bool:
        """Keep how a run ended; False when it had ended already."""
        now = self._database.now()
        ended = await self._database.change(
            update(RUNS)
            .where(RUNS.c.run_id == run_id, RUNS.c.status == "running")
            .values(status=status, result=result, finished_at=now, beat_at=now)
        )
        return ended == 1

    async def put_aside(self, run_id: str, kept: Any) -> None:
        """A run waits for a person; what is *kept* is all that is left of it until then."""
        await self._database.change(
            update(RUNS)
            .where(RUNS.c.run_id == run_id, RUNS.c.status == "running")
            .values(status="waiting", result=kept, beat_at=self._database.now())
        )

    async def take_up(self, run_id: str) -> Run | None:
        """Go on with a run that was put aside, unless somebody else does; `result`: what was kept."""
        run = await self.get(run_id)
        if run is None or run.status != "waiting":
            return None
        taken = await self._database.change(
            update(RUNS)
            .where(RUNS.c.run_id == run_id, RUNS.c.status == "waiting")
            .values(
                status="running", result=None, owner=this_process(), beat_at=self._database.now()
            )
        )
        return run if taken == 1 else None

    async def beat(self, run_id: str) -> None:
        """Give a sign of life."""
        await self._database.change(
            update(RUNS)
            .where(RUNS.c.run_id == run_id, RUNS.c.status == "running")
            .values(beat_at=self._database.now())
        )

    @contextlib.asynccontextmanager
    async def alive(self, run_id: str) -> AsyncIterator[None]:
        """Give signs of life of a run while the block runs."""
        beating = asyncio.create_task(self._beat_on(run_id))
        try:
            yield
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def get(self, run_id: str) -> Run | None:
        """The run with this id."""
        row = await self._database.row(select(RUNS).where(RUNS.c.run_id == run_id))
        return made(Run, row) if row else None

    async def steps(self, run_id: str) -> list[StepRecord]:
        """The steps of a run, in order of their start."""
        query = (
            select(RUN_STEPS)
            .where(RUN_STEPS.c.run_id == run_id)
            .order_by(RUN_STEPS.c.started_at, RUN_STEPS.c.id)
        )
        return [made(StepRecord, row) for row in await self._database.rows(query)]

    async def unfinished(self, older_than: datetime) -> list[Run]:
        """Runs that never ended and gave no sign of life since that moment: theirs is dead."""
        query = (
            select(RUNS)
            .where(RUNS.c.status == "running", RUNS.c.beat_at < older_than)
            .order_by(RUNS.c.started_at)
        )
        return [made(Run, row) for row in await self._database.rows(query)]

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many runs there are of each flow and status."""
        query = select(RUNS.c.flow, RUNS.c.status, func.count()).group_by(
            RUNS.c.flow, RUNS.c.status
        )
        rows: Sequence[Any] = await self._database.rows(query)
        return {(flow, status): int(total) for flow, status, total in rows}

    async def _beat_on(self, run_id: str) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            with contextlib.suppress(LedgerUnreachable):  # the next beat may come through
                await self.beat(run_id)

    async def list(
        self,
        limit: int = 100,
        *,
        flow: str | None = None,
        status: RunStatus | None = None,
        trigger: str | None = None,
    ) -> list[Run]:
        """Runs, newest first."""
        query = select(RUNS).order_by(RUNS.c.started_at.desc(), RUNS.c.run_id).limit(limit)
        if flow is not None:
            query = query.where(RUNS.c.flow == flow)
        if status is not None:
            query = query.where(RUNS.c.status == status)
        if trigger is not None:
            query = query.where(RUNS.c.trigger == trigger)
        return [made(Run, row) for row in await self._database.rows(query)]
