"""What of a project's health can be told from its files and its ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from cosell_definitions.model import Flow
from cosell_definitions.problems import Severity
from cosell_env.resolving import Environment

from ..ledger import EventStatus, Ledger
from ..running.surveying import survey
from .health import Check, failed, listed, ok, warning
from .upgrading import drifted, upgrades


def of_files(root: Path, environment: Environment) -> Iterator[Check]:
    """Definitions, variables, and whether shipped files are as they were shipped."""
    found = survey(root).problems
    errors = [one for one in found if one.severity is Severity.ERROR]
    if errors:
        count = "one problem" if len(errors) == 1 else f"{len(errors)} problems"
        message = f"{count} in the files, the first at {errors[0].place}"
        yield failed("definitions", message, "cosell check shows them all")
    else:
        yield ok("definitions", "the files have no problems")
    if environment.faults:
        names = listed(sorted({name for name, _ in environment.faults}))
        hint = "cosell env list; then cosell env set NAME VALUE"
        yield failed("variables", f"no fitting value here: {names}", hint)
    else:
        yield ok("variables", f"{len(environment.variables)} variables have fitting values")
    drift = list(drifted(root))
    if drift:
        told = listed(f"{one.file} ({one.state})" for one in drift)
        hint = "move the change into an overlay (overlays/<environment>/), so that upgrades keep it"
        yield warning("drift", f"shipped files are not as they were shipped: {told}", hint)
    else:
        yield ok("drift", "the shipped flows are as they were shipped")
    news = [one for one in upgrades(root) if one.state in ("new", "updated", "merged", "clash")]
    if news:
        message = f"{len(news)} files of this version of cosell are newer than the project's"
        yield warning("version", message, "cosell upgrade shows what changes")


async def of_ledger(ledger: Ledger, flows: Mapping[str, Flow]) -> list[Check]:
    """Which flows are off, what waits for a person, what failed."""
    return [
        _switches(await ledger.switches.on(), flows),
        _letters(await ledger.letters.count_open()),
        _events(await ledger.inbox.counts()),
    ]


def _switches(on: frozenset[str], flows: Mapping[str, Flow]) -> Check:
    alone = [
        f"{flow.id} is on, and needs {needed}, which is off"
        for flow in flows.values()
        if flow.id in on
        for needed in flow.needs
        if needed not in on
    ]
    off = [flow.id for flow in flows.values() if flow.id not in on and _starts_by_itself(flow)]
    if alone:
        return failed("flows", listed(alone), "cosell on --all, or cosell on FLOW…")
    if off:
        return warning("flows", f"off: {listed(off)}", "cosell on --all, or cosell on FLOW…")
    return ok("flows", "every flow that starts by itself is on")


def _starts_by_itself(flow: Flow) -> bool:
    return any(trigger.type != "manual" for trigger in flow.triggers)


def _letters(count: int) -> Check:
    if count:
        return warning(
            "letters", f"{count} records cannot be brought in step", "cosell letters list"
        )
    return ok("letters", "no record waits for a person")


def _events(counts: Mapping[EventStatus, int]) -> Check:
    lost = counts.get("failed", 0)
    if lost:
        hint = "cosell events list shows why; cosell events replay tries them again"
        return warning("events", f"{lost} webhook events failed for good", hint)
    return ok("events", f"{counts.get('waiting', 0)} webhook events wait, none failed")
