"""`cosell doctor`: everything that keeps the sync from working, with what to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from . import console
from .console import Context, say, warn
from .remembered import has_ledger, project_of

if TYPE_CHECKING:
    from ..operating.health import Check
    from ..project import Project

_SIGNS = {"ok": "✔", "warning": "!", "failed": "✘", "unreachable": "✘", "skipped": "–"}


@click.command()
@click.pass_obj
def doctor(context: Context) -> None:
    """Everything that keeps the sync from working, each with what to do about it.

    Files and drift of shipped files; flows that are off; dead letters; both systems: can they be
    reached, which rights, fields, stages, currencies and country codes are missing; whom Partner
    Center calls. Nothing is changed. Ends with 1 while something is not right, and with 3 while a
    system cannot be reached.

    \b
    cosell doctor
    cosell --env production doctor
    """
    project = project_of(context)
    checks = asyncio.run(_examined(project))
    if context.as_json:
        console.show_json({"checks": [one.as_json() for one in checks]})
    else:
        for one in checks:
            say(f"{_SIGNS[one.status]} {one.id}: {one.message}")
            if one.hint and one.status != "ok":
                say(f"    {one.hint}")
        _sum_up(checks)
    found = {one.status for one in checks}
    if "unreachable" in found:
        raise SystemExit(console.UNREACHABLE)
    if "failed" in found:
        raise SystemExit(console.NO)


async def _examined(project: Project) -> list[Check]:
    from ..operating.doctor import examine
    from ..running.opening import environment_for_runs, ledger_of

    def told(what: str) -> None:
        if console.on_terminal():
            warn(f"looking at {what} …")

    environment = environment_for_runs(project)
    if not has_ledger(project):
        return await examine(project, environment, None, told=told)
    ledger = await ledger_of(project)
    try:
        return await examine(project, environment, ledger, told=told)
    finally:
        await ledger.aclose()


def _sum_up(checks: list[Check]) -> None:
    wrong = sum(one.status in ("failed", "unreachable") for one in checks)
    odd = sum(one.status == "warning" for one in checks)
    if wrong:
        say(f"{wrong} things keep the sync from working, {odd} more are odd")
    elif odd:
        say(f"ready; {odd} things are odd")
    else:
        say("everything is as it should be")
