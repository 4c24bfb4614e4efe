"""Tell what a flow does without running it: its steps as a tree, what it reads and writes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, assert_never

from cosell_connectors.model import Connector
from cosell_definitions.model import (
    Action,
    Approve,
    CallFlow,
    Flow,
    ForEach,
    If,
    Parallel,
    Schema,
    Scope,
    SetValues,
    Step,
    Stop,
    Switch,
    Template,
    Trigger,
    Until,
    Value,
    Wait,
)
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.parsing_values import duration_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One step: its keyword, what it does in a line, and the steps inside, branch by branch."""

    id: str
    kind: str
    says: str
    line: int
    when: str | None = None
    branches: Mapping[str, tuple[Outline, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The step as `show --json` prints it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "does": self.says,
            "when": self.when,
            "line": self.line,
            "branches": {
                name: [one.as_json() for one in steps] for name, steps in self.branches.items()
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Touch:
    """A kind of record that a flow reads or writes, and with which operation."""

    system: str
    object: str
    operation: str
    step: str
    via: str = ""  # the flow that was called for it; empty: the flow itself

    def as_json(self) -> dict[str, Any]:
        """The touch as `show --json` prints it."""
        return {
            "system": self.system,
            "object": self.object,
            "operation": self.operation,
            "step": self.step,
            "via": self.via or None,
        }


def outline(steps: tuple[Step, ...]) -> tuple[Outline, ...]:
    """The steps as a tree."""
    return tuple(_outlined(step) for step in steps)


def _outlined(step: Step) -> Outline:
    kind, says, branches = _told(step)
    if step.on_error is not None and step.on_error.steps:
        branches = {**branches, "on_error": step.on_error.steps}
    if step.finally_:
        branches = {**branches, "finally": step.finally_}
    return Outline(
        id=step.id,
        kind=kind,
        says=says,
        line=step.place.line,
        when=step.when.text if step.when is not None else None,
        branches={name: outline(inner) for name, inner in branches.items() if inner},
    )


def _told(step: Step) -> tuple[str, str, Mapping[str, tuple[Step, ...]]]:  # noqa: C901, PLR0912 - one line for each kind
    do = step.do
    match do:
        case Action():
            return "action", f"{do.system}.{do.operation}", {}
        case CallFlow():
            return "call", do.flow, {}
        case SetValues():
            return "set", ", ".join(do.values), {}
        case If():
            return "if", do.condition.text, {"then": do.then, "else": do.otherwise}
        case Switch():
            cases = {" or ".join(map(_short, one.values)): one.steps for one in do.cases}
            return "switch", do.subject.text, {**cases, "default": do.default or ()}
        case ForEach():
            says = f"{do.name} in {do.items.text}"
            return (
                "foreach",
                says + (f", {do.concurrency} at once" if do.concurrency > 1 else ""),
                {"steps": do.steps},
            )
        case Until():
            says = f"{do.condition.text}, every {duration_text(do.every)}, at most {do.max} times"
            return "until", says, {"steps": do.steps}
        case Parallel():
            return "parallel", f"wait for {do.wait_for}", do.branches
        case Wait():
            return "wait", duration_text(do.duration) if do.duration else _short(do.until), {}
        case Approve():
            asked = ", ".join(one.name for one in do.answer)
            return "approve", _short(do.message) + (f" ({asked})" if asked else ""), {}
        case Stop():
            whole = "" if do.scope == "flow" else "this item: "
            return "stop", f"{whole}{do.status}, {_short(do.reason)}", {}
        case Scope():
            return "steps", step.name or "", {"steps": do.steps}
        case unknown:
            assert_never(unknown)


def _short(value: Value) -> str:
    text = value.text if isinstance(value, Template) else str(value)
    return " ".join(text.split())


def trigger_said(trigger: Trigger) -> str:
    """What starts the flow, in a line."""
    match trigger.type:
        case "schedule" if trigger.cron:
            return f"schedule: {trigger.cron}" + (
                f" {trigger.timezone}" if trigger.timezone else ""
            )
        case "schedule":
            return f"schedule: every {duration_text(trigger.every or timedelta())}"
        case "webhook":
            return f"webhook: {', '.join(trigger.events)} ({trigger.connection})"
        case "manual":
            return "manual: cosell run, or the Prefect UI"
        case unknown:
            assert_never(unknown)


def all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, the inner ones too, in the order of the file."""
    for step in steps:
        yield step
        for inner in _told(step)[2].values():
            yield from all_steps(inner)
        if step.on_error is not None:
            yield from all_steps(step.on_error.steps)
        yield from all_steps(step.finally_)


def calls_of(flow: Flow) -> tuple[str, ...]:
    """The flows that *flow* calls, each once."""
    names = (step.do.flow for step in all_steps(flow.steps) if isinstance(step.do, CallFlow))
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else is in the project, as far as a flow can touch it."""

    flows: Mapping[str, Flow]
    mappings: Mapping[str, MappingFile]
    connectors: Mapping[str, Connector]  # by the name of the connection


def touches(
    flow: Flow, around: Surroundings, effect: Literal["read", "write"]
) -> tuple[Touch, ...]:
    """What a run of *flow* may read or write, through the flows it calls too."""
    found = list(_own_touches(flow, around, effect))
    seen, waiting = {flow.id}, list(calls_of(flow))
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in around.flows:
            continue
        seen.add(name)
        child = around.flows[name]
        found += _own_touches(child, around, effect, via=name)
        waiting += calls_of(child)
    return tuple(dict.fromkeys(found))


def _own_touches(
    flow: Flow, around: Surroundings, effect: str, *, via: str = ""
) -> Iterator[Touch]:
    for step in all_steps(flow.steps):
        do = step.do
        if not isinstance(do, Action):
            continue
        name = f"{do.system}.{do.operation}"
        if do.system == "sync" and effect == "write":
            for system, kind in _sync_writes(do, flow, around):
                yield Touch(system=system, object=kind, operation=name, step=step.id, via=via)
        connector = around.connectors.get(do.system)
        operation = connector.operations.get(do.operation) if connector else None
        if operation is not None and operation.effect == effect:
            kind = _short(do.arguments.get("object", ""))
            yield Touch(system=do.system, object=kind, operation=name, step=step.id, via=via)


def _sync_writes(action: Action, flow: Flow, around: Surroundings) -> Iterator[tuple[str, str]]:
    """The sides of the mapping that an operation of the engine writes to."""
    sides = {
        "apply": ("left", "right"),
        "create": (str(action.arguments.get("side")),),
        "report": ("right",),
        "note": ("right",),
    }.get(action.operation, ())
    named = action.arguments.get("mapping")
    names = [named] if isinstance(named, str) else _planned(flow)
    for name in names:
        mapping = around.mappings.get(name)
        if mapping is None:
            continue
        for side in sides:
            one = mapping.left if side == "left" else mapping.right
            yield one.connection, one.object


def _planned(flow: Flow) -> list[str]:
    """The mappings whose plans the flow applies."""
    names = [
        step.do.arguments.get("mapping")
        for step in all_steps(flow.steps)
        if isinstance(step.do, Action) and (step.do.system, step.do.operation) == ("sync", "plan")
    ]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def schema_json(schema: Schema) -> dict[str, Any]:
    """A type as JSON Schema keywords."""
    document: dict[str, Any] = {"type": schema.type}
    if schema.items is not None:
        document["items"] = schema_json(schema.items)
    if schema.properties:
        document["properties"] = {name: schema_json(one) for name, one in schema.properties.items()}
    if schema.enum:
        document["enum"] = [plain(one) for one in schema.enum]
    for name in ("format", "title", "description"):
        if getattr(schema, name) is not None:
            document[name] = getattr(schema, name)
    document |= {name: plain(value) for name, value in schema.keywords.items()}
    return document


def plain(value: Value) -> Any:
    """A literal as JSON knows it; a template as it is written."""
    if isinstance(value, Template):
        return value.text
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return value
