"""`cosell records`, `cosell letters`, `cosell events`: what the ledger remembers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .documents import change_json, event_json, letter_json, link_json, when
from .remembered import ask_ledger, project_of, shown

if TYPE_CHECKING:
    from ..ledger import Change, Ledger, Letter, Link, StoredEvent
    from ..project import Project


# -- records ----------------------------------------------------------------------------------


@click.group()
def records() -> None:
    """Records that are linked between the two systems, and why their fields have their values.

    KEY is the id of a referral or of an opportunity.

    \b
    cosell records list
    cosell records show 006…
    cosell records explain 006… Amount
    """


@records.command("list")
@click.pass_obj
def list_records(context: Context) -> None:
    """Every link: which referral is which opportunity."""
    links: list[Link] = ask_ledger(project_of(context), lambda it: it.links.list(), empty=[])
    if context.as_json:
        console.show_json({"records": [link_json(link) for link in links]})
        return
    console.table(
        (
            (one.left_id, one.right_id, one.state, one.mapping, when(one.updated_at))
            for one in links
        ),
        ("referral", "opportunity", "state", "mapping", "last in step"),
    )


@records.command("show")
@click.argument("key")
@click.pass_obj
def show_record(context: Context, key: str) -> None:
    """One record: its link, what is wrong with it, and everything the sync ever wrote to it.

    \b
    cosell records show 006000000000001AAA
    """
    story = _story(project_of(context), key)
    if story is None:
        raise _unknown_record(key)
    links, letters, changes = story
    if context.as_json:
        console.show_json(
            {
                "key": key,
                "records": [link_json(link) for link in links],
                "letters": [letter_json(letter) for letter in letters],
                "changes": [change_json(change) for change in changes],
            }
        )
        return
    for link in links:
        say(f"referral {link.left_id}  opportunity {link.right_id}  {link.state}  {link.mapping}")
    for letter in letters:
        say(f"letter {letter.id} ({letter.status}, {letter.error_class}): {letter.message}")
    for line in _changes_told(changes):
        say(line)


@records.command("explain")
@click.argument("key")
@click.argument("field")
@click.pass_obj
def explain_record(context: Context, key: str, field: str) -> None:
    """Why FIELD of the record KEY has its value: which run, by which rule, and what lost.

    FIELD is the name in either system, or the label in the mapping.

    \b
    cosell records explain 006000000000001AAA Amount
    cosell records explain 006000000000001AAA "Deal value"
    """
    project = project_of(context)
    story = _story(project, key)
    if story is None:
        raise _unknown_record(key)
    names = _names_of(project, field)
    found = [one for one in reversed(story[2]) if one.field.lower() in names]
    if not found:
        raise _never_written(field, sorted({one.field for one in story[2]}))
    if context.as_json:
        document = {"key": key, "field": field, "changes": [change_json(one) for one in found]}
        console.show_json(document)
        return
    for index, change in enumerate(found):
        say(_explained(change, newest=index == 0))


def _story(project: Project, key: str) -> tuple[list[Link], list[Letter], list[Change]] | None:
    """What is known of the deal that *key* names; None where nothing is."""

    async def ask(ledger: Ledger) -> tuple[list[Link], list[Letter], list[Change]]:
        links = [one for one in await ledger.links.list() if key in (one.left_id, one.right_id)]
        ids = {key, *(one.left_id for one in links), *(one.right_id for one in links)} - {None}
        letters = [
            one
            for one in await ledger.letters.list(all=True)
            if ids & {one.opportunity_id, one.referral_id}
        ]
        changes = await ledger.history.of_record(key)
        return links, letters, changes

    nothing: tuple[list[Link], list[Letter], list[Change]] = ([], [], [])
    found = ask_ledger(project, ask, empty=nothing)
    return found if any(found) else None


def _names_of(project: Project, field: str) -> set[str]:
    """The field's names in both systems: what a mapping holds to be one value."""
    from ..running.opening import environment_of
    from ..syncing.mirror import mirror_of

    wanted = field.lower()
    names = {wanted}
    values = environment_of(project).values
    for mapping in project.mappings.values():
        for row in mirror_of(mapping, values).rows:
            known = {name.lower() for name in (*row.left, *row.right)}
            if wanted in known or wanted == (row.field.label or "").lower():
                names |= known
    return names


def _unknown_record(key: str) -> Failure:
    return Failure(
        f"the ledger knows no record {key!r}",
        hint="KEY is the id of a referral or an opportunity; see cosell records list",
    )


def _never_written(field: str, written: list[str]) -> Failure:
    from cosell_definitions.problems import did_you_mean

    near = did_you_mean(field, written)
    hint = (
        f"did you mean {near!r}?" if near else f"it has written: {', '.join(written) or 'nothing'}"
    )
    return Failure(f"the sync has never written the field {field!r} of this record", hint=hint)


def _changes_told(changes: Sequence[Change]) -> Iterable[str]:
    """The changes, with a line before each write."""
    last: tuple[Any, ...] | None = None
    for one in changes:
        write = (one.run_id, one.at, one.system, one.record_id)
        if write != last:
            yield f"{when(one.at)}  {one.operation} {one.system} {one.object}  ({one.flow})"
        last = write
        yield f"    {one.field}: {shown(one.old)} → {shown(one.new)}"


def _explained(change: Change, *, newest: bool) -> str:
    lines = [
        f"{'now' if newest else 'before'}  {change.system}.{change.field} = {shown(change.new)}",
        f"    was      {shown(change.old)}",
        f"    written  {when(change.at)} by {change.flow}, run {change.run_id}",
    ]
    if change.rule_file:
        lines.append(f"    rule     {change.rule_file}:{change.rule_line}")
    if change.loses is not None:
        lines.append(f"    lost     {shown(change.loses)}")
    return "\n".join(lines)


# -- letters ----------------------------------------------------------------------------------


@click.group()
def letters() -> None:
    """Dead letters: records that cannot be brought in step, and what to do.

    A letter closes by itself when a later run succeeds.

    \b
    cosell letters list
    cosell letters retry --all
    """


@letters.command("list")
@click.option("--all", "every", is_flag=True, help="The closed ones too.")
@click.pass_obj
def list_letters(context: Context, every: bool) -> None:
    """The open letters, oldest first."""
    found: list[Letter] = ask_ledger(
        project_of(context), lambda ledger: ledger.letters.list(all=every), empty=[]
    )
    _tell_letters(context, found, none="no open letters" if not every else "no letters")


@letters.command("show")
@click.argument("number", metavar="ID")
@click.pass_obj
def show_letter(context: Context, number: str) -> None:
    """One letter, whole: what went wrong, where, since when, and what to do."""

    async def ask(ledger: Ledger) -> Letter | None:
        return await ledger.letters.get(number)

    letter = ask_ledger(project_of(context), ask, empty=None)
    if letter is None:
        raise _no_letter(number)
    if context.as_json:
        console.show_json({"letters": [letter_json(letter)]})
        return
    say(f"letter {letter.id}  {letter.status}  {letter.error_class}")
    say(f"  {letter.message}")
    if letter.hint:
        say(f"  hint: {letter.hint}")
    say(f"  opportunity {letter.opportunity_id or '-'}  referral {letter.referral_id or '-'}")
    say(f"  flow {letter.flow}" + (f"  at {letter.place}" if letter.place else ""))
    say(f"  {letter.attempts} attempts, {when(letter.first_at)} to {when(letter.last_at)}")


@letters.command()
@click.argument("numbers", nargs=-1, metavar="[ID]…")
@click.option("--all", "every", is_flag=True, help="All open letters.")
@click.pass_obj
def retry(context: Context, numbers: tuple[str, ...], every: bool) -> None:
    """Ask for records to be tried again; the next run of their flow takes them.

    \b
    cosell letters retry 3 7
    cosell letters retry --all
    """
    if not numbers and not every:
        raise Failure(
            "which letters?",
            hint="name them, or say --all; see cosell letters list",
            code=console.USAGE,
        )

    async def mark(ledger: Ledger) -> list[Letter]:
        known = {one.id: one for one in await ledger.letters.list(all=True)}
        for number in numbers:
            if number not in known:
                raise _no_letter(number)
            if known[number].status == "closed" and not every:
                raise Failure(
                    f"letter {number} is closed: a later run succeeded",
                    hint="to bring the record in step once more, run its flow with its id as input",
                )
        chosen = [one.id for one in known.values() if one.status == "open"] if every else numbers
        return await ledger.letters.mark_for_retry(chosen)

    marked: list[Letter] = ask_ledger(project_of(context), mark, empty=[])
    if numbers and not marked and not every:
        raise _no_letter(numbers[0])
    if not context.as_json and marked:
        say(f"the next run tries again: {', '.join(one.id for one in marked)}")
    _tell_letters(context, marked, none="no open letters")


def _tell_letters(context: Context, found: list[Letter], *, none: str) -> None:
    if context.as_json:
        console.show_json({"letters": [letter_json(one) for one in found]})
        return
    if not found:
        say(none)
        return
    console.table(
        (
            (one.id, one.status, one.error_class, one.opportunity_id or one.referral_id,
             one.attempts, shown(one.message))
            for one in found
        ),
        ("id", "status", "class", "record", "attempts", "message"),
    )  # fmt: skip


def _no_letter(number: str) -> Failure:
    return Failure(f"there is no letter {number!r}", hint="see cosell letters list --all")


# -- events -----------------------------------------------------------------------------------


@click.group()
def events() -> None:
    """The inbox: webhook events as they came in, and what became of each.

    \b
    cosell events list
    cosell events replay --failed
    """


@events.command("list")
@click.option("--status", type=click.Choice(["waiting", "running", "done", "failed"]),
              help="Only those.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@click.pass_obj
def list_events(context: Context, status: Any, limit: int) -> None:
    """The last events, newest first."""
    found: list[StoredEvent] = ask_ledger(
        project_of(context), lambda it: it.inbox.list(limit, status), empty=[]
    )
    _tell_events(context, found)


@events.command()
@click.argument("numbers", nargs=-1, metavar="[ID]…")
@click.option("--failed", is_flag=True, help="All that failed.")
@click.pass_obj
def replay(context: Context, numbers: tuple[str, ...], failed: bool) -> None:
    """Let events be worked on again, as if they had just come in.

    \b
    cosell events replay 12 13
    cosell events replay --failed
    """
    if not numbers and not failed:
        raise Failure("which events?", hint="name them, or say --failed", code=console.USAGE)

    async def again(ledger: Ledger) -> list[StoredEvent]:
        chosen = list(numbers)
        if failed:
            chosen += [one.id for one in await ledger.inbox.list(100_000, "failed")]
        for number in numbers:
            if await ledger.inbox.get(number) is None:
                raise _no_event(number)
        await ledger.inbox.replay(chosen)
        found = [await ledger.inbox.get(number) for number in dict.fromkeys(chosen)]
        return [one for one in found if one is not None]

    replayed: list[StoredEvent] = ask_ledger(project_of(context), again, empty=[])
    if numbers and not replayed:
        raise _no_event(numbers[0])
    _tell_events(context, replayed)


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
        ((one.id, one.status, one.name, one.resource_id, when(one.received_at), one.attempts)
         for one in found),
        ("id", "status", "event", "record", "received", "attempts"),
    )  # fmt: skip
