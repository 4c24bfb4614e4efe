"""Walk the steps of a flow as they would run, and check what each reads, calls and is given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cosell_definitions.binding import has_templates
from cosell_definitions.model import (
    Action,
    Approve,
    Bare,
    CallFlow,
    Case,
    Flow,
    ForEach,
    If,
    OnError,
    Parallel,
    Scope,
    SetValues,
    Step,
    Stop,
    Switch,
    Template,
    Until,
    Value,
    Wait,
)
from cosell_definitions.problems import Place, Severity

from . import syntax as s
from .expressions import compiled
from .filters import FUNCTIONS
from .finding import Findings, templates_in
from .knowing import ERROR, NOTHING, answer_of, loop_of
from .planning_calls import check_action, check_call, check_output
from .planning_names import ALL_NAMES, NAMES_OF_RUN, Reader, Seen, type_of_literal
from .planning_texts import Known, check_key, check_text, check_texts, known_by
from .planning_values import check_case, check_case_taken, check_wait
from .referring import conjuncts, spelled
from .steps_within import ends, inner_steps
from .tolerating import well
from .types import ANY, INTEGER, Type
from .values import Faulty
from .viewing import ProjectView

NAMES_THAT_STAND = (
    NAMES_OF_RUN
    | {"index", "error", "event", "events"}
    | frozenset(name for name, entry in FUNCTIONS.items() if entry.from_scope)
)


@dataclass(slots=True)
class Path:
    """Where in the flow the walk is: what holds there, and which names are in scope."""

    conditions: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()  # what holds besides, or the flow would have been stopped
    sure: frozenset[str] = frozenset()  # ids of steps that must have run, or this would not
    loops: tuple[str, ...] = ()
    tidies: int | None = None  # in a `finally`: how many loops there are around it
    names: frozenset[str] = field(default_factory=lambda: NAMES_OF_RUN)
    types: Mapping[str, Type] = field(default_factory=dict)  # of the names of loops and handlers

    def under(self, *conditions: str, sure: frozenset[str] = frozenset()) -> Path:
        """The same place, with more that holds."""
        return replace(self, conditions=self.conditions | set(conditions), sure=self.sure | sure)


class StepWalk:
    """One walk through one flow."""

    def __init__(self, flow: Flow, view: ProjectView, found: Findings) -> None:
        self.flow = flow
        self.view = view
        self.found = found
        self.reader = Reader(flow, view, found)

    def check(self) -> None:
        """Check all steps and outputs."""
        self._collect(self.flow.steps)
        path = Path()
        self._steps(self.flow.steps, path)
        for output in self.flow.outputs:
            given = self._read(output.value, path)
            check_output(output, given, self.found)
            check_text(output.value, output.place, self._known(path), self.found)

    # -- the order of things ----------------------------------------------------------------

    def _collect(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if step.id in self.reader.all_ids:
                first = self.reader.all_ids[step.id]
                self.found.say(
                    "F011",
                    step.id_place or step.place,
                    f"a second step is called {step.id!r}; first on line {first.line}",
                    "give it a name of its own: ids are unique in a flow",
                )
            else:
                self.reader.all_ids[step.id] = step.id_place or step.place
            for inner in inner_steps(step):
                self._collect(inner)

    def _steps(self, steps: Iterable[Step], path: Path) -> None:
        end: Step | None = None
        for step in steps:
            if end is not None:
                self._never_run(step, end)
            end = step if ends(step) else None
            self._step(step, path)
            if isinstance(step.do, Stop) and step.when is not None:
                after = self._where_not(step.when, path)  # else we would not be here
                path.facts, path.sure = path.facts | after.conditions, after.sure

    def _step(self, step: Step, outer: Path) -> None:
        path = outer
        if step.when is not None:
            self._condition(step.when, outer)
            path = self._where(step.when, outer)
        self.reader.running.append(step.id)
        before = set(self.reader.seen)
        output = self._do(step, path)
        self.reader.running.pop()
        self._finish(step, path, output)
        if step.on_error is not None:
            self._handled(step, step.on_error, path, before)
        self._steps(step.finally_, replace(path, tidies=len(path.loops)))

    def _handled(self, step: Step, handler: OnError, path: Path, before: set[str]) -> None:
        """What comes after a failure; where the flow goes on, nothing of the step may be there."""
        passed = {name: seen for name, seen in self.reader.seen.items() if name not in before}
        for name, seen in passed.items():
            self.reader.seen[name] = replace(seen, conditions=seen.conditions | {well(step.id)})
        handling = replace(
            path.under(f"on_error:{step.id}"),
            names=path.names | {"error"},
            types={**path.types, "error": ERROR},
        )
        self._steps(handler.steps, handling)
        if handler.then == "fail":
            self.reader.seen.update(passed)

    def _never_run(self, step: Step, end: Step) -> None:
        self.found.say(
            "F040",
            step.place,
            f"this is never run: step {end.id!r} on line {end.place.line} always stops",
            f"delete it, move it in front of {end.id!r}, or give {end.id!r} a `when`",
            severity=Severity.WARNING,
        )

    def _finish(self, step: Step, path: Path, output: Type) -> None:
        """From here on the step can be read."""
        self.reader.seen.setdefault(
            step.id, Seen(output=output, conditions=path.conditions, loops=path.loops)
        )

    def _where(self, condition: Bare, path: Path) -> Path:
        """Where a condition holds."""
        used = self.reader.usage(condition)
        if used is None:
            return replace(path)
        return path.under(*used.conditions, sure=_step_ids(used.sure))

    def _where_case(self, subject: Bare, case: Case, path: Path) -> Path:
        """Where a case of one value holds, as where the comparison with it does."""
        match case.values:
            case (str() | int() as value,):
                sign = f"({subject.text}) == {value!r}"
                return self._where(replace(subject, text=sign), path)
        return path

    def _where_not(self, condition: Bare, path: Path) -> Path:
        """Where a condition does not hold."""
        used = self.reader.usage(condition)
        if used is None:
            return replace(path)
        return path.under(*_negations(condition), sure=_step_ids(used.denied))

    # -- kinds of steps ---------------------------------------------------------------------

    def _do(self, step: Step, path: Path) -> Type:
        """Check what the step does; gives the type of its output, as far as it is known."""
        match step.do:
            case Action() as action:
                check_texts(action.argument_nodes.values(), self._known(path), self.found)
                given = {name: self._read(it, path) for name, it in action.arguments.items()}
                return check_action(action, step, given, self.view, self.found)
            case CallFlow() as call:
                check_texts(call.argument_nodes.values(), self._known(path), self.found)
                given = {name: self._read(it, path) for name, it in call.arguments.items()}
                return check_call(call, step, given, self.view, self.found)
            case SetValues(values=values, nodes=nodes):
                check_texts(nodes, self._known(path), self.found)
                return self._read(dict(values), path)
            case ForEach() as loop:
                return self._foreach(step, loop, path)
            case Approve(message=message, answer=answer):
                if path.tidies is not None:
                    self._not_in_finally(step, "a question")
                for value in (message, *(one.default for one in answer)):
                    self._read(value, path)
                return answer_of(answer)
            case Scope(steps=steps, guessed=True):
                self.found.unsure = True
                self._steps(steps, replace(path))
                return ANY
            case _:
                self._control(step, path)
        return NOTHING

    def _control(self, step: Step, path: Path) -> None:
        """Steps that decide what comes next, and give out nothing themselves."""
        match step.do:
            case If() as choice:
                self._if(choice, path)
            case Switch() as switch:
                self._switch(step.id, switch, path)
            case Until(condition=condition, steps=steps):
                inner = replace(path)
                self._steps(steps, inner)
                self._condition(condition, inner)
            case Parallel() as parallel:
                self._parallel(step.id, parallel, path)
            case Wait(until=until):
                given = self._read(until, path)
                if isinstance(until, Template):
                    check_wait(until, given, self.found)
            case Stop() as stop:
                self._stop(step, stop, path)
            case Scope(steps=steps, key=key):
                self._read(key, path)
                self._steps(steps, replace(path))

    def _if(self, choice: If, path: Path) -> None:
        self._condition(choice.condition, path)
        self._steps(choice.then, self._where(choice.condition, path))
        self._steps(choice.otherwise, self._where_not(choice.condition, path))

    def _switch(self, step_id: str, switch: Switch, path: Path) -> None:
        subject = self._read(switch.subject, path)
        taken: dict[Value, Place] = {}
        for number, case in enumerate(switch.cases):
            for place, value in zip(case.places, case.values, strict=False):
                given = self._read(value, path)
                check_case(switch.subject, subject, value, given, place, self.found)
                if not has_templates(value) and (first := taken.setdefault(value, place)) != place:
                    check_case_taken(value, first, place, self.found)
            token = f"switch:{step_id}:{number}"
            self._steps(case.steps, self._where_case(switch.subject, case, path).under(token))
        self._steps(switch.default or (), path.under(f"switch:{step_id}:default"))

    def _foreach(self, step: Step, loop: ForEach, path: Path) -> Type:
        item = self._items(loop, path).each
        self._hidden(step, loop, path)
        inner = replace(
            path,
            loops=(*path.loops, step.id),
            names=path.names | {loop.name, "index"} if loop.name.isidentifier() else ALL_NAMES,
            types={**path.types, loop.name: item, "index": INTEGER},
        )
        self._read(loop.key, inner)
        known, here = self._known(inner), loop.key_place or step.place
        check_key(loop.key, here, known, self.found, item=loop.name)
        check_text(loop.result, loop.result_place or step.place, known, self.found)
        self._steps(loop.steps, inner)
        result = self._read(loop.result, inner)
        return loop_of(None if loop.result is None else result)

    def _items(self, loop: ForEach, path: Path) -> Type:
        named = re.match(r"\s*(?P<name>[A-Za-z_]\w*)\s+in\s+(?P<list>.+)", loop.items.text)
        if named is None or named["name"] in path.names:
            items = self._read(loop.items, path)
            self.reader.list_needed(loop.items, items)
            return items
        self.found.say(
            "X009",
            loop.items.place,
            "`foreach` takes the list alone; its item has a name under `as`",
            f"write: foreach: {named['list'].strip()}, and as: {named['name']}",
        )
        return ANY

    def _hidden(self, step: Step, loop: ForEach, path: Path) -> None:
        """The item's name is its own: neither one of the language, nor that of a loop around.

        Where nothing breaks by it, it only misleads: a warning.
        """
        if loop.name in path.names - NAMES_OF_RUN - {"index", "error"}:
            whose, severity = "the name of the item of a loop around this one", Severity.WARNING
        elif loop.name in NAMES_THAT_STAND:
            whose = "a name that expressions need"
            harmless = loop.name in ("event", "events")  # names of triggers, which have no loops
            severity = Severity.WARNING if harmless else Severity.ERROR
        else:
            return
        self.found.say(
            "F037",
            loop.name_place or step.place,
            f"`as: {loop.name}` hides {whose}",
            "call the item something else",
            severity=severity,
        )

    def _parallel(self, step_id: str, parallel: Parallel, path: Path) -> None:
        """Branches run at the same time: none sees another's steps before all are through."""
        before = dict(self.reader.seen)
        after = dict(before)
        for name, steps in parallel.branches.items():
            self.reader.seen = dict(before)
            token = {f"branch:{step_id}:{name}"} if parallel.wait_for == "any" else set()
            self._steps(steps, path.under(*token))
            after.update(self.reader.seen)
        self.reader.seen = after

    def _stop(self, step: Step, stop: Stop, path: Path) -> None:
        self._read(stop.reason, path)
        if path.tidies is not None and (stop.scope == "flow" or len(path.loops) <= path.tidies):
            self._not_in_finally(step, "a stop")
        if stop.scope == "item" and not path.loops:
            self.found.say(
                "F035",
                step.place,
                "`stop: { item: … }` ends the item of a loop, and there is no loop around it",
                f"to end the flow, write stop: {{ status: {stop.status} }}",
            )

    def _not_in_finally(self, step: Step, what: str) -> None:
        self.found.say(
            "F039",
            step.place,
            f"{what} cannot stand in `finally`, which is done in every case and to its end",
            "put it after the step",
        )

    def _condition(self, condition: Bare, path: Path) -> None:
        self.reader.condition(condition, self._read(condition, path))

    def _known(self, path: Path) -> Known:
        """What could be read here, if it stood in braces."""
        return {
            **known_by(path.types),
            "inputs": [one.name for one in self.flow.inputs],
            "env": self.view.declarations,
            "steps": self.reader.all_ids,
        }

    def _read(self, value: Value | Bare, path: Path) -> Type:
        """Check every expression of a value; gives the type of the value."""
        types = {
            id(source): self.reader.read(
                source,
                names=path.names,
                conditions=path.conditions | path.facts,
                sure=path.sure,
                loops=path.loops,
                types=path.types,
            )
            for source in templates_in(value)
        }
        if isinstance(value, Bare):
            return types[id(value)]
        return type_of_literal(value, types)


def _negations(condition: Bare | Template) -> frozenset[str]:
    """What holds where a condition does not."""
    try:
        node = compiled(condition.text, bare=True).pieces[0].syntax
    except Faulty:
        return frozenset()
    return frozenset(spelled(part) for part in _denied(node))


def _denied(node: s.Syntax) -> tuple[s.Syntax, ...]:
    """`not (a or b)` is `not a` and `not b`."""
    match node:
        case s.Either(left, right, _):
            return (*_denied(left), *_denied(right))
        case s.Not(value, _):
            return conjuncts(value)
    return (s.Not(node, node.at),)


def _step_ids(paths: Iterable[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(path[1] for path in paths if len(path) > 1 and path[0] == "steps")
