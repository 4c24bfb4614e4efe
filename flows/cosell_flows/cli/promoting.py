"""`cosell promote`: what differs between two environments, and then the same values in both."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .remembered import project_of

if TYPE_CHECKING:
    from cosell_definitions.settings import EnvironmentFile

    from ..operating.promoting import Promotion
    from ..project import Project


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--apply", "apply_", is_flag=True, help="Write the values of FROM into TO.")
@click.option("--only", multiple=True, metavar="NAME", help="Of the variables, only these.")
@click.pass_obj
def promote(
    context: Context, source: str, target: str, apply_: bool, only: tuple[str, ...]
) -> None:
    """What TO has otherwise than FROM; with --apply, TO gets the values of FROM.

    Variables and overlays are promoted. Connections are not: each environment has its own
    accounts; what TO still lacks is listed, for you to bind. On a terminal you are asked.

    \b
    cosell promote staging production
    cosell promote staging production --only ACTIVE_STAGE --apply
    """
    from ..operating.promoting import overlay_differences, promotions, unbound
    from ..operating.promoting import promote as write

    project = project_of(context)
    here, there = _environment(project, source), _environment(project, target)
    changes = _chosen(list(promotions(project.documents.declarations, here, there)), only)
    overlays = [] if only else overlay_differences(project.root, source, target)
    missing = [] if only else list(unbound(here, there))
    document: dict[str, Any] = {
        "from": source,
        "to": target,
        "changes": [_shown(one) for one in changes],
        "overlays": overlays,
        "unbound": [{"connection": one.connection, "key": one.key} for one in missing],
        "applied": False,
    }
    if not context.as_json:
        _tell(document)
    if (changes or overlays) and (apply_ or (not context.as_json and _agreed(target))):
        write(project.root, there, changes, overlays, source=source)
        document["applied"] = True
        say(f"env/{target}.yaml now says the same; look at it with: cosell --env {target} env list")
    if context.as_json:
        console.show_json(document)


def _environment(project: Project, name: str) -> EnvironmentFile:
    from ..project import Project as Seen

    return Seen(root=project.root, environment_name=name).environment_file


def _chosen(changes: list[Promotion], only: tuple[str, ...]) -> list[Promotion]:
    from cosell_definitions.problems import did_you_mean

    names = [one.declaration.name for one in changes]
    for name in only:
        if name not in names:
            near = did_you_mean(name, names)
            raise Failure(
                f"{name} does not differ",
                hint=f"did you mean {near}?"
                if near
                else f"differ: {', '.join(names) or 'nothing'}",
                code=console.USAGE,
            )
    return [one for one in changes if not only or one.declaration.name in only]


def _shown(one: Promotion) -> dict[str, Any]:
    return {
        "name": one.declaration.name,
        "display_name": one.declaration.display_name,
        "old": one.shown_old,
        "new": one.shown_new,
    }


def _tell(document: dict[str, Any]) -> None:
    if not (document["changes"] or document["overlays"]):
        say(f"{document['to']} says the same as {document['from']}")
    for one in document["changes"]:
        say(f"{one['name']}: {one['old']} → {one['new']}   {one['display_name']}")
    for name in document["overlays"]:
        say(f"overlays/{document['to']}/{name} becomes as in {document['from']}")
    for one in document["unbound"]:
        say(f"to be bound by hand in env/{document['to']}.yaml: {one['connection']}.{one['key']}")


def _agreed(target: str) -> bool:
    if not (sys.stdin.isatty() and console.on_terminal()):
        say("nothing was written; --apply does it")
        return False
    return click.confirm(f"Write this into {target}?", err=True)
