"""Play one case: set the stage, run the flow on it, and tell how it went."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cosell_connectors import hooks
from cosell_connectors.imitating import answer as wired
from cosell_connectors.model import Connector
from cosell_definitions.binding import bound
from cosell_definitions.model import Flow, Trigger
from cosell_definitions.model_tests import Around, Case, FlowTests, Triggered
from cosell_definitions.problems import Place, Unsound
from cosell_definitions.settings import EnvironmentFile
from cosell_env.resolving import Environment, resolve

from ...compiling.expressions import ExpressionFailed, evaluate
from ...ledger import Ledger
from ...ledger.history import Change
from ...project import Documents, NoSuchFlow, Project
from ...syncing.audit import last_message
from ..engine import Engine
from ..inputs import BadInputs
from ..outcomes import Question, RunResult
from .covering import Carried, direction_of
from .expecting import Miss, Story, misses
from .fixtures import Fixtures, NoFixture
from .mocks import Fault, Stage
from .seeding import BadState, seed
from .watching import Trace

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""When a case happens that does not say when."""


class Moving:
    """A clock that moves only where a step waits."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The time."""
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a case went."""

    file: str
    flow: str
    case: Case
    misses: tuple[Miss, ...]
    seconds: float
    trace: Trace
    carried: frozenset[Carried] = frozenset()
    staged: tuple[tuple[str, Place], ...] = ()  # every answer that was ready
    unused: tuple[tuple[str, Place], ...] = ()  # those that no call asked for
    result: RunResult | None = None

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.misses


class CannotBegin(Exception):
    """A case cannot be run as it stands; the message says why."""

    def __init__(self, message: str, place: Place, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class StagedProject(Project):
    """A project as a test sees it: its own documents, and nothing of an environment's values."""

    held: Documents

    @cached_property
    def documents(self) -> Documents:
        """What was read already."""
        return self.held


@dataclass(slots=True, kw_only=True)
class Theatre:
    """What all cases of a project share: its documents, and a ledger that is emptied after each."""

    root: Path
    documents: Documents
    bindings: Mapping[str, str]  # connection -> the name of its connector
    ledger: Ledger
    clock: Moving = field(default_factory=lambda: Moving(NOON))
    _engines: dict[tuple[tuple[str, str], ...], Engine] = field(default_factory=dict)
    _staged: Project | None = None

    async def play(self, tests: FlowTests, case: Case) -> Played:
        """Run one case, whatever comes of it."""
        began = time.monotonic()
        trace = Trace()
        around = combined(tests.common, case.around)
        # The run's time passes where a step waits; the ledger's stands still, so that no lease ends.
        clock = Moving(around.now or NOON)
        stage = Stage(
            around.mocks,
            fixtures=self._fixtures(tests),
            connector=self._connector,
            time=clock,
        )
        story: Story | None = None
        changes: list[Change] = []
        try:
            story, changes = await self._story(tests, case, around, stage, trace, clock)
            missed = _faults(stage, case) or tuple(misses(case.expect, story))
        except CannotBegin as trouble:
            missed = (
                Miss(what="case", message=trouble.message, place=trouble.place, hint=trouble.hint),
            )
        finally:
            await self.ledger.forget_everything()
        return Played(
            file=tests.place.file,
            flow=tests.flow,
            case=case,
            misses=missed,
            seconds=time.monotonic() - began,
            trace=trace,
            carried=frozenset(self._carried(changes)),
            staged=tuple(
                (mock.name, one.place) for mock in around.mocks.values() for one in mock.replies
            ),
            unused=tuple(stage.unused()),
            result=story.result if story is not None else None,
        )

    async def _story(
        self,
        tests: FlowTests,
        case: Case,
        around: Around,
        stage: Stage,
        trace: Trace,
        clock: Moving,
    ) -> tuple[Story, list[Change]]:
        self.clock.moment = clock.moment
        engine = self._engine(case, around)
        engine.clock, engine.sleep = clock.now, clock.sleep
        engine.watch, engine.opened = trace, stage.caller
        flow = _flow(engine, tests)
        inputs, started = self._inputs(tests, case, flow, engine)
        try:
            await seed(engine, flow, around.state, self._fixtures(tests), self.clock)
            result = await engine.run(
                flow.id,
                inputs,
                trigger=started,
                release_brake=case.release_brake,
                ask=_Person(case, stage).answer,
            )
        except BadInputs as wrong:
            raise CannotBegin(f"the flow refuses its inputs: {wrong}", case.place) from None
        except (BadState, NoFixture) as wrong:
            raise CannotBegin(wrong.message, case.place, hint=wrong.hint) from None
        except Unsound as unsound:
            raise CannotBegin(str(unsound.problems[0]), case.place) from None
        changes = await self.ledger.history.of_run(result.run_id)
        return await self._told(flow, result, trace, stage, changes), changes

    async def _told(
        self, flow: Flow, result: RunResult, trace: Trace, stage: Stage, changes: list[Change]
    ) -> Story:
        letters = await self.ledger.letters.list()
        lines = [last_message(one.new) for one in changes if one.own and isinstance(one.new, str)]
        return Story(
            flow=flow.id,
            result=result,
            trace=trace,
            calls=stage.calls,
            letters=[
                {
                    "class": one.error_class,
                    "message": one.message,
                    "opportunity_id": one.opportunity_id,
                    "referral_id": one.referral_id,
                }
                for one in letters
            ],
            audit=[line for line in lines if line],
            cursors=await self.ledger.cursors.all(),
        )

    # -- what surrounds a run -----------------------------------------------------------------

    def _fixtures(self, tests: FlowTests) -> Fixtures:
        folder = (self.root / tests.place.file).parent
        return Fixtures(root=self.root, folder=folder, connectors=self.bindings)

    def _connector(self, connection: str) -> Connector:
        return self._project().connector_of(connection)

    def _engine(self, case: Case, around: Around) -> Engine:
        """The engine of these variables: kept, so that each flow is looked at for faults once."""
        known = tuple(sorted((name, value) for name, (value, _) in around.env.items()))
        if known not in self._engines:
            self._engines[known] = Engine(
                project=self._project(),
                environment=self._environment(case, around),
                ledger=self.ledger,
            )
        return self._engines[known]

    def _project(self) -> Project:
        if self._staged is None:
            self._staged = self._made_project()
        return self._staged

    def _made_project(self) -> Project:
        bindings = {name: {"connector": connector} for name, connector in self.bindings.items()}
        environment = EnvironmentFile(
            name="test", connections=bindings, place=Place(file="env/test.yaml")
        )
        held = replace(self.documents, environments={"test": environment})
        return StagedProject(root=self.root, environment_name="test", held=held)

    def _environment(self, case: Case, around: Around) -> Environment:
        """Variables at their defaults, but for what the case says: the same for everybody."""
        file = EnvironmentFile(
            name="test", variables=dict(around.env), place=Place(file="env/test.yaml")
        )
        declared = [
            one
            for one in self.documents.declarations
            if one.default is not None or one.name in around.env
        ]
        try:
            return resolve(declared, file, {}, environment="test", folder=self.root)
        except Unsound as unsound:
            one = unsound.problems[0]
            raise CannotBegin(one.message, one.place, hint=one.hint) from None

    def _inputs(
        self, tests: FlowTests, case: Case, flow: Flow, engine: Engine
    ) -> tuple[dict[str, Any], str]:
        """What the run is given, by its trigger and by hand; and which kind of trigger it is."""
        fixtures = self._fixtures(tests)
        try:
            given = {name: fixtures.resolved(value) for name, value in case.inputs.items()}
            plain = {name for name, value in case.inputs.items() if given[name] == value}
            schemas = {one.name: one.schema for one in flow.inputs if one.name in plain}
            typed = bound(given, case.input_nodes, schemas)
            if case.trigger is None:
                return dict(typed), "manual"
            trigger = _trigger(flow, case.trigger)
            by_trigger = self._by_trigger(trigger, case.trigger, fixtures, engine)
        except NoFixture as missing:
            raise CannotBegin(missing.message, case.place, hint=missing.hint) from None
        return {**by_trigger, **typed}, trigger.type

    def _by_trigger(
        self, trigger: Trigger, told: Triggered, fixtures: Fixtures, engine: Engine
    ) -> dict[str, Any]:
        events = [*told.events, *self._events(trigger, told, fixtures)]
        scope = {
            "events": events,
            **({"event": events[0]} if events else {}),
            "env": dict(engine.environment.values),
            "run": {"now": engine.clock()},
        }
        try:
            return {name: evaluate(value, scope) for name, value in trigger.inputs.items()}
        except ExpressionFailed as error:
            raise CannotBegin(
                f"the inputs of trigger {trigger.id!r}: {error.message}", told.place
            ) from None

    def _events(
        self, trigger: Trigger, told: Triggered, fixtures: Fixtures
    ) -> Iterator[dict[str, Any]]:
        for file, place in told.fixtures:
            webhook = self._connector(trigger.connection).webhook if trigger.connection else None
            if webhook is None:
                raise CannotBegin(f"trigger {trigger.id!r} takes no webhooks", place)
            body = fixtures.read(file, trigger.connection)
            try:
                event = hooks.event(webhook, wired(body).content)
            except hooks.Refused as refused:
                raise CannotBegin(f"{file} is no event: {refused}", place) from None
            yield {
                "name": event.name,
                "resource_id": event.resource_id,
                "resource_uri": event.resource_uri,
                "changed_at": event.changed_at,
            }

    def _carried(self, changes: list[Change]) -> Iterator[Carried]:
        for change in changes:
            mapping = self.documents.mappings.get(change.mapping or "")
            if mapping is None or not change.rule_file or not change.rule_line:
                continue
            way = direction_of(mapping, system=change.system, kind=change.object)
            if not change.own:
                yield change.rule_file, change.rule_line, way
            elif change.operation == "create":  # a name that travelled, with our mark before it
                decorated = [one for one in mapping.fields if one.decoration]
                yield from ((one.place.file, one.place.line, way)
                            for one in decorated if change.field in one.right)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Person:
    """Answers what a flow asks, as the case says."""

    case: Case
    stage: Stage

    async def answer(self, question: Question) -> Mapping[str, Any] | None:
        """The answer to a question; without one, the case is at fault."""
        told = self.case.answers.get(question.step)
        if told is not None:
            return dict(told.value)
        self.stage.faults.append(
            Fault(
                message=f"step {question.step!r} asks a person: {question.message}",
                hint=f"add answers: {{ {question.step}: {{ … }} }}",
            )
        )
        return None


def combined(common: Around, own: Around) -> Around:
    """What surrounds a case: what its file says for all, and its own over it."""
    return Around(
        env={**common.env, **own.env},
        now=own.now or common.now,
        state=replace(
            own.state,
            links=(*common.state.links, *own.state.links),
            cursors={**common.state.cursors, **own.state.cursors},
            values={**common.state.values, **own.state.values},
            letters=(*common.state.letters, *own.state.letters),
        ),
        mocks={**common.mocks, **own.mocks},
    )


def _flow(engine: Engine, tests: FlowTests) -> Flow:
    try:
        return engine.flow(tests.flow)
    except NoSuchFlow as missing:
        raise CannotBegin(str(missing), tests.flow_place, hint=missing.hint) from None
    except Unsound as unsound:
        raise CannotBegin(
            f"the flow has problems: {unsound.problems[0]}",
            tests.flow_place,
            hint="cosell check shows them all",
        ) from None


def _trigger(flow: Flow, told: Triggered) -> Trigger:
    for one in flow.triggers:
        if one.id == told.id:
            return one
    names = ", ".join(one.id for one in flow.triggers) or "none"
    raise CannotBegin(
        f"flow {flow.id!r} has no trigger {told.id!r}", told.place, hint=f"its triggers: {names}"
    )


def _faults(stage: Stage, case: Case) -> tuple[Miss, ...]:
    """What the test itself left open; with it, nothing else about the run means much."""
    return tuple(
        Miss(what="mock", message=one.message, place=one.place or case.place, hint=one.hint)
        for one in stage.faults
    )
