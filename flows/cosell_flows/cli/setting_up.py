"""`cosell setup salesforce`: what the org lacks, and then made."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, say, warn
from .remembered import project_of

if TYPE_CHECKING:
    from ..operating.comparing import Step
    from ..project import Project


@click.group()
def setup() -> None:
    """Prepare the systems for the sync.

    \b
    cosell --env staging setup salesforce
    cosell --env staging setup salesforce --apply
    """


@setup.command()
@click.option("--apply", "apply_", is_flag=True, help="Make what is missing.")
@click.pass_obj
def salesforce(context: Context, apply_: bool) -> None:
    """What the org of this environment lacks; with --apply it is made.

    Custom fields and the object of the Microsoft solutions, with the names your variables give
    them; the permission to see them; the related list; Notes and Opportunity Teams. What no API
    can do is told with the page where you do it. Running it again makes only what is missing.

    The connection's user needs the right to customize the application. Sellers see the fields once
    they have the permission set `cosell sync`, too.

    \b
    cosell --env staging setup salesforce
    cosell --env staging setup salesforce --apply
    """
    project = project_of(context)
    todo, made = asyncio.run(_work(project, apply=apply_ or None, quiet=context.as_json))
    by_hand = [one for one in todo if one.making == "by_hand"]
    left = by_hand if made is not None else todo
    if context.as_json:
        console.show_json({
            "steps": [_shown(one, made) for one in todo],
            "applied": made is not None,
        })  # fmt: skip
    elif not todo:
        say("the org has everything that the sync needs")
    for one in by_hand if made is not None else ():
        warn(f"by hand: {one.message}")
        warn(f"  hint: {one.hint}")
    if made is not None and left:
        raise SystemExit(console.NO)


async def _work(
    project: Project, *, apply: bool | None, quiet: bool
) -> tuple[list[Step], set[str] | None]:
    """The steps; and which of them were done, or None where nothing was to be done now."""
    from cosell_connectors.client import Client
    from cosell_connectors.errors import ConnectorError

    from ..operating.comparing import steps
    from ..operating.setting_up import NotMade, Setup, org_facts
    from ..operating.wanted import wanted
    from ..running.opening import environment_of
    from .reaching import failure_of

    environment = environment_of(project)
    names = wanted(project.documents.declarations, environment.values)
    connector = project.connector_of("salesforce")
    async with Client(connector, environment.connection("salesforce")) as client:
        try:
            todo = steps(names, await org_facts(client, names))
            if not quiet:
                _tell(todo)
            if not todo or not (apply or (not quiet and _agreed())):
                return todo, None
            made: set[str] = set()

            def done(step: Step) -> None:
                made.add(step.id)
                if not quiet:
                    say(f"✔ {step.message}")

            await Setup(client=client, wanted=names).make(todo, done=done)
        except ConnectorError as error:
            raise failure_of(error) from error
        except NotMade as refused:
            raise console.Failure(str(refused), hint=refused.hint) from refused
    return todo, made


def _tell(todo: list[Step]) -> None:
    for one in todo:
        say(f"– {one.message}" if one.making != "by_hand" else f"! by hand: {one.message}")
        if one.hint:
            say(f"  {one.hint}")


def _agreed() -> bool:
    if not (sys.stdin.isatty() and console.on_terminal()):
        say("nothing was made; --apply does it")
        return False
    return click.confirm("Make this in the org?", err=True)


def _shown(one: Step, made: set[str] | None) -> dict[str, Any]:
    status = "by_hand" if one.making == "by_hand" else "missing"
    return {
        "id": one.id,
        "status": "made" if made is not None and one.id in made else status,
        "message": one.message,
        "hint": one.hint or None,
    }
