"""`cosell letters`: what cannot be brought in step, what to do about it, and to try again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .documents import letter_json, when
from .records import agreed, finish
from .remembered import ask_ledger, project_of, serving, shown
from .running import with_engine

_GONE = "restore the record from the recycle bin, close its twin in Partner Center, or leave it"

if TYPE_CHECKING:
    from ..ledger import Ledger, Letter, Link
    from ..project import Project
    from ..running.engine import Engine
    from ..running.mending import Mending
    from ..running.outcomes import RunResult


@click.group()
def letters() -> None:
    """Dead letters: records that cannot be brought in step, and what to do.

    There is one open letter per record. It closes by itself when a later run succeeds.

    \b
    cosell letters list
    cosell letters show 3
    cosell letters retry 3 --set Country=DK
    cosell letters retry --class unavailable
    """


@letters.command("list")
@click.option("--all", "every", is_flag=True, help="The closed ones too.")
@click.option("--class", "error_class", metavar="CLASS", help="Only those of an error class.")
@click.pass_obj
def list_letters(context: Context, every: bool, error_class: str | None) -> None:
    """The open letters, oldest first.

    \b
    cosell letters list
    cosell letters list --class invalid
    cosell letters list --all
    """
    found: list[Letter] = ask_ledger(
        project_of(context), lambda ledger: ledger.letters.list(all=every), empty=[]
    )
    if error_class is not None:
        found = _of_class(found, error_class)
    _tell_letters(context, found, none="no open letters" if not every else "no letters")


@letters.command("show")
@click.argument("number", metavar="ID")
@click.pass_obj
def show_letter(context: Context, number: str) -> None:
    """One letter, whole: what went wrong, where, since when, what to do, and where to look.

    \b
    cosell letters show 3
    """
    project = project_of(context)

    async def ask(ledger: Ledger) -> Letter | None:
        return await ledger.letters.get(number)

    letter = ask_ledger(project, ask, empty=None)
    if letter is None:
        raise _no_letter(number)
    links = _links(project, letter)
    if context.as_json:
        console.show_json({"letters": [{**letter_json(letter), "links": links}]})
        return
    say(f"letter {letter.id}  {letter.status}  {letter.error_class}")
    say(f"  {letter.message}")
    if letter.hint:
        say(f"  hint: {letter.hint}")
    say(f"  opportunity {letter.opportunity_id or '-'}  {links['opportunity'] or ''}".rstrip())
    say(f"  referral    {letter.referral_id or '-'}  {links['referral'] or ''}".rstrip())
    say(f"  flow {letter.flow}" + (f"  at {letter.place}" if letter.place else ""))
    tries = "1 try" if letter.attempts == 1 else f"{letter.attempts} tries"
    say(f"  {tries}, {when(letter.first_at)} to {when(letter.last_at)} UTC")
    say(f"  {_what_next(letter)}")


@letters.command()
@click.argument("numbers", nargs=-1, metavar="[ID]…")
@click.option("--all", "every", is_flag=True, help="All open letters.")
@click.option("--class", "error_class", metavar="CLASS", help="All open letters of an error class.")
@click.option("--set", "setting", metavar="FIELD=VALUE",
              help="First put VALUE into a field of the record; of one letter.")  # fmt: skip
@click.option("--yes", is_flag=True, help="With --set: do not ask.")
@click.pass_obj
def retry(
    context: Context, numbers: tuple[str, ...], every: bool, error_class: str | None,
    setting: str | None, yes: bool,
) -> None:  # fmt: skip
    """Ask for records to be tried again; the next run of their flow takes them.

    With --set, a field of the mapping is corrected in Salesforce first, as a seller would: only
    where nobody changed the record meanwhile, remembered in the ledger, and told in the audit.
    FIELD is its API name in either system, or its label. What comes from Microsoft is not edited.

    \b
    cosell letters retry 3 7
    cosell letters retry --all
    cosell letters retry --class rate_limited
    cosell letters retry 3 --set Country=DK
    cosell letters retry 3 --set "Closing date=2027-03-31" --yes
    """
    if not numbers and not every and error_class is None:
        raise Failure(
            "which letters?",
            hint="name them, or say --all or --class CLASS; see cosell letters list",
            code=console.USAGE,
        )
    project = project_of(context)
    if setting is not None:
        if len(numbers) != 1 or every or error_class is not None:
            raise Failure(
                "--set is for one letter", hint="name its id, and no other", code=console.USAGE
            )
        _corrected(context, project, numbers[0], setting, yes=yes)
        return
    marked = _marked(project, numbers, every=every, error_class=error_class)
    gone = [one.id for one in marked if one.error_class == "deleted"]
    again = [one for one in marked if one.error_class != "deleted"]
    if not context.as_json and again:
        say(f"to be tried again: {', '.join(one.id for one in again)}")
        for hint in _when_tried(project, again):
            say(f"  {hint}")
    if not context.as_json and gone:
        say(f"not tried again: {', '.join(gone)}; {_GONE}")
    _tell_letters(context, marked, none="no open letters")


def _marked(
    project: Project, numbers: tuple[str, ...], *, every: bool, error_class: str | None
) -> list[Letter]:
    async def mark(ledger: Ledger) -> list[Letter]:
        known = {one.id: one for one in await ledger.letters.list(all=True)}
        for number in numbers:
            _open_one(known, number)
        still = [one for one in known.values() if one.status == "open"]
        chosen = [one.id for one in still] if every else list(numbers)
        if error_class is not None:
            chosen += [one.id for one in _of_class(still, error_class)]
        return await ledger.letters.mark_for_retry(dict.fromkeys(chosen))

    marked: list[Letter] = ask_ledger(project, mark, empty=[])
    if numbers and not marked:
        raise _no_letter(numbers[0])
    return marked


def _open_one(known: Mapping[str, Letter], number: str) -> Letter:
    if number not in known:
        raise _no_letter(number)
    if known[number].status == "closed":
        raise Failure(
            f"letter {number} is closed: a later run succeeded",
            hint="to bring the record in step once more, run its flow with its id as input",
        )
    return known[number]


def _of_class(found: list[Letter], error_class: str) -> list[Letter]:
    from cosell_definitions.problems import did_you_mean

    chosen = [one for one in found if one.error_class == error_class]
    classes = sorted({one.error_class for one in found})
    if not chosen and found:
        near = did_you_mean(error_class, classes)
        raise Failure(
            f"no letter here is of class {error_class!r}",
            hint=f"did you mean {near!r}?" if near else f"there are: {', '.join(classes)}",
        )
    return chosen


# -- correcting a record ----------------------------------------------------------------------


def _corrected(context: Context, project: Project, number: str, setting: str, *, yes: bool) -> None:
    """Put a value into a field of the letter's record, and let it be tried again."""
    name, equals, text = setting.partition("=")
    if not equals or not name.strip():
        raise Failure(
            f"{setting!r} is not FIELD=VALUE",
            hint='write --set Country=DK, or --set "Closing date=2027-03-31"',
            code=console.USAGE,
        )

    async def work(engine: Engine) -> RunResult:
        known = {one.id: one for one in await engine.ledger.letters.list(all=True)}
        letter = _open_one(known, number)
        result = await agreed(context, await _mending(engine, letter, name, text), yes=yes)
        if result.status == "succeeded":
            await engine.ledger.letters.mark_for_retry([number])
        return result

    result: RunResult = with_engine(context, work)
    if result.status == "succeeded" and not context.as_json:
        say("corrected; the letter closes when a run succeeds")
    finish(context, result)


async def _mending(engine: Engine, letter: Letter, name: str, text: str) -> Mending:
    from ..running.mending import by_hand, prepare
    from ..syncing.mending import NoSuchField, row_of, typed

    if letter.opportunity_id is None:
        raise Failure(
            f"letter {letter.id} is about referral {letter.referral_id}, which has no opportunity "
            "yet: what comes from Microsoft is not edited here",
            hint="have it changed in Partner Center, or change the mapping; then retry without --set",
        )
    mirror = by_hand(engine, "letters retry")[1].mirror(letter.mapping)
    try:
        row = row_of(mirror, name)
    except NoSuchField as error:
        raise Failure(error.message, hint=error.hint, code=console.USAGE) from None
    link = await _link(engine, letter)
    note = f"{row.label} was set by hand"
    return await prepare(engine, link, row, typed(row, text), what="letters retry", note=note)


async def _link(engine: Engine, letter: Letter) -> Link:
    from ..ledger import Link

    found = await engine.ledger.links.find(letter.mapping, right_id=letter.opportunity_id)
    return found or Link(mapping=letter.mapping, right_id=letter.opportunity_id)


# -- telling ----------------------------------------------------------------------------------


def _links(project: Project, letter: Letter) -> dict[str, str | None]:
    """Where a person looks at the letter's records."""
    from ..running.opening import environment_of
    from ..syncing.mirror import link_to_left, mirror_of

    environment = environment_of(project)
    mapping = project.mappings.get(letter.mapping)
    links: dict[str, str | None] = {"opportunity": None, "referral": None}
    if mapping is None:
        return links
    base = environment.connection(mapping.right.connection).text("base_url")
    if base and letter.opportunity_id:
        links["opportunity"] = f"{base.rstrip('/')}/{letter.opportunity_id}"
    if letter.referral_id:
        links["referral"] = link_to_left(mirror_of(mapping, environment.values), letter.referral_id)
    return links


def _what_next(letter: Letter) -> str:
    if letter.status == "closed":
        return f"closed {when(letter.closed_at)} UTC: a later run succeeded"
    if letter.error_class == "deleted":
        return f"not tried again: {_GONE}"
    if letter.retry_asked:
        return "the next run of its flow tries again"
    return (
        "tried again when the record changes, within the hour, or now: "
        f"cosell letters retry {letter.id}"
    )


def _when_tried(project: Project, marked: list[Letter]) -> list[str]:
    flows = ", ".join(dict.fromkeys(one.flow for one in marked))
    if serving(project):
        return [f"the cosell serve that is running takes them with the next run of {flows}"]
    return [f"no cosell serve is running here; now: cosell run {flow}"
            for flow in dict.fromkeys(one.flow for one in marked)]  # fmt: skip


def _tell_letters(context: Context, found: list[Letter], *, none: str) -> None:
    if context.as_json:
        console.show_json({"letters": [letter_json(one) for one in found]})
        return
    if not found:
        say(none)
        return
    rows: list[tuple[Any, ...]] = [
        (one.id, one.status, one.error_class, one.opportunity_id or one.referral_id,
         one.attempts, shown(one.message))
        for one in found
    ]  # fmt: skip
    console.table(rows, ("id", "status", "class", "record", "tries", "message"))


def _no_letter(number: str) -> Failure:
    return Failure(f"there is no letter {number!r}", hint="see cosell letters list --all")
