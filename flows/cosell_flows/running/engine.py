"""Run flows of a project: joins the interpreter, the world and the ledger, and tells what came of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cosell_connectors.client import Client
from cosell_connectors.model import Connector
from cosell_definitions.binding import bound
from cosell_definitions.model import Action, CallFlow, Flow, MappingFile, Value
from cosell_env.resolving import Environment

from ..compiling.expressions import ExpressionFailed, ScopeFunction, evaluate
from ..compiling.operations import ENGINE
from ..ledger import LeaseBusy, Ledger, LedgerError
from ..project import Project
from .actions import EngineActions
from .braking import Brake, judge, toll_of
from .inputs import checked, conform
from .interpreter import StepWrapper, Walk, as_failure
from .loops import Loops, Progress
from .outcomes import COUNTED, RunResult, Status, StepFailed, Stopped
from .permits import STALE, Permit
from .rehearsing import Rehearsal
from .scope import Frame
from .sightings import Marks
from .soundness import Soundness, Used
from .watching import Watch
from .world import Caller, Item, World

OVERLAP = timedelta(minutes=2)  # a list is read again from a little before where it was left
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # of a list that was never read
_LEASE = timedelta(seconds=15)  # how long a run that died keeps others from its deal
_LEASE_WAIT = timedelta(minutes=5)
_DEEPEST = 20


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
    ) -> RunResult:
        """Run a flow to its end; a failure is a result.

        Raises where it cannot begin: NoSuchFlow, Unsound, BadInputs. With a *permit*, nothing is
        done but what the plan says that it is of.
        """
        flow = self.flow(flow_id)
        given = checked(flow, inputs)
        released = release_brake or permit is not None
        run = _Run(self, flow, run_id or str(uuid.uuid4()), release_brake=released, permit=permit)
        runs = self.ledger.runs
        await runs.start(
            run.id, flow=flow.id, flow_hash=flow.content_hash, trigger=trigger, inputs=given
        )
        status: Status = "failed"
        result: RunResult | None = None
        try:
            async with runs.alive(run.id):
                result = await run.go(given, wrap)
            status = result.status
            return result
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        finally:
            await asyncio.shield(runs.finish(run.id, status, result.as_json() if result else None))

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
        run = _Run(self, flow, str(uuid.uuid4()), planning=True, at=at)
        given = checked(flow, inputs)
        result = await run.go(given, None, cursors)
        return Rehearsal(
            result=replace(result, braked=await run.would_brake()),
            inputs=given,
            items=run.loops.records(),
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
            self._clients[connection] = Client(self.connector(connection), bound)
        return self._clients[connection]

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


class _Run:
    """One run of one flow, and of the flows it calls."""

    def __init__(
        self,
        engine: Engine,
        flow: Flow,
        run_id: str,
        *,
        planning: bool = False,
        release_brake: bool = False,
        permit: Permit | None = None,
        at: datetime | None = None,
    ) -> None:
        self.engine, self.flow, self.id = engine, flow, run_id
        self.permit = permit
        self.at = at or (permit.at if permit else engine.clock())
        self.braking = _braking_mapping(engine, flow)
        self.brake = Brake(
            flow=flow.id,
            mapping=self.braking,
            rehearsal=lambda: _Run(engine, flow, run_id, planning=True),
            links=engine.ledger.links.count,
            released=release_brake or planning,
        )
        self.world = World(
            ledger=engine.ledger,
            client=engine.client,
            connector=engine.connector,
            clock=engine.clock,
            run_id=run_id,
            flow=flow.id,
            flow_hash=flow.content_hash,
            planning=planning,
            permit=permit,
        )
        self.loops = Loops(
            lease=None if planning else self._lease,
            settled=self._settled,
            failed=self._failed,
            before=self.brake.before,
            only=permit.keys if permit else None,
            progress=engine.progress,
        )
        self.actions = EngineActions(
            self.world,
            mappings=engine.project.mappings,
            env=engine.environment.values,
            flow=flow.id,
        )
        self.cursors: Mapping[str, datetime] = {}

    async def go(
        self,
        inputs: Mapping[str, Any],
        wrap: StepWrapper | None,
        cursors: Mapping[str, datetime] | None = None,
    ) -> RunResult:
        """Run to the end; a failure is a result."""
        walk = Walk(flow=self.flow, effects=self, wrap=wrap, watch=self.engine.watch)
        known = self.permit.cursors if self.permit else cursors
        self.cursors = await self.engine.ledger.cursors.all() if known is None else known
        if self.world.planning:
            used = self.engine.used(self.flow.id).mappings
            self.world.marks = Marks.of(self.actions.mirror(name) for name in used)
        status: Status = "succeeded"
        error: dict[str, Any] | None = None
        outputs: dict[str, Any] = {}
        try:
            outputs = await self._walk(walk, inputs)
            await self.world.forget(self.world.loose_intents)
            status = "partial" if self.loops.partial else "succeeded"
        except Stopped as stopped:
            status = stopped.status
            if status == "failed":
                error = stopped.as_failure().as_json()
            elif status == "succeeded" and self.loops.partial:
                status = "partial"
        except StepFailed as failure:
            status, error = "failed", failure.as_json()
        return RunResult(
            run_id=self.id,
            flow=self.flow.id,
            status=status,
            outputs=outputs,
            counts=self._counts(),
            steps=[record.as_json() for record in walk.records],
            writes=[
                write.as_change() if self.world.planning else write.as_json()
                for write in self.world.writes
            ],
            error=error,
            records=[_item_shown(item) for item in self.loops.records()],
        )

    async def _walk(self, walk: Walk, inputs: Mapping[str, Any]) -> dict[str, Any]:
        frame = self._frame(walk.flow, inputs)
        limit = walk.flow.timeout
        try:
            async with asyncio.timeout(limit.total_seconds() if limit else None):
                await walk.steps(walk.flow.steps, frame, top=walk.depth == 0)
        except TimeoutError as late:
            raise StepFailed("timeout", f"flow {walk.flow.id} took longer than {limit}") from late
        return _outputs(walk.flow, frame)

    def _frame(self, flow: Flow, inputs: Mapping[str, Any]) -> Frame:
        run = {"id": self.id, "flow": flow.id, "now": self.at}
        return Frame(
            fixed={
                "inputs": dict(inputs),
                "env": dict(self.engine.environment.values),
                "run": run,
                "mapping_fields": ScopeFunction(self._mapping_fields),
                "cursor": ScopeFunction(self._cursor),
            }
        )

    def _cursor(self, name: str) -> datetime:
        moment = self.cursors.get(name)
        return moment - OVERLAP if moment else BEGINNING

    def _mapping_fields(self, mapping: str, side: str) -> list[str]:
        mirror = self.actions.mirror(mapping)
        return list(mirror.right_fields() if side == "right" else mirror.left_fields())

    async def act(self, action: Action, arguments: Mapping[str, Any]) -> Any:
        """Do an operation of a connector or of the engine."""
        try:
            if action.system in ENGINE:
                return await self.actions.act(action.system, action.operation, arguments)
            return await self.world.call(action.system, action.operation, arguments)
        except LedgerError as error:
            kind = "locked" if isinstance(error, LeaseBusy) else "unavailable"
            raise StepFailed(kind, error.message, hint=error.hint) from error

    def bound(self, call: CallFlow) -> Mapping[str, Value]:
        """The arguments of a call, its literals typed by what the called flow takes."""
        called = self.engine.project.flows.get(call.flow)
        schemas = {one.name: one.schema for one in called.inputs} if called else {}
        return bound(call.arguments, call.argument_nodes, schemas)

    async def child(self, flow: str, arguments: Mapping[str, Any], depth: int) -> Any:
        """Run another flow as part of this one, and give its outputs."""
        if depth > _DEEPEST:
            raise StepFailed("invalid", f"flows call each other more than {_DEEPEST} deep")
        called = self.engine.project.flow(flow)
        try:
            given = checked(called, arguments)
        except ValueError as error:
            raise StepFailed("invalid", str(error)) from error
        walk = Walk(flow=called, effects=self, depth=depth, watch=self.engine.watch)
        try:
            return await self._walk(walk, given)
        except Stopped as stopped:
            if stopped.scope == "item":
                raise
            if stopped.status == "failed":
                raise stopped.as_failure() from None
            return {}

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await self.engine.sleep(seconds)

    def _lease(self, key: str) -> AbstractAsyncContextManager[Any]:
        return self.engine.ledger.leases.hold(
            f"deal:{key}", owner=self.id, ttl=_LEASE, wait=_LEASE_WAIT
        )

    async def _settled(self, item: Item) -> None:
        if item.status not in ("failed", "running") and not self.world.planning:
            await self.world.forget(item.intents)

    async def _failed(self, item: Item, value: Any, failure: StepFailed) -> None:
        """An item that failed without saying so itself becomes a dead letter all the same."""
        if item.letters or self.world.planning or failure.code == STALE:
            return
        mapping = self.flow.uses_mappings[0] if self.flow.uses_mappings else self.flow.id
        is_referral = len(item.key) == len(str(uuid.UUID(int=0))) and item.key.count("-") == 4
        ids = {"referral_id" if is_referral else "opportunity_id": item.key}
        await self.engine.ledger.letters.open_or_update(
            mapping,
            flow=self.flow.id,
            error_class=failure.error_class,
            message=failure.message,
            hint=failure.hint,
            place=str(failure.place) if failure.place else None,
            **ids,
        )

    async def would_brake(self) -> str | None:
        """Why a run like this plan would be stopped, or None."""
        if self.braking is None:
            return None
        links = await self.engine.ledger.links.count(self.braking.id)
        return judge(self.braking.brakes, toll_of(self.loops.items, links))

    def _counts(self) -> dict[str, int]:
        counts = dict.fromkeys(COUNTED, 0)
        for item in self.loops.records():
            counts["read"] += 1
            status = item.status if item.status in counts else "unchanged"
            counts[status] += 1
        return counts


def _outputs(flow: Flow, frame: Frame) -> dict[str, Any]:
    outputs = {}
    for output in flow.outputs:
        try:
            value = evaluate(output.value, frame.scope())
            outputs[output.name] = (
                conform(output.schema, value) if output.schema and value is not None else value
            )
        except ExpressionFailed as error:
            raise as_failure(error).located(f"outputs.{output.name}", output.place) from error
        except ValueError as error:
            raise StepFailed(
                "expression", f"output {output.name!r}: {error}", place=output.place
            ) from error
    return outputs


def _item_shown(item: Item) -> dict[str, Any]:
    return {
        "key": item.key,
        "status": item.status,
        "reason": item.reason,
        "writes": [write.as_json() for write in item.writes],
    }


def _braking_mapping(engine: Engine, flow: Flow) -> MappingFile | None:
    """The mapping whose brakes a run of *flow* heeds: the first that the flow uses."""
    known = (engine.project.mappings.get(name) for name in flow.uses_mappings)
    return next((mapping for mapping in known if mapping is not None), None)
