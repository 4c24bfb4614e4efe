"""`cosell events`: the inbox of webhook events, and to work on some of them again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .documents import event_json, when
from .remembered import ask_ledger, project_of, serving, shown

if TYPE_CHECKING:
    from ..ledger import Ledger, StoredEvent
    from ..project import Project

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_MANY = 100_000


@click.group()
def events() -> None:
    """The inbox: webhook events as they came in, and what became of each.

    \b
    cosell events list
    cosell events list --status failed --since 2d
    cosell events replay --all-failed
    """


@events.command("list")
@click.option("--status", type=click.Choice(["waiting", "running", "done", "failed"]),
              help="Only those.")  # fmt: skip
@click.option("--name", metavar="NAME", help="Only events of this name, such as referral-updated.")
@click.option(
    "--since", metavar="WHEN", help="A moment (2026-11-26T08:00), or an age (30m, 2h, 7d)."
)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@click.pass_obj
def list_events(
    context: Context, status: Any, name: str | None, since: str | None, limit: int
) -> None:
    """The last events, newest first.

    \b
    cosell events list --status failed
    cosell events list --name referral-created --since 2h
    """
    begin = _moment(since)
    found: list[StoredEvent] = ask_ledger(
        project_of(context),
        lambda it: it.inbox.list(limit, status, name=name, since=begin),
        empty=[],
    )
    if not context.as_json and name is not None and not found:
        _say_names(project_of(context), name)
    _tell_events(context, found)


@events.command()
@click.argument("numbers", nargs=-1, metavar="[ID]…")
@click.option("--all-failed", "failed", is_flag=True, help="All that failed for good.")
@click.option("--since", metavar="WHEN", help="All that are done or failed since then.")
@click.pass_obj
def replay(context: Context, numbers: tuple[str, ...], failed: bool, since: str | None) -> None:
    """Let events be worked on again, as if they had just come in.

    They wait in the inbox until a `cosell serve` takes them; one that is running takes them at
    once. Working on an event twice does no harm: a record that is in step is not written.

    \b
    cosell events replay 12 13
    cosell events replay --all-failed
    cosell events replay --all-failed --since 2d
    cosell events replay --since 2026-11-26T08:00
    """
    if not numbers and not failed and since is None:
        raise Failure(
            "which events?",
            hint="name them, or say --all-failed or --since WHEN",
            code=console.USAGE,
        )
    project, begin = project_of(context), _moment(since)

    async def again(ledger: Ledger) -> list[StoredEvent]:
        chosen = [await _one(ledger, number) for number in numbers]
        if failed or (since is not None and not numbers):
            chosen += [
                event.id
                for event in await ledger.inbox.list(
                    _MANY, "failed" if failed else None, since=begin
                )
                if event.status in ("done", "failed")
            ]
        await ledger.inbox.replay(chosen)
        found = [await ledger.inbox.get(number) for number in dict.fromkeys(chosen)]
        return [one for one in found if one is not None]

    replayed: list[StoredEvent] = ask_ledger(project, again, empty=[])
    if numbers and not replayed:
        raise _no_event(numbers[0])
    if replayed and not context.as_json:
        say(_who_takes_them(project))
    _tell_events(context, replayed)


async def _one(ledger: Ledger, number: str) -> str:
    event = await ledger.inbox.get(number)
    if event is None:
        raise _no_event(number)
    if event.status in ("waiting", "running"):
        doing = "waits already" if event.status == "waiting" else "is being worked on right now"
        raise Failure(
            f"event {number} {doing}", hint="replay is for events that are done or failed"
        )
    return number


def _moment(text: str | None) -> datetime | None:
    """A moment as a person writes one: ISO 8601 (UTC unless it says otherwise), or an age."""
    if text is None:
        return None
    number, unit = text[:-1], text[-1:].lower()
    if unit in _UNITS and number.isdigit():
        return datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(
            f"{text!r} is neither a moment nor an age",
            hint="write 2026-11-26, 2026-11-26T08:00, or 30m, 2h, 7d",
            code=console.USAGE,
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _who_takes_them(project: Project) -> str:
    if serving(project):
        return "the cosell serve that is running works on them now"
    return "they wait: no cosell serve is running here, and the next one takes them"


def _say_names(project: Project, name: str) -> None:
    from cosell_definitions.problems import did_you_mean

    every: list[StoredEvent] = ask_ledger(project, lambda it: it.inbox.list(_MANY), empty=[])
    near = did_you_mean(name, sorted({event.name for event in every}))
    if near and near != name:
        console.warn(f"  hint: did you mean {near!r}?")


def _no_event(number: str) -> Failure:
    return Failure(f"there is no event {number!r}", hint="see cosell events list")


def _tell_events(context: Context, found: list[StoredEvent]) -> None:
    if context.as_json:
        console.show_json({"events": [event_json(one) for one in found]})
        return
    if not found:
        say("no events")
        return
    console.table(
        ((one.id, one.status, one.name, one.resource_id, when(one.received_at), one.attempts,
          shown(one.error or "", longest=50))
         for one in found),
        ("id", "status", "event", "record", "received", "tries", "error"),
    )  # fmt: skip
