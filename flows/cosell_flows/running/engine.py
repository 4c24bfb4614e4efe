"""Run flows of a project: joins the interpreter, the world and the ledger, and tells what came of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cosell_connectors.client import Client
from cosell_connectors.model import Connector
from cosell_definitions.model import Flow
from cosell_definitions.problems import Place
from cosell_env.resolving import Environment

from ..compiling.streaming import Streamed
from ..ledger import Ledger
from ..project import Project
from .columns import Columns
from .conducting import Ask, OneRun
from .inputs import checked
from .interpreter import StepWrapper
from .loops import Progress
from .outcomes import RunResult
from .permits import Permit
from .rehearsing import Rehearsal
from .soundness import Soundness, Used
from .watching import Watch
from .world import Caller


@dataclass(slots=True, kw_only=True)
class Engine:
    """Everything needed to run the flows of one project in one environment."""

    project: Project
    environment: Environment
    ledger: Ledger
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    watch: Watch | None = None
    opened: Callable[[str], Caller] | None = None  # who answers instead of the real systems
    progress: Progress | None = None  # told how many of how many records are through
    columns: Columns = field(default_factory=Columns)  # what systems said of their fields
    _clients: dict[str, Client] = field(default_factory=dict)
    _soundness: Soundness = field(init=False)

    def __post_init__(self) -> None:
        self._soundness = Soundness(self.project, self.environment)

    def flow(self, flow_id: str) -> Flow:
        """The flow, if it can run here; raises NoSuchFlow, or Unsound with what is faulty."""
        return self._soundness.flow(flow_id)

    def used(self, flow_id: str) -> Used:
        """All that a sound flow, and the flows it calls, make use of."""
        return self._soundness.used(flow_id)

    async def run(
        self,
        flow_id: str,
        inputs: Mapping[str, Any],
        *,
        run_id: str | None = None,
        trigger: str = "manual",
        wrap: StepWrapper | None = None,
        release_brake: bool = False,
        permit: Permit | None = None,
        ask: Ask | None = None,
    ) -> RunResult:
        """Run a flow to its end; a failure is a result, and so is a cancellation.

        Raises where it cannot begin: NoSuchFlow, Unsound, BadInputs. With a *permit*, nothing is
        done but what the plan says that it is of. A run that was put aside for
        a person's answer is taken up under its *run_id*; it has its inputs from then. Where *ask*
        has no answer yet, the result is one of status `waiting`, and the run is put aside.
        """
        runs, number = self.ledger.runs, run_id or str(uuid.uuid4())
        aside = await runs.take_up(number) if run_id else None
        result: RunResult | None = None
        try:
            flow = self.flow(flow_id)
            given = (
                checked(flow, inputs, env=self.environment.values)
                if aside is None
                else aside.inputs
            )
            released = release_brake or permit is not None
            run = OneRun(self, flow, number, release_brake=released, permit=permit, ask=ask)
            if aside is None:
                await runs.start(
                    number, flow=flow.id, flow_hash=flow.content_hash, trigger=trigger, inputs=given
                )
            async with runs.alive(number):
                result = await run.go(given, wrap, aside=aside.result if aside else None)
            return result
        finally:
            if result is not None and result.status == "waiting":
                await asyncio.shield(runs.put_aside(number, run.aside(result)))
            else:
                told = result.as_json() if result else None
                status = result.status if result else "failed"
                await asyncio.shield(runs.finish(number, status, told))

    async def plan(self, flow_id: str, inputs: Mapping[str, Any]) -> RunResult:
        """What a run would write; nothing is written, and the ledger stays as it is."""
        return (await self.rehearse(flow_id, inputs)).result

    async def rehearse(
        self,
        flow_id: str,
        inputs: Mapping[str, Any],
        *,
        cursors: Mapping[str, datetime] | None = None,
        at: datetime | None = None,
    ) -> Rehearsal:
        """The same with all that a plan is made of: which records, in which versions, from where.

        *cursors* and *at*: where lists begin and what the time is, as another plan had it.
        """
        flow = self.flow(flow_id)
        run = OneRun(self, flow, str(uuid.uuid4()), planning=True, at=at)
        given = checked(flow, inputs, env=self.environment.values)
        result = await run.go(given, None, cursors=cursors)
        return Rehearsal(
            result=replace(result, braked=await run.would_brake()),
            inputs=given,
            items=list(run.loops.tally.records()),
            world=run.world,
            cursors=run.cursors,
            at=run.at,
        )

    async def client(self, connection: str) -> Caller:
        """The client of a connection, made when it is needed first."""
        if self.opened is not None:
            return self.opened(connection)
        if connection not in self._clients:
            bound = self.environment.connection(connection)
            self._clients[connection] = Client(
                self.connector(connection),
                bound,
                clock=lambda: self.clock().timestamp(),
                sleep=self._pause,
            )
        return self._clients[connection]

    async def _pause(self, seconds: float) -> None:
        """Let time pass, by whatever lets it pass by then."""
        await self.sleep(seconds)

    @property
    def streamed(self) -> Mapping[Place, Streamed]:
        """The actions, in all flows, whose lists are read page by page."""
        return self._soundness.examination.streamed

    @property
    def clients(self) -> Mapping[str, Client]:
        """The clients there are by now, by connection."""
        return dict(self._clients)

    def connector(self, connection: str) -> Connector:
        """The connector that a connection is bound to."""
        return self.project.connector_of(connection)

    async def aclose(self) -> None:
        """Let go of every connection and the ledger."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
        await self.ledger.aclose()
