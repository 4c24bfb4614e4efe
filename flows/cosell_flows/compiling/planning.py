"""Check a project's documents against each other, before anything runs. Only what can be known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from cosell_definitions.binding import has_templates, misfit
from cosell_definitions.meaning import intended
from cosell_definitions.model import CallFlow, Flow, Step, Trigger
from cosell_definitions.problems import Place, Problem, Severity

from .finding import Findings, suggestion, templates_in
from .knowing import EVENT
from .planning_calls import check_given, say_refused, say_unknown_input
from .planning_mappings import check_mapping
from .planning_names import Reader, type_of_literal
from .planning_steps import StepWalk
from .steps_within import inner_steps
from .types import list_of
from .viewing import OperationView, ProjectView, View

__all__ = ["OperationView", "ProjectView", "View", "check_flow", "check_mapping", "check_project"]

NAMES_OF_EVENT = frozenset({"event", "events", "env"})
TYPES_OF_EVENT = {"event": EVENT, "events": list_of(EVENT)}
NAMES_OF_CLOCK = frozenset({"env"})


def check_project(view: ProjectView) -> list[Problem]:
    """Every problem between the documents of a project, file by file, from top to bottom."""
    problems: list[Problem] = []
    for flow in view.flows.values():
        problems += check_flow(flow, view)
    for mapping in view.mappings.values():
        problems += check_mapping(mapping, view)
    problems += circles_among(view.flows)
    once = dict.fromkeys(problems)
    return sorted(once, key=lambda it: (it.place.file, it.place.line, it.place.column, it.code))


def check_flow(flow: Flow, view: ProjectView) -> list[Problem]:
    """Every problem of one flow with what it refers to."""
    return examined(flow, view).problems


def examined(flow: Flow, view: ProjectView) -> Findings:
    """Every problem of one flow with what it refers to, and what it was seen to use."""
    found = Findings(
        listed=frozenset((*flow.uses_connections, *flow.uses_env, *flow.uses_mappings))
    )
    StepWalk(flow, view, found).check()
    for trigger in flow.triggers:
        _trigger(trigger, flow, view, found)
    _defaults(flow, view, found)
    _needs(flow, view, found)
    _uses(flow, view, found)
    return found


# -- triggers, defaults, needs --------------------------------------------------------------------


def _trigger(trigger: Trigger, flow: Flow, view: ProjectView, found: Findings) -> None:
    if trigger.connection is not None and trigger.connection not in view.connections:
        found.say(
            "F022",
            trigger.connection_place or trigger.place,
            f"there is no connection {trigger.connection!r}",
            suggestion(trigger.connection, list(view.connections), there="there are"),
        )
    elif trigger.connection is not None:
        found.listening.setdefault(trigger.connection, trigger.place)
        _heard(trigger, trigger.connection, view, found)
    names = NAMES_OF_EVENT if trigger.type == "webhook" else NAMES_OF_CLOCK
    reader = Reader(flow, view, found)
    types = {
        id(source): reader.read(source, names=names, types=TYPES_OF_EVENT)
        for source in templates_in(dict(trigger.inputs))
    }
    inputs = {one.name: one for one in flow.inputs}
    for name, value in trigger.inputs.items():
        place = trigger.input_places.get(name, trigger.place)
        if name not in inputs:
            say_unknown_input(flow, name, place, found)
            continue
        node = trigger.input_nodes.get(name)
        wrong = misfit(node, value, inputs[name]) if node is not None else None
        if node is not None and wrong is not None:
            say_refused(flow, name, node.place, wrong, found)
        elif has_templates(value):
            given = type_of_literal(value, types)
            check_given(flow, inputs[name], given, node.place if node else place, found)
    if trigger.type == "manual":
        return
    meant = intended(trigger.inputs, inputs)
    for one in flow.inputs:
        if one.required and one.name not in trigger.inputs and one.name not in meant:
            found.say(
                "F031",
                trigger.place,
                f"this {trigger.type} does not give the required input {one.name!r}",
                f"add `inputs: {{ {one.name}: … }}` here, or give the input a default",
            )


def _heard(trigger: Trigger, connection: str, view: ProjectView, found: Findings) -> None:
    """A webhook comes from a system that signs what it tells, and tells of what it declares."""
    known = view.events.get(connection)
    if known is None:
        return
    if not known:
        others = [name for name, events in view.events.items() if events]
        found.say(
            "F041",
            trigger.connection_place or trigger.place,
            f"the connector of {connection!r} declares no `webhook`, so nobody can call for it",
            suggestion("", others, there="connections that can"),
        )
        return
    for name, place in zip(trigger.events, trigger.event_places, strict=False):
        if name not in known:
            found.say(
                "F042",
                place,
                f"{connection!r} never tells of {name!r}",
                suggestion(name, list(known), there="it tells of"),
            )


def _defaults(flow: Flow, view: ProjectView, found: Findings) -> None:
    """Defaults of inputs may read the environment."""
    reader = Reader(flow, view, found)
    for one in flow.inputs:
        for source in templates_in(one.default):
            reader.read(source, names=NAMES_OF_CLOCK)


def _needs(flow: Flow, view: ProjectView, found: Findings) -> None:
    for name in flow.needs:
        if name not in view.called and name not in view.broken:
            found.say(
                "F036",
                flow.places.get(("needs", name), flow.place),
                f"there is no flow {name!r}",
                suggestion(name, list(view.called), there="there are"),
            )


# -- uses -----------------------------------------------------------------------------------------


def _uses(flow: Flow, view: ProjectView, found: Findings) -> None:
    """What the flow says it uses is what it uses; the list is what a customer reads first."""
    named = (view.mapped(name) for name in {*found.mappings, *flow.uses_mappings})
    mapped = [one for one in named if one is not None]
    through_mappings = {name for one in mapped for name in one.connections}
    env_of_mappings = {name for one in mapped for name in one.variables}
    kinds: tuple[
        tuple[str, str, tuple[str, ...], Mapping[str, Place], set[str], Collection[str]], ...
    ]
    kinds = (
        (
            "connections",
            "connection",
            flow.uses_connections,
            found.connections,
            {*through_mappings, *found.listening},
            view.connections,
        ),
        (
            "env",
            "environment variable",
            flow.uses_env,
            found.env,
            env_of_mappings,
            view.declarations,
        ),
        (
            "mappings",
            "mapping",
            flow.uses_mappings,
            found.mappings,
            set(),
            (*view.mappings, *view.broken),
        ),
    )
    for kind, word, said, used, indirect, known in kinds:
        for name in said:
            _said(
                flow, found, kind=kind, word=word, name=name, known=known, used={*used, *indirect}
            )
        meant = intended(said, known)  # what a misspelt name of the list stands for is listed
        for name, place in used.items():
            if name not in said and name in known and name not in meant:
                found.say(
                    "F033",
                    place,
                    f"{word} {name!r} is not listed under `uses`",
                    f"add it: uses: {{ {kind}: [{', '.join([*said, name])}] }}",
                    severity=Severity.WARNING,
                )


def _said(
    flow: Flow,
    found: Findings,
    *,
    kind: str,
    word: str,
    name: str,
    known: Collection[str],
    used: Collection[str],
) -> None:
    place = flow.places.get((kind, name), flow.place)
    codes = {"connections": "F022", "env": "F021", "mappings": "F026"}
    if name not in known:
        found.say(
            codes[kind],
            place,
            f"there is no {word} {name!r}",
            suggestion(name, list(known), there="there are"),
        )
    elif not (name in used or name in found.astray or found.unsure) and not intended(
        found.astray, [name]
    ):
        found.say(
            "F032",
            place,
            f"{word} {name!r} is listed under `uses`, but nothing in this flow uses it",
            "delete it from the list",
            severity=Severity.WARNING,
        )


# -- cycles ---------------------------------------------------------------------------------------


def circles_among(flows: Mapping[str, Flow]) -> list[Problem]:
    """Flows that call each other in a circle never end; flows that need each other never start."""
    found = Findings()
    calls = {flow.id: dict(_calls(flow.steps)) for flow in flows.values()}
    needs = {
        flow.id: {name: flow.places.get(("needs", name), flow.place) for name in flow.needs}
        for flow in flows.values()
    }
    for edges, verb in ((calls, "calls"), (needs, "needs")):
        for circle in _circles(edges):
            first, second = circle[0], circle[1]
            found.say(
                "F030",
                edges[first][second],
                f"this goes round in a circle: {f' {verb} '.join(circle)}",
                "break the circle: one of them must do without the next",
            )
    return found.problems


def _calls(steps: tuple[Step, ...]) -> Iterator[tuple[str, Place]]:
    for step in steps:
        if isinstance(step.do, CallFlow):
            yield step.do.flow, step.do.place
        for inner in inner_steps(step):
            yield from _calls(inner)


def _circles(edges: Mapping[str, Mapping[str, Place]]) -> Iterator[tuple[str, ...]]:
    """The shortest circle through each name, each circle once, beginning with its first name."""
    for start in sorted(edges):
        came_from: dict[str, str] = {}
        waiting = [start]
        while waiting and start not in came_from:
            name = waiting.pop(0)
            for other in edges.get(name, ()):
                if other not in came_from:
                    came_from[other] = name
                    waiting.append(other)
        if start not in came_from:
            continue
        circle = [start]
        while came_from[circle[-1]] != start:
            circle.append(came_from[circle[-1]])
        if min(circle) == start:
            yield (start, *reversed(circle[1:]), start)
