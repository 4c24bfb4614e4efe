"""Conduct one run: what its steps do to the world, what came of it, and what is kept while it waits."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from cosell_definitions.model import Action, CallFlow, Flow, ForEach, Value

from ..compiling.expressions import ScopeFunction
from ..compiling.operations import ENGINE
from ..ledger import LedgerError
from .actions import EngineActions
from .asides import Aside
from .asking import answer_of, assumed
from .beginnings import beginning
from .bookmarks import Bookmarks
from .braking import Brake, Toll, toll_of
from .giving import outputs_of, outputs_there_are
from .heeding import braking_mapping, mapped_objects
from .holding import Holding, Looking
from .inputs import checked
from .interpreter import StepWrapper, Walk
from .items import ITEM, Item
from .listing import listed
from .literals import arguments_of, literals_of
from .looking_up import missing_sentinel
from .loops import Loops
from .nesting import asks, flows_called
from .outcomes import (
    CANCELLED,
    Question,
    RunResult,
    Status,
    StepFailed,
    Stopped,
    Waiting,
    of_ledger,
)
from .permits import STALE, Permit
from .portions import Items
from .scope import Frame, Told
from .sightings import Marks
from .tallying import MOST_QUIET, Tally
from .wording import took_longer
from .world import World

if TYPE_CHECKING:
    from .engine import Engine

Ask = Callable[[Question], Awaitable[Mapping[str, Any] | None]]
"""Asks a person; None where the answer will come later, and the run is to be put aside."""

_DEEPEST = 20


class OneRun:
    """One run of one flow, and of the flows it calls."""

    walk: Walk
    place: Frame

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
        ask: Ask | None = None,
    ) -> None:
        self.engine, self.flow, self.id = engine, flow, run_id
        self.permit, self._ask = permit, ask
        self.at = at or (permit.at if permit else engine.clock())
        self.braking = braking_mapping(engine.project, flow)
        self.world = World(
            ledger=engine.ledger,
            client=engine.client,
            connector=engine.connector,
            clock=engine.clock,
            pause=self.sleep,
            run_id=run_id,
            flow=flow.id,
            flow_hash=flow.content_hash,
            mapping=self.braking.id if self.braking else None,
            planning=planning,
            permit=permit,
            columns=engine.columns,
            released=release_brake,
            mapped=mapped_objects(engine.project, engine.used(flow.id)),
        )
        self.bookmarks = Bookmarks(
            ledger=engine.ledger,
            flow=flow,
            run_id=run_id,
            at=self.at,
            writing=not (planning or permit),
        )
        self.world.horizon = lambda: self.bookmarks.horizon
        self.holding = self._made_holding(planning=planning)
        self.brake = self._made_brake(released=release_brake or planning)
        self.loops = self._made_loops(planning=planning)
        self.actions = EngineActions(
            self.world,
            mappings=engine.project.mappings,
            env=engine.environment.values,
            flow=flow.id,
        )
        self.cursors: Mapping[str, datetime] = {}
        self.planning = planning
        self.before: Aside | None = None
        self.questions: list[Question] = []
        self._rehearsed: OneRun | None = None
        self.keeps = ask is not None and any(map(asks, flows_called(flow, engine.project.flows)))

    def _made_brake(self, *, released: bool) -> Brake:
        return Brake(
            flow=self.flow.id,
            mapping=self.braking,
            rehearsal=self._rehearsal,
            links=self.engine.ledger.links.count,
            missing=partial(
                missing_sentinel, self.world, self.braking, self.engine.environment.values
            ),
            released=released,
        )

    def _made_loops(self, *, planning: bool) -> Loops:
        return Loops(
            hold=self.holding.deal,
            held=None if planning else partial(self.world.heed_others, since=self.at),
            settled=self._settled,
            failed=self._failed,
            before=self._before,
            only=self.permit.keys if self.permit else None,
            progress=self.engine.progress,
            tally=Tally(most_quiet=None if planning else MOST_QUIET),
            behind=self.world.portion,
            bookmarks=self.bookmarks,
        )

    def _made_holding(self, *, planning: bool) -> Holding | Looking:
        if planning:
            return Looking(books=self.world.books)
        leases = self.engine.ledger.leases
        return Holding(leases=leases, owner=self.id, books=self.world.books)

    def _rehearsal(self) -> OneRun:
        rehearsal = OneRun(self.engine, self.flow, self.id, planning=True)
        rehearsal.world.foresight = self.world.foresight.copied()
        self._rehearsed = rehearsal
        return rehearsal

    async def _before(self, walk: Walk, loop: ForEach, frame: Frame, items: Items) -> None:
        """Heed the brake; what a rehearsal has read is not read a second time."""
        self._rehearsed = None
        await self.brake.before(walk, loop, frame, items)
        known = self._rehearsed
        self.world.foresight.replies = known.world.foresight.replies if known else {}

    async def go(
        self,
        inputs: Mapping[str, Any],
        wrap: StepWrapper | None,
        *,
        cursors: Mapping[str, datetime] | None = None,
        aside: Any = None,
    ) -> RunResult:
        """Run to the end, or from where it was put *aside*; a failure is a result."""
        self.before = before = Aside.from_json(aside) if aside is not None else None
        if before is not None:
            self.at = before.began
            self.loops.partial = before.partial
            self.brake.released |= before.released
        self.walk = Walk(
            flow=self.flow,
            effects=self,
            wrap=wrap,
            watch=self.engine.watch,
            records=dict(before.steps) if before is not None else {},
        )
        told = before.told if before is not None else Told()
        self.place = self._frame(self.flow, inputs, told, path="")
        known = self.permit.cursors if self.permit else cursors
        self.cursors = await self.engine.ledger.cursors.all() if known is None else known
        await self.world.look_back()
        if self.planning:
            used = self.engine.used(self.flow.id).mappings
            self.world.marks = Marks.of(self.actions.mirror(name) for name in used)
        status: Status
        error: dict[str, Any] | None = None
        outputs: dict[str, Any] = {}
        try:
            if before is not None:
                before.refuse_changed(self._definitions())
            await self.world.ask_times(self.cursors, self.engine.used(self.flow.id).connections)
            await self._walk(self.walk, self.place)
            outputs = outputs_of(self.flow, self.place)
            await self.world.forget(self.world.loose_intents)
            status = "succeeded"
        except Stopped as stopped:
            status, outputs = stopped.status, outputs_there_are(self.flow, self.place)
            if status == "failed":
                error, outputs = stopped.as_failure().as_json(), {}
        except StepFailed as failure:
            status, error = "failed", failure.as_json()
        except Waiting:
            status = "waiting"
        except asyncio.CancelledError:
            status, error = "cancelled", CANCELLED.as_json()
        finally:
            await asyncio.shield(self.holding.aclose())
        if status in ("succeeded", "skipped"):
            await self.bookmarks.close()
        if status == "succeeded" and self.loops.partial:
            status = "partial"
        return self._result(status, outputs, error)

    def _result(
        self, status: Status, outputs: Mapping[str, Any], error: dict[str, Any] | None
    ) -> RunResult:
        before = self.before or Aside.nothing(self.at)
        told = {id(write): write.as_json() for write in self.world.writes}
        changes = [write.as_change() for write in self.world.writes] if self.planning else []
        counts = Counter(before.counts)
        counts.update(self.loops.tally.counts())
        return RunResult(
            run_id=self.id,
            flow=self.flow.id,
            status=status,
            outputs=outputs,
            counts=dict(counts),
            steps=[record.as_json() for record in self.walk.records.values()],
            writes=[*before.writes, *(changes or told.values())],
            error=error,
            records=[*before.records, *(one.as_json(told) for one in self.loops.tally.records())],
            question=self.questions[0] if status == "waiting" else None,
        )

    def aside(self, result: RunResult) -> dict[str, Any]:
        """What must be kept so that the run can be taken up again, as the ledger can keep it."""
        kept = Aside(
            told=self.place.told,
            steps=self.walk.records,
            counts=result.counts,
            writes=result.writes,
            records=result.records,
            partial=self.loops.partial,
            began=self.at,
            definitions=self._definitions(),
            released=self.brake.released,
        )
        asked = self.questions[0]
        question = {"key": asked.key, "message": asked.message, "until": asked.until}
        return kept.as_json() | {"question": question}

    def _definitions(self) -> dict[str, str]:
        called = flows_called(self.flow, self.engine.project.flows)
        return {one.id: one.content_hash for one in called}

    async def _walk(self, walk: Walk, frame: Frame) -> None:
        limit = walk.flow.timeout
        try:
            async with asyncio.timeout(limit.total_seconds() if limit else None):
                await walk.steps(walk.flow.steps, frame, top=walk.depth == 0)
        except TimeoutError as late:
            raise StepFailed("timeout", f"flow {walk.flow.id} {took_longer(limit)}") from late

    def _frame(self, flow: Flow, inputs: Mapping[str, Any], told: Told, *, path: str) -> Frame:
        return Frame(
            names={
                "inputs": dict(inputs),
                "env": dict(self.engine.environment.values),
                "run": {"id": self.id, "flow": flow.id, "now": self.at},
                "mapping_fields": ScopeFunction(self._mapping_fields),
                "cursor": ScopeFunction(self._cursor),
            },
            told=told,
            path=path,
        )

    def _cursor(self, name: str) -> datetime:
        client = self.engine.clients.get(name.partition(".")[0])  # a cursor begins with its system
        there = client.time_there() if client is not None else None
        return beginning(self.cursors.get(name), there=there or self.now())

    def _mapping_fields(self, mapping: str, side: str) -> list[str]:
        mirror = self.actions.mirror(mapping)
        return list(mirror.right_fields() if side == "right" else mirror.left_fields())

    async def act(self, action: Action, arguments: Mapping[str, Any]) -> Any:
        """Do an operation of a connector or of the engine."""
        try:
            if action.system in ENGINE:
                return await self.actions.act(
                    action.system, action.operation, arguments, place=action.place
                )
            known = self.engine.connector(action.system).operations.get(action.operation)
            given = {**arguments, **literals_of(action, known)}
            whole = self.keeps or ITEM.get() is not None
            lists = None if whole else self.engine.streamed.get(action.place)
            return await listed(self.world, action, given, lists, sleep=self.sleep)
        except LedgerError as error:
            raise of_ledger(error) from error

    def bound(self, call: CallFlow) -> Mapping[str, Value]:
        """The arguments of a call, its literals typed by what the called flow takes."""
        return arguments_of(call, self.engine.project.flows.get(call.flow))

    async def child(self, flow: str, arguments: Mapping[str, Any], walk: Walk, place: Frame) -> Any:
        """Run another flow as part of this one, and give its outputs."""
        depth = walk.depth + 1
        if depth > _DEEPEST:
            raise StepFailed("invalid", f"flows call each other more than {_DEEPEST} deep")
        called = self.engine.project.flow(flow)
        try:
            given = checked(called, arguments, env=self.engine.environment.values)
        except ValueError as error:
            raise StepFailed("invalid", str(error)) from error
        inner = Walk(flow=called, effects=self, depth=depth, watch=self.engine.watch)
        frame = self._frame(called, given, place.told, path=place.path)
        try:
            await self._walk(inner, frame)
            return outputs_of(called, frame)
        except Stopped as stopped:
            if stopped.scope == "item":
                raise
            if stopped.status == "failed":
                raise stopped.as_failure() from None
            return outputs_there_are(called, frame)

    async def ask(self, question: Question) -> Mapping[str, Any]:
        """What a person answers; raises Waiting where nobody has yet."""
        if self.planning:
            return assumed(question.answer)
        if self._ask is None:
            raise StepFailed(
                "invalid",
                f"step {question.step!r} waits for a person, and there is nobody to ask here",
                hint=f"run it on Prefect, where its UI asks: cosell run {self.flow.id}; "
                "or with --local on a terminal",
            )
        given = await self._ask(question)
        if given is not None:
            try:
                return answer_of(question.answer, given)
            except ValueError as error:
                raise StepFailed("invalid", f"the answer does not fit: {error}") from error
        if question.until is not None and question.until <= self.now():
            waited = question.until - question.asked_at
            raise StepFailed("timeout", f"nobody answered within {waited}")
        self.questions.append(question)
        raise Waiting

    def now(self) -> datetime:
        """The engine's time, UTC."""
        return self.world.now()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await self.engine.sleep(seconds)

    async def _settled(self, item: Item) -> None:
        if item.status != "failed" and not self.planning:
            await self.world.through_with(item)

    async def _failed(self, item: Item, value: Any, failure: StepFailed) -> None:
        """An item that failed without saying so itself becomes a dead letter all the same."""
        if item.letters or self.planning or failure.code == STALE:
            return
        mapping = self.flow.uses_mappings[0] if self.flow.uses_mappings else self.flow.id
        is_referral = len(item.key) == len(str(uuid.UUID(int=0))) and item.key.count("-") == 4
        ids = {"referral_id" if is_referral else "opportunity_id": item.key}
        await self.world.books.write_letter(
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
        return await self.brake.judged(self.toll)

    def toll(self, links: int) -> Toll:
        """What the run did so far, or would do."""
        found = self.world
        return toll_of(self.loops.tally.told, links, lost=len(found.lost), empty=found.empty)
