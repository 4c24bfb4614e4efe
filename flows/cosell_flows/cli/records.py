"""`cosell records`: which records are linked, why their fields have their values, and back again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .documents import change_json, letter_json, link_json, when
from .remembered import ask_ledger, project_of, shown
from .running import EXIT, short, tell, with_engine

if TYPE_CHECKING:
    from ..ledger import Change, Ledger, Link
    from ..project import Project
    from ..running.engine import Engine
    from ..running.mending import Mending
    from ..running.outcomes import RunResult
    from ..syncing.mirror import Row
    from .story import Story, Told, Unmapped


@click.group()
def records() -> None:
    """Records that are linked between the two systems, and why their fields have their values.

    KEY is the id of a referral or of an opportunity.

    \b
    cosell records list
    cosell records show 006…
    cosell records explain 006… Amount
    cosell records restore 006… Amount
    """


@records.command("list")
@click.option("--state", type=click.Choice(["active", "closed", "deleted"]), help="Only those.")
@click.pass_obj
def list_records(context: Context, state: str | None) -> None:
    """Every link: which referral is which opportunity.

    \b
    cosell records list
    cosell records list --state deleted
    """
    links: list[Link] = ask_ledger(project_of(context), lambda it: it.links.list(), empty=[])
    links = [one for one in links if state in (None, one.state)]
    if context.as_json:
        console.show_json({"records": [link_json(link) for link in links]})
        return
    if not links:
        say("no records are linked" + (f" and {state}" if state else " yet"))
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
    """One record: its link, what is wrong with it, and everything the sync wrote to it, newest first.

    \b
    cosell records show 006000000000001AAA
    """
    story = _story(project_of(context), key)
    if context.as_json:
        console.show_json(
            {
                "key": key,
                "records": [link_json(link) for link in story.links],
                "letters": [letter_json(letter) for letter in story.letters],
                "changes": [change_json(change) for change in story.newest_first],
            }
        )
        return
    for link in story.links:
        say(f"referral {link.left_id}  opportunity {link.right_id}  {link.state}  {link.mapping}")
    for letter in story.letters:
        say(f"letter {letter.id} ({letter.status}, {letter.error_class}): {letter.message}")
    for line in _changes_told(story.newest_first):
        say(line)


@records.command("explain")
@click.argument("key")
@click.argument("field")
@click.pass_obj
def explain_record(context: Context, key: str, field: str) -> None:
    """Why FIELD of the record KEY has its value: who, when, which run, by which rule, what lost.

    FIELD is the name in either system, or the label in the mapping. The values are numbered,
    newest first: `cosell records restore KEY FIELD --to N` brings back what value N replaced.

    \b
    cosell records explain 006000000000001AAA Amount
    cosell records explain 006000000000001AAA "Deal value"
    cosell --json records explain 4111fffc-f9ee-4d53-bba6-569135228642 details.dealValue
    """
    project = project_of(context)
    story = _story(project, key)
    told = _told(project, story, field)
    if context.as_json:
        console.show_json({"key": key, "field": field, **told.as_json()})
        return
    say(told.sentence)
    for number, change in enumerate(told.changes, start=1):
        say(_explained(number, change))


@records.command("restore")
@click.argument("key")
@click.argument("field")
@click.option("--to", "target", metavar="RUN|N",
              help="What this run, or value N of `explain`, replaced. Default: the newest.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore_record(context: Context, key: str, field: str, target: str | None, yes: bool) -> None:
    """Bring back the value that lost: write it again, through the rules of the sync.

    It is written to Salesforce and carried to Partner Center as if a seller had typed it: only
    where nobody changed the record meanwhile, remembered in the ledger, and told in the audit.

    \b
    cosell records restore 006000000000001AAA Amount
    cosell records restore 006000000000001AAA "Deal value" --to 2 --yes
    """
    project = project_of(context)
    story = _story(project, key)
    row = _row(project, story, field)
    link, change = story.link_of(row), _chosen(story, row, target)

    async def work(engine: Engine) -> RunResult:
        from ..running.mending import by_hand, prepare
        from ..syncing.mending import replaced

        mirror = by_hand(engine, "records restore")[1].mirror(link.mapping)
        value = replaced(mirror, row, change, story.changes)
        note = f"{row.label} was restored by hand to what it was before {when(change.at)}"
        mending = await prepare(engine, link, row, value, what="records restore", note=note)
        return await agreed(context, mending, yes=yes)

    finish(context, with_engine(context, work))


async def agreed(context: Context, mending: Mending, *, yes: bool) -> RunResult:
    """Show what is about to be written by hand, ask, and write it."""
    plan = mending.plan
    if not context.as_json:
        for system, writes in (("Partner Center", plan.to_left), ("Salesforce", plan.to_right)):
            for one in writes:
                say(f"  {system} {one.field}: {short(one.old)} → {short(one.new)}")
    confirm(yes, "write this?")
    return await mending.carry_out()


def confirm(yes: bool, question: str) -> None:
    """Ask, where somebody can answer; raises Failure where the answer is no or nobody is there."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure("nobody can be asked here", hint="say --yes", code=console.USAGE)
    if not click.confirm(question, err=True):
        raise Failure("nothing was written")


def finish(context: Context, result: RunResult) -> None:
    """Say how something done by hand went, and leave with its exit code."""
    if context.as_json:
        console.show_json(result.as_json())
    else:
        tell(result)
    raise SystemExit(EXIT[result.status])


def _story(project: Project, key: str) -> Story:
    from .story import Story

    async def ask(ledger: Ledger) -> Story:
        return await Story.of(ledger, key)

    found = ask_ledger(project, ask, empty=Story())
    if found.is_empty:
        raise _unknown_record(project, key)
    return found


def _unknown_record(project: Project, key: str) -> Failure:
    from cosell_definitions.problems import did_you_mean

    links: list[Link] = ask_ledger(project, lambda it: it.links.list(), empty=[])
    near = did_you_mean(
        key, [one for link in links for one in (link.left_id, link.right_id) if one]
    )
    return Failure(
        f"the ledger knows no record {key!r}",
        hint=f"did you mean {near!r}?"
        if near
        else "KEY is the id of a referral or an opportunity; see cosell records list",
    )


def _row(project: Project, story: Story, field: str) -> Row:
    from ..syncing.mending import NoSuchField

    try:
        return story.row(project, field)
    except NoSuchField as error:
        raise Failure(error.message, hint=error.hint) from None


def _told(project: Project, story: Story, field: str) -> Told | Unmapped:
    """Why *field* has its value, by a row of a mapping or by a step of a flow."""
    from ..syncing.mending import NoSuchField

    try:
        return story.told(project, story.row(project, field))
    except NoSuchField as error:
        told = story.told_of_field(project, field)
        if told is None:
            raise Failure(error.message, hint=error.hint) from None
        return told


def _chosen(story: Story, row: Row, target: str | None) -> Change:
    """The change to be undone: the newest, the N-th of `explain`, or that of a run."""
    changes = story.of_row(row)
    if not changes:
        raise Failure(
            f"the sync has never written {row.label} of this record: no value lost",
            hint="see cosell records show KEY",
        )
    if target is None:
        return next((one for one in changes if one.loses is not None), changes[0])
    if target.isdigit():
        if not 1 <= int(target) <= len(changes):
            raise Failure(
                f"there is no value {target}: {row.label} was written {len(changes)} times",
                hint="see the numbers of cosell records explain",
            )
        return changes[int(target) - 1]
    found = [one for one in changes if one.run_id.startswith(target)]
    if not found:
        runs = ", ".join(dict.fromkeys(one.run_id for one in changes))
        raise Failure(f"run {target!r} did not write {row.label}", hint=f"these did: {runs}")
    return found[0]


def _changes_told(changes: Sequence[Change]) -> Iterable[str]:
    """The changes, with a line before each write."""
    key: Callable[[Change], tuple[Any, ...]] = lambda one: (  # noqa: E731 - said once, used once
        one.run_id, one.at, one.system, one.record_id,
    )  # fmt: skip
    last: tuple[Any, ...] | None = None
    for one in changes:
        if key(one) != last:
            yield f"{when(one.at)}  {one.operation} {one.system} {one.object}  ({one.flow})"
        last = key(one)
        yield f"    {one.field}: {shown(one.old)} → {shown(one.new)}"


def _explained(number: int, change: Change) -> str:
    version = f", version {change.flow_hash[:12]}" if change.flow_hash else ""
    lines = [
        f"{number}. {change.system}.{change.field} = {shown(change.new)}",
        f"     was      {shown(change.old)}",
        f"     written  {when(change.at)} by {change.flow}{version}, run {change.run_id}",
    ]
    if change.rule_file:
        lines.append(f"     rule     {change.rule_file}:{change.rule_line}")
    if change.loses is not None:
        lines.append(f"     lost     {shown(change.loses)}")
    return "\n".join(lines)
