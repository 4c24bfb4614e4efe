"""`cosell flows` and `cosell show`: what there is, and what each flow does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, say, warn
from .remembered import flows_on, project_of

if TYPE_CHECKING:
    from cosell_definitions.model import Flow, Input, Output, Trigger

    from ..project import Project
    from .outlining import Outline, Surroundings, Touch
    from .picturing import Caption


@click.command()
@click.pass_obj
def flows(context: Context) -> None:
    """The flows of the project, in the order in which they are turned on.

    \b
    cosell flows
    cosell show partner-center-to-salesforce
    """
    from .outlining import trigger_said

    project = project_of(context)
    switched = flows_on(project)
    if context.as_json:
        listed = [_listed(flow, on=flow.id in switched) for flow in project.flows.values()]
        console.show_json({"flows": listed})
    else:
        console.table(
            (
                (
                    "on" if flow.id in switched else "off",
                    flow.id,
                    flow.name,
                    "; ".join(trigger_said(one) for one in flow.triggers if one.type != "manual")
                    or "by hand",
                )
                for flow in project.flows.values()
            ),
            ("", "flow", "name", "starts"),
        )
    _tell_faulty(project)


@click.command()
@click.argument("flow")
@click.option("--graph", type=click.Choice(["text", "mermaid", "svg"]), default="text",
              show_default=True,
              help="mermaid: a picture for a README or a wiki page. svg: one to look at.")  # fmt: skip
@click.pass_obj
def show(context: Context, flow: str, graph: str) -> None:
    """FLOW explained: what starts it, its inputs and steps, what it reads, writes and uses, who calls it.

    \b
    cosell show partner-center-to-salesforce
    cosell show create-referral --graph mermaid
    cosell show create-referral --graph svg > create-referral.svg
    """
    project = project_of(context)
    chosen = project.flow(flow)
    if context.as_json:
        console.show_json(_document(project, chosen))
    elif graph == "mermaid":
        from .drawing import mermaid

        say(mermaid(chosen))
    elif graph == "svg":
        from .outlining import outline, trigger_said
        from .picturing import svg

        say(svg(_caption(project, chosen), [trigger_said(one) for one in chosen.triggers],
                outline(chosen.steps)))  # fmt: skip
    else:
        for line in _told(project, chosen):
            say(line)


def _listed(flow: Flow, *, on: bool) -> dict[str, Any]:
    return {
        "id": flow.id,
        "name": flow.name,
        "description": flow.description,
        "triggers": [_trigger_json(one) for one in flow.triggers],
        "needs": list(flow.needs),
        "on": on,
    }


def _tell_faulty(project: Project) -> None:
    read = {flow.place.file for flow in project.flows.values()}
    for file in project.documents.files:
        if file.endswith(".flow.yaml") and file not in read:
            warn(f"{file} has problems and is left out; cosell check {file} shows them")


def _trigger_json(trigger: Trigger) -> dict[str, Any]:
    from cosell_definitions.parsing_values import duration_text

    return {
        "id": trigger.id,
        "type": trigger.type,
        "every": duration_text(trigger.every) if trigger.every else None,
        "cron": trigger.cron,
        "timezone": trigger.timezone,
        "connection": trigger.connection,
        "events": list(trigger.events),
    }


def _input_json(one: Input) -> dict[str, Any]:
    from .outlining import plain, schema_json

    schema = schema_json(one.schema)
    return {
        **schema,
        "name": one.name,
        "type": one.schema.type,
        "required": one.required,
        "default": plain(one.default),
        "title": one.schema.title,
        "description": one.schema.description,
        "enum": schema.get("enum"),
    }


def _output_json(one: Output) -> dict[str, Any]:
    from .outlining import plain

    return {
        "name": one.name,
        "type": one.schema.type if one.schema else None,
        "value": plain(one.value),
    }


def _document(project: Project, flow: Flow) -> dict[str, Any]:
    from .outlining import calls_of, outline, touches

    around = _around(project)
    return {
        "id": flow.id,
        "name": flow.name,
        "description": flow.description,
        "file": flow.place.file,
        "triggers": [_trigger_json(one) for one in flow.triggers],
        "inputs": [_input_json(one) for one in flow.inputs],
        "steps": [one.as_json() for one in outline(flow.steps)],
        "reads": [one.as_json() for one in touches(flow, around, "read")],
        "writes": [one.as_json() for one in touches(flow, around, "write")],
        "uses": _uses(project, flow),
        "calls": list(calls_of(flow)),
        "called_by": _called_by(project, flow),
        "needs": list(flow.needs),
        "outputs": [_output_json(one) for one in flow.outputs],
        "on": flow.id in flows_on(project),
    }


def _around(project: Project) -> Surroundings:
    from .outlining import Surroundings

    connectors = dict(project.documents.connectors)
    for environment in project.documents.environments.values():
        for name, settings in environment.connections.items():
            bound = project.documents.connectors.get(str(settings.get("connector") or name))
            if bound is not None:
                connectors.setdefault(name, bound)
    return Surroundings(flows=project.flows, mappings=project.mappings, connectors=connectors)


def _uses(project: Project, flow: Flow) -> dict[str, list[str]]:
    """What a run depends on, through the flows it calls too: connections, variables, mappings."""
    from ..compiling.finding import Findings
    from ..compiling.planning import examined
    from ..compiling.planning_mappings import examined_mapping
    from ..running.surveying import view_of

    view = view_of(project.root, project.documents)
    used, flows = Findings(), [flow.id]
    for name in flows:  # grows while it is walked
        if name in view.flows:
            found = examined(view.flows[name], view)
            used.note(found)
            flows += [one for one in found.flows if one not in flows]
    for name in dict(used.mappings):
        if name in view.mappings:
            used.note(examined_mapping(view.mappings[name], view))
    named = {
        "connections": used.connections,
        "variables": used.env,
        "mappings": used.mappings,
    }
    return {kind: sorted(names) for kind, names in named.items() if names}


def _caption(project: Project, flow: Flow) -> Caption:
    """What stands above the picture of a flow."""
    from .outlining import touches
    from .picturing import Caption

    around = _around(project)
    lines = [flow.description] if flow.description else []
    lines += [f"takes {_input_told(one)}".replace("  ", " - ") for one in flow.inputs]
    for effect, word in (("read", "reads"), ("write", "writes")):
        kinds = {
            f"{one.system} {one.object}".strip()
            for one in touches(flow, around, "read" if effect == "read" else "write")
            if "{{" not in one.object
        }
        if kinds:
            lines.append(f"{word} {', '.join(sorted(kinds))}")
    callers = _called_by(project, flow)
    lines += [f"called by {', '.join(callers)}"] if callers else []
    return Caption(title=f"{flow.name} ({flow.id})", lines=[_clipped(one, 130) for one in lines])


def _called_by(project: Project, flow: Flow) -> list[str]:
    from .outlining import calls_of

    return [one.id for one in project.flows.values() if flow.id in calls_of(one)]


def _told(project: Project, flow: Flow) -> Iterator[str]:
    from .outlining import calls_of, outline, touches, trigger_said

    around = _around(project)
    state = "on" if flow.id in flows_on(project) else "off"
    yield f"{flow.name}  ({flow.id}, {state})"
    if flow.description:
        yield flow.description
    yield ""
    yield from _section("Starts", (trigger_said(one) for one in flow.triggers))
    yield from _section("Inputs", (_input_told(one) for one in flow.inputs))
    yield from _section("Steps", _tree(outline(flow.steps)))
    yield from _section("Reads", _touched(touches(flow, around, "read")))
    yield from _section("Writes", _touched(touches(flow, around, "write")))
    yield from _section(
        "Uses", (f"{kind}: {', '.join(names)}" for kind, names in _uses(project, flow).items())
    )
    yield from _section("Calls", calls_of(flow))
    yield from _section("Called by", _called_by(project, flow))
    yield from _section("Needs on", flow.needs)
    yield from _section("Outputs", (one.name for one in flow.outputs))
    yield f"{flow.place.file}"


def _section(head: str, lines: Iterable[str]) -> Iterator[str]:
    shown = list(lines)
    if shown:
        yield head
        yield from (f"  {line}" for line in shown)
        yield ""


def _input_told(one: Input) -> str:
    from .outlining import plain

    title = f"  {one.schema.title}" if one.schema.title else ""
    kind = one.schema.type if one.schema.items is None else f"list of {one.schema.items.type}"
    need = "required" if one.required else f"default {console.to_json(plain(one.default))}"
    return f"{one.name}: {kind}, {need}{title}"


def _tree(steps: tuple[Outline, ...], indent: str = "") -> Iterator[str]:
    for step in steps:
        condition = f"   when {step.when}" if step.when else ""
        yield f"{indent}{step.id}  {step.kind} {_clipped(step.says)}{_clipped(condition)}".rstrip()
        for name, inner in step.branches.items():
            plain = name == "steps"
            if not plain:
                yield f"{indent}  {name}:"
            yield from _tree(inner, indent + ("  " if plain else "    "))


def _clipped(text: str, longest: int = 80) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _touched(found: tuple[Touch, ...]) -> Iterator[str]:
    """One line for each kind of record: with which operations, and in whose steps."""
    kinds: dict[tuple[str, str], dict[str, None]] = {}
    for one in found:
        how = one.operation.removeprefix(f"{one.system}.") + (f" in {one.via}" if one.via else "")
        kinds.setdefault((one.system, one.object), {})[how] = None
    for (system, kind), operations in kinds.items():
        yield f"{system}{f' {_clipped(kind, 40)}' if kind else ''}: {', '.join(operations)}"
