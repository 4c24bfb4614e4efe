"""`cosell upgrade`: this version's shipped solution, with what the customer changed kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, say, warn
from .main import project_folder

if TYPE_CHECKING:
    from ..operating.blocks import Clash
    from ..operating.upgrading import Upgrade

_TOLD = {
    "new": "comes with this version",
    "updated": "is replaced; you had not changed it",
    "kept": "stays as you changed it; nothing new below it",
    "merged": "gets what is new, and keeps what you changed",
    "clash": "CANNOT be merged: you and this version changed the same place",
    "gone": "is no longer shipped, and goes",
}


@click.command()
@click.option("--apply", "apply_", is_flag=True, help="Write it.")
@click.pass_obj
def upgrade(context: Context, apply_: bool) -> None:
    """Bring the shipped flows, mappings and connectors of this project to this version of cosell.

    What you changed is kept: in other places by merging the two, step by step; in overlays/ in any
    case. Where both changed the same step, your file stays, and both are shown. Nothing is written
    without --apply. Ends with 1 while something cannot be merged.

    \b
    cosell upgrade
    cosell upgrade --apply && cosell check
    """
    from ..operating.upgrading import apply, upgrades

    root = project_folder(context)
    changes = [one for one in upgrades(root) if one.state != "same"]
    if not context.as_json:
        _tell(changes)
    if apply_:
        apply(root, changes)
    elif not context.as_json and any(one.state not in ("kept", "clash") for one in changes):
        say("nothing was written; --apply does it")
    if context.as_json:
        console.show_json({"files": [_shown(one) for one in changes], "applied": apply_})
    if any(one.state == "clash" for one in changes):
        raise SystemExit(console.NO)


def _shown(one: Upgrade) -> dict[str, Any]:
    return {
        "file": one.file,
        "state": one.state,
        "clashes": [
            {"where": _where(clash), "ours": clash.ours, "shipped": clash.theirs}
            for clash in one.clashes
        ],
    }


def _tell(changes: list[Upgrade]) -> None:
    if not changes:
        say("the shipped files are those of this version")
    for one in changes:
        say(f"{one.file} {_TOLD[one.state]}")
        for clash in one.clashes:
            warn(f"  {_where(clash)}: yours")
            warn(_indented(clash.ours))
            warn("  shipped")
            warn(_indented(clash.theirs))
        if one.clashes:
            warn("  hint: take your change out of the file and into an overlay, then upgrade again")


def _where(clash: Clash) -> str:
    """A block as people name it: the step or row, or the key."""
    name = [part for part in clash.name if not part.startswith("#")]
    return name[-1].removeprefix("id=").removeprefix("left=") if name else "the whole file"


def _indented(text: str | None) -> str:
    lines = ["(deleted)"] if text is None else text.rstrip("\n").split("\n")[:12]
    return "\n".join(f"    | {line}" for line in lines)
