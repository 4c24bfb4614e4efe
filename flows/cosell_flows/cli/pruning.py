"""`cosell prune`: let the ledger forget what is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from . import console
from .console import Context, say
from .remembered import has_ledger, project_of, with_ledger

DAYS = 400


@click.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(1),
    default=DAYS,
    show_default=True,
    metavar="DAYS",
    help="How many days are kept.",
)
@click.pass_obj
def prune(context: Context, days: int) -> None:
    """Delete history, events, runs and closed letters that are older than some days.

    Links with what both sides last agreed on stay, and so do open letters. The flow
    nightly-reconciliation does the same every night.

    \b
    cosell prune
    cosell prune --older-than 90
    """
    project = project_of(context)
    before = datetime.now(UTC) - timedelta(days=days)
    gone = (
        with_ledger(project, lambda ledger: ledger.retention.prune(before))
        if has_ledger(project)
        else {}
    )
    if context.as_json:
        console.show_json({"before": before.isoformat(), "deleted": gone})
        return
    told = ", ".join(f"{count} {name}" for name, count in gone.items() if count)
    say(f"deleted from before {before:%Y-%m-%d}: {told or 'nothing'}")
