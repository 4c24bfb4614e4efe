"""Check the tests of flows against what they test: every name, every answer, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from cosell_connectors import imitating
from cosell_connectors.imitating import Failure, NotLikeIt
from cosell_connectors.likeness import check_records
from cosell_connectors.model import Connector, Operation
from cosell_definitions.binding import misfit
from cosell_definitions.meaning import intended
from cosell_definitions.model import Flow
from cosell_definitions.model_tests import (
    Around,
    Case,
    Expect,
    Failing,
    Fixture,
    FlowTests,
    KnownLetter,
    KnownLink,
    Mock,
    Raw,
    Reply,
    Returned,
    State,
    Told,
    Triggered,
    is_fixture,
)
from cosell_definitions.parsing_settings import misfit as variable_misfit
from cosell_definitions.problems import Place, Problem, did_you_mean

from .finding import Findings, suggestion
from .viewing import ProjectView

Look = Callable[[str, str | None], Any]
"""Reads a fixture, of a system or none; raises LookupError with `message` and `hint`."""


def check_tests(
    tests: FlowTests, view: ProjectView, *, connectors: Mapping[str, Connector], look: Look
) -> list[Problem]:
    """Every problem of one file of tests. *connectors*: by the name of the connection."""
    found = Findings()
    flow = view.flows.get(tests.flow)
    if flow is None:
        if tests.flow not in view.broken:
            found.say(
                "T020",
                tests.flow_place,
                f"there is no flow {tests.flow!r}",
                suggestion(tests.flow, list(view.flows), there="there are"),
            )
        return found.problems
    checker = _Checker(flow, view, found, connectors, look)
    checker.around(tests.common)
    for case in tests.cases:
        checker.case(case)
    return found.problems


class _Checker:
    """Checks the cases of one file."""

    def __init__(
        self,
        flow: Flow,
        view: ProjectView,
        found: Findings,
        connectors: Mapping[str, Connector],
        look: Look,
    ) -> None:
        self.flow, self.view, self.found = flow, view, found
        self.connectors, self.look = connectors, look
        self.steps = dict(_reachable(flow, view))

    def case(self, case: Case) -> None:
        """One case."""
        self.around(case.around)
        self._inputs(case)
        for step, told in case.answers.items():
            self._step(Told(value=step, place=told.place))
        self._expect(case.expect)

    def around(self, around: Around) -> None:
        """What surrounds a case, or all of them."""
        self._env(around)
        for mock in around.mocks.values():
            self._mock(mock)
        self._state(around.state)

    # -- what is given ------------------------------------------------------------------------

    def _env(self, around: Around) -> None:
        for name, (value, place) in around.env.items():
            declared = self.view.declarations.get(name)
            if declared is None:
                known = list(self.view.declarations)
                self.found.say(
                    "T025",
                    around.env_places.get(name, place),
                    f"no solution declares a variable {name}",
                    suggestion(name, known, there="there are"),
                )
                continue
            wrong = variable_misfit(declared, value) if declared.name else None
            if wrong is not None:
                self.found.say(
                    "T026", place, f"{name} is {value!r}; {wrong} is needed", "change the value"
                )

    def _inputs(self, case: Case) -> None:
        known = {one.name: one for one in self.flow.inputs}
        for name, value in case.inputs.items():
            place = case.input_places.get(name, case.place)
            if name not in known:
                self.found.say(
                    "T028",
                    place,
                    f"flow {self.flow.id!r} has no input {name!r}",
                    suggestion(name, list(known), there="its inputs"),
                )
                continue
            self._fixtures_in(value, place)
            node = case.input_nodes.get(name)
            wrong = misfit(node, value, known[name]) if node and not _holds_fixture(value) else None
            if node is not None and wrong is not None:
                self.found.say(
                    "T029",
                    node.place,
                    f"the input {name!r} does not take this value: {wrong}",
                    "change the value",
                )
        by_trigger = self._trigger(case.trigger) if case.trigger is not None else set()
        by_trigger |= intended(case.inputs, known)
        for name, one in known.items():
            if one.required and name not in case.inputs and name not in by_trigger:
                self.found.say(
                    "T029",
                    case.place,
                    f"flow {self.flow.id!r} needs the input {name!r}",
                    f"add inputs: {{ {name}: … }}",
                )

    def _trigger(self, told: Triggered) -> set[str]:
        """The inputs that a trigger gives."""
        trigger = next((one for one in self.flow.triggers if one.id == told.id), None)
        if trigger is None:
            names = [one.id for one in self.flow.triggers]
            self.found.say(
                "T027",
                told.place,
                f"flow {self.flow.id!r} has no trigger {told.id!r}",
                suggestion(told.id, names, there="its triggers"),
            )
            return {one.name for one in self.flow.inputs}
        if trigger.type != "webhook" and (told.fixtures or told.events):
            self.found.say(
                "T027",
                told.place,
                f"trigger {told.id!r} is a {trigger.type}: no events come with it",
                "leave the events out, or name a trigger of type webhook",
            )
        for file, place in told.fixtures:
            self._looked_up(file, trigger.connection, place)
        return set(trigger.inputs)

    def _state(self, state: State) -> None:
        known: tuple[KnownLink | KnownLetter, ...] = (*state.links, *state.letters)
        for one in known:
            if one.mapping is None or one.mapping in self.view.mappings:
                continue
            if one.mapping not in self.view.broken:
                self.found.say(
                    "T032",
                    one.place,
                    f"there is no mapping {one.mapping!r}",
                    suggestion(one.mapping, list(self.view.mappings), there="there are"),
                )
        for letter in state.letters:
            for value in (letter.left, letter.right):
                self._fixtures_in(value, letter.place)
        for link in state.links:
            for value in (link.left, link.right, link.notes):
                self._fixtures_in(value, link.place)

    # -- what is answered ---------------------------------------------------------------------

    def _mock(self, mock: Mock) -> None:
        if mock.system in self.view.operations and mock.system not in self.connectors:
            if mock.system not in self.view.connections:  # `sync`, `debug`: they are ours
                self.found.say(
                    "T023",
                    mock.place,
                    f"{mock.name} is the engine's own, and is really done",
                    "mock what it asks of other systems, or give `state`",
                )
            return
        connector = self.connectors.get(mock.system)
        operation = self._operation(mock.name, mock.place)
        if connector is None or operation is None:
            return
        for reply in mock.replies:
            self._answer(connector, operation, reply, mock)

    def _operation(self, name: str, place: Place) -> Operation | None:
        """The operation that is named; a problem where there is none."""
        system, _, wanted = name.partition(".")
        if system not in self.view.operations:
            known = list(self.view.operations)
            self.found.say(
                "T022",
                place,
                f"there is no system {system!r}",
                suggestion(system, known, there="there are"),
            )
            return None
        operations = self.view.operations[system]
        if wanted not in operations:
            self.found.say(
                "T022",
                place,
                f"{system} has no operation {wanted!r}",
                suggestion(wanted, list(operations), there=f"{system} has"),
            )
            return None
        connector = self.connectors.get(system)
        return connector.operations.get(wanted) if connector is not None else None

    def _answer(self, connector: Connector, operation: Operation, reply: Reply, mock: Mock) -> None:
        if reply.when is not None:
            self._arguments(reply.when, mock.name, reply.place)
        record = connector.record_of(operation)
        try:
            match reply.answer:
                case Returned(value=value):
                    if self._fixtures_in(value, reply.place, mock.system) and not is_fixture(value):
                        imitating.body_of(operation, value)
                    if record is not None:
                        check_records(operation, record, value)
                case Fixture(file=file, merge=merge, without=without):
                    body = self._looked_up(file, mock.system, reply.place)
                    if body is not None and merge is None and not without:
                        imitating.check_body(operation, body)
                    if record is not None and operation.paging is None:
                        check_records(operation, record, merge, whole=True)
                case Raw(body=body):
                    self._fixtures_in(body, reply.place, mock.system)
                case Failing() as failing:
                    _check_failing(connector, failing)
        except NotLikeIt as wrong:
            self.found.say("T030", reply.place, f"{mock.name}: {wrong}", wrong.hint)

    def _fixtures_in(self, value: Any, place: Place, system: str | None = None) -> bool:
        """Whether every fixture named in *value* is there."""
        if is_fixture(value):
            return self._looked_up(str(value["fixture"]), system, place) is not None
        inner: Iterable[Any] = ()
        if isinstance(value, Mapping):
            inner = value.values()
        elif isinstance(value, list | tuple):
            inner = value
        found = [self._fixtures_in(one, place, system) for one in inner]  # each is told of
        return all(found)

    def _looked_up(self, file: str, system: str | None, place: Place) -> Any:
        try:
            return self.look(file, system)
        except LookupError as missing:
            hint = getattr(missing, "hint", None)
            self.found.say("T024", place, getattr(missing, "message", str(missing)), hint)
            return None

    def _arguments(self, given: Mapping[str, Any], name: str, place: Place) -> None:
        system, _, wanted = name.partition(".")
        operation = self.view.operations.get(system, {}).get(wanted)
        for argument in given if operation is not None else ():
            if operation is not None and argument not in operation.parameters:
                self.found.say(
                    "T031",
                    place,
                    f"{name} has no parameter {argument!r}",
                    suggestion(argument, list(operation.parameters), there="it takes"),
                )

    # -- what is expected ---------------------------------------------------------------------

    def _expect(self, expect: Expect) -> None:
        for told in (*expect.ran, *expect.not_ran, *expect.skipped):
            self._step(told)
        for calls in expect.calls:
            self._operation(calls.name, calls.place)
            if calls.some is not None:
                self._arguments(calls.some, calls.name, calls.place)
            for one in calls.each or ():
                self._arguments(one.value, calls.name, one.place)
        self._names(expect.outputs, "T033", "output", [one.name for one in self.flow.outputs])
        self._names(expect.counts, "T033", "count", _COUNTS)

    def _names(
        self, told: Mapping[str, Told], code: str, kind: str, known: Collection[str]
    ) -> None:
        for name, one in told.items():
            if name not in known:
                self.found.say(
                    code,
                    one.place,
                    f"there is no {kind} {name!r}",
                    suggestion(name, list(known), there="there are"),
                )

    def _step(self, told: Told) -> None:
        child, slash, step = str(told.value).partition("/")
        flow, step = (child, step) if slash else (self.flow.id, child)
        if flow not in self.steps:
            self.found.say(
                "T021",
                told.place,
                f"flow {self.flow.id!r} calls no flow {flow!r}",
                suggestion(flow, list(self.steps), there="its steps are in"),
            )
        elif step not in self.steps[flow]:
            self.found.say(
                "T021", told.place, f"no step of {flow} is called {step!r}", self._meant(flow, step)
            )

    def _meant(self, flow: str, step: str) -> str:
        near = did_you_mean(step, self.steps[flow])
        if near is not None:
            return f"did you mean {near!r}?"
        owner = next((name for name, ids in self.steps.items() if step in ids), None)
        if owner is not None:
            return f"it is a step of a flow that is called: write {owner}/{step}"
        return f"its steps: {', '.join(sorted(self.steps[flow])[:20])}"


_COUNTS = ("read", "created", "updated", "unchanged", "skipped", "failed")


def _check_failing(connector: Connector, failing: Failing) -> None:
    if failing.lost or failing.error_class == "timeout":
        return
    imitating.failing(
        connector,
        Failure(
            error_class=failing.error_class,
            code=failing.code,
            message=failing.message,
            retry_after=failing.retry_after,
        ),
    )


def _holds_fixture(value: Any) -> bool:
    if is_fixture(value):
        return True
    if isinstance(value, Mapping):
        return any(_holds_fixture(one) for one in value.values())
    return isinstance(value, list | tuple) and any(_holds_fixture(one) for one in value)


def _reachable(flow: Flow, view: ProjectView) -> Iterator[tuple[str, frozenset[str]]]:
    """The flow, and those it calls, each with the ids of its steps."""
    seen: set[str] = set()
    waiting = [flow.id]
    while waiting:
        name = waiting.pop()
        steps = view.steps_of(name) if name not in seen else None
        if steps is not None:
            seen.add(name)
            yield name, steps.ids
            waiting += steps.calls
