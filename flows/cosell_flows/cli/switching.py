"""`cosell on` and `cosell off`: which flows start by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from . import console
from .console import Context, Failure, say
from .remembered import flows_on, project_of, with_ledger

if TYPE_CHECKING:
    from cosell_definitions.model import Flow

    from ..ledger import Ledger
    from ..project import Project


@click.command()
@click.argument("flows", nargs=-1, metavar="[FLOW]…")
@click.option("--all", "every", is_flag=True, help="All flows of the project.")
@click.pass_obj
def on(context: Context, flows: tuple[str, ...], every: bool) -> None:
    """Turn flows on, those that others need first.

    A flow whose `needs` are off is refused, unless they are named too. The switches are remembered;
    `cosell serve` follows them.

    \b
    cosell on customize-salesforce create-referral
    cosell on --all
    """
    project = project_of(context)
    chosen = _chosen(project, flows, every=every)
    _refuse_faulty(project, chosen)
    already = flows_on(project)
    refused = list(_missing(project.flows, chosen, already))
    if refused:
        raise _refusal(refused, "cannot be turned on", cure="name it too, it is turned on first")
    _switch(context, project, chosen, on=True)


@click.command()
@click.argument("flows", nargs=-1, metavar="[FLOW]…")
@click.option("--all", "every", is_flag=True, help="All flows of the project.")
@click.pass_obj
def off(context: Context, flows: tuple[str, ...], every: bool) -> None:
    """Turn flows off, those that need others first.

    A flow that others need which are on is refused, unless they are named too. Off means that it
    starts no more by itself: it can still be run by hand, and flows that call it go on calling it.

    \b
    cosell off opportunity-to-partner-center
    cosell off --all
    """
    project = project_of(context)
    already = flows_on(project)
    chosen = _meant_to_end(project, flows, already, every=every)
    refused = [
        f"{flow.id!r} is on and needs {needed!r}"
        for flow in project.flows.values()
        if flow.id in already and flow.id not in chosen
        for needed in flow.needs
        if needed in chosen
    ]
    if refused:
        raise _refusal(refused, "cannot be turned off", cure="turn that one off too")
    _switch(context, project, chosen, on=False)
    for name in chosen:
        callers = [one for one in _callers(project.flows, name) if one in already - set(chosen)]
        if callers:
            console.warn(
                f"{name} is still called by {', '.join(callers)}, which {_are(callers)} on"
            )


def _callers(flows: Mapping[str, Flow], name: str) -> Iterator[str]:
    """The flows with a step that calls *name*."""
    from ..running.nesting import flows_called

    for flow in flows.values():
        if flow.id != name and any(one.id == name for one in flows_called(flow, flows)):
            yield flow.id


def _are(several: list[str]) -> str:
    return "are" if len(several) > 1 else "is"


def _meant_to_end(
    project: Project, names: tuple[str, ...], already: frozenset[str], *, every: bool
) -> list[str]:
    """The flows that are meant, parents first. One that is faulty, or gone, can always be ended."""
    if not every and not names:
        return _chosen(project, names, every=every)
    wanted = {*project.flows, *already} if every else set(names)
    for name in sorted(wanted - already):
        if name not in project.flows:
            project.flow(name)
    sound = [name for name in reversed(list(project.flows)) if name in wanted]
    return [*sorted(wanted - set(sound)), *sound]


def _chosen(project: Project, names: tuple[str, ...], *, every: bool) -> list[str]:
    """The flows that are meant, children first; refuses one that is not there or not sound."""
    from cosell_definitions.problems import Severity, Unsound

    if every:
        faults = [
            one
            for one in project.documents.problems
            if one.severity is Severity.ERROR and one.place.file.endswith(".flow.yaml")
        ]
        if faults:
            raise Unsound(faults)
        return list(project.flows)
    if not names:
        raise Failure(
            "which flows?",
            hint=f"name them, or say --all; flows here: {', '.join(project.flows)}",
            code=console.USAGE,
        )
    for name in names:
        project.flow(name)
    return [name for name in project.flows if name in names]


def _refuse_faulty(project: Project, chosen: list[str]) -> None:
    """A flow that no run would begin is not turned on; every fault of every such flow is told."""
    from cosell_definitions.problems import Problem, Unsound

    from ..running.opening import environment_for_runs
    from ..running.soundness import Soundness
    from ..running.surveying import in_order

    soundness = Soundness(project, environment_for_runs(project))
    faults: list[Problem] = []
    for name in chosen:
        try:
            soundness.flow(name)
        except Unsound as unsound:
            faults += unsound.problems
    if faults:
        raise Unsound(in_order(faults))


def _missing(
    flows: Mapping[str, Flow], chosen: list[str], already: frozenset[str]
) -> Iterator[str]:
    for name in chosen:
        for needed in flows[name].needs:
            if needed not in chosen and needed not in already:
                yield f"{name!r} needs {needed!r}, which is off"


def _refusal(reasons: list[str], what: str, *, cure: str) -> Failure:
    return Failure(f"{what}: {'; '.join(reasons)}", hint=f"{cure}; nothing was changed")


def _switch(context: Context, project: Project, chosen: list[str], *, on: bool) -> None:
    async def turn(ledger: Ledger) -> None:
        for name in chosen:
            await ledger.switches.set(name, on)

    with_ledger(project, turn)
    if context.as_json:
        console.show_json({"flows": [{"id": name, "on": on} for name in chosen]})
        return
    for name in chosen:
        say(f"{name}: {'on' if on else 'off'}")
