"""`cosell plan` and `cosell apply`: look at every write before it happens, then let it happen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .running import EXIT, read_inputs, short, tell, typed_by_hand, with_engine

if TYPE_CHECKING:
    from ..running.engine import Engine
    from ..running.outcomes import RunResult
    from ..running.plan_file import PlanFile


@click.command()
@click.argument("flow")
@click.option("-i", "--input", "pairs", multiple=True, metavar="NAME=VALUE",
              help="An input; arrays and objects as JSON.")  # fmt: skip
@click.option("--inputs", "file", type=click.Path(dir_okay=False), help="Inputs as a JSON file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Keep the plan, to be looked at by others and applied.")  # fmt: skip
@click.pass_obj
def plan(
    context: Context, flow: str, pairs: tuple[str, ...], file: str | None, out: Path | None
) -> None:
    """Every write a run of FLOW would make, field by field. Nothing is written.

    Each field stands with its old and new value, the rule that decides it, and the value that
    loses. A plan kept with --out holds no secret: send it to whoever decides, then apply it.

    \b
    cosell plan opportunity-to-partner-center
    cosell plan opportunity-to-partner-center -i 'opportunity_ids=["006…"]' --out friday.json
    cosell apply friday.json
    """
    given = read_inputs(pairs, file)

    async def work(engine: Engine) -> PlanFile:
        from ..running.carrying_out import plan_of

        return await plan_of(
            engine, await engine.rehearse(flow, typed_by_hand(engine, flow, given))
        )

    made: PlanFile = with_engine(context, work)
    if out:
        _keep(made, out)
    if context.as_json:
        from ..running.plan_file import printed

        console.show_json(printed(made))
    else:
        _tell_plan(made)
        count = len(made.changes)
        say(f"{count} write{'' if count == 1 else 's'} planned; nothing was written")
        if out:
            say(f"kept in {out}; to do exactly this: cosell apply {out}")
    if made.status in ("failed", "partial"):
        raise SystemExit(console.NO)


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def apply(context: Context, file: Path) -> None:
    """Do exactly what the plan in FILE says, or refuse.

    It is refused where a record moved since, where a flow, a mapping, a connector or a value
    changed, where it was applied already, and where the file was altered. A plan that a brake
    would stop is let through: whoever applies it has seen it. Where a Prefect server runs, the run
    is shown there.

    \b
    cosell plan partner-center-to-salesforce --out monday.json
    cosell apply monday.json
    """
    from ..running.plan_file import read_plan

    planned = read_plan(_text_of(file), name=str(file))

    async def work(engine: Engine) -> RunResult:
        from ..on_prefect.commanding import run_where_it_is_seen
        from ..running.carrying_out import carry_out

        return await carry_out(engine, planned, drive=run_where_it_is_seen)

    result: RunResult = with_engine(context, work)
    if context.as_json:
        console.show_json(result.as_json())
    else:
        tell(result)
    raise SystemExit(EXIT[result.status])


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Failure(
            f"there is no file {file}",
            hint="make a plan first: cosell plan FLOW --out FILE",
            code=console.USAGE,
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Failure(f"{file} cannot be read: {why}", code=console.USAGE) from None


def _keep(made: PlanFile, out: Path) -> None:
    from ..running.plan_file import as_document

    try:
        out.write_text(console.to_json(as_document(made)) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failure(f"{out} cannot be written: {error.strerror}", code=console.USAGE) from None


def _tell_plan(made: PlanFile) -> None:
    for record in made.records:
        if record.changes:
            say(f"{record.key or made.flow}:" + (f" {record.reason}" if record.reason else ""))
        for change in record.changes:
            _tell_change(change)
    for record in made.records:
        if record.status in ("skipped", "failed") and not record.changes:
            say(f"{record.status} {record.key}: {record.reason}")
    if made.braked:
        console.warn(f"a run would be stopped by the brake: {made.braked}")
        console.warn("  hint: apply this plan, or run the flow with --release-brake")
    if made.error:
        place = f"{made.error['file']}:{made.error['line']}: " if made.error["file"] else ""
        console.warn(f"  {place}{made.error['class']}: {made.error['message']}")


def _tell_change(change: Mapping[str, Any]) -> None:
    say(f"  {change['operation']} {change['system']} {change['object']} {change['key'] or ''}")
    for one in change["fields"]:
        rule = f"   [{one['rule']}]" if one["rule"] else ""
        loses = f"   (loses {short(one['loses'])})" if one["loses"] is not None else ""
        say(f"    {one['field']}: {short(one['old'])} → {short(one['new'])}{loses}{rule}")
