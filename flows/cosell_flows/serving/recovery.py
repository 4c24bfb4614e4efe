"""Take up what was lost when a process died: its events, its leases, and the word on its runs."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from cosell_flows.ledger import Clock, Ledger, Run, is_gone

_LOG = logging.getLogger(__name__)
_SILENCE = timedelta(seconds=60)  # of a process of another machine; a run says every 10 s it lives
_MOST = 10_000
_INTERRUPTED = "the process that ran it ended before the run did"

MarkCrashed = Callable[[str], Awaitable[None]]
"""Says in Prefect that a run ended with its process."""


async def recover(ledger: Ledger, *, clock: Clock, mark_crashed: MarkCrashed) -> int:
    """Free what processes that are gone still hold, and end their runs; how many runs."""
    for owner in await ledger.inbox.owners():
        if is_gone(owner):
            freed = await ledger.inbox.take_from(owner)
            _LOG.warning("%s events of a process that is gone are taken up again", freed)
    dead = await _dead_runs(ledger, clock)
    for run in dead:
        await ledger.leases.take_from(run.run_id)
        await ledger.runs.finish(run.run_id, "failed", _interrupted(run))
        await mark_crashed(run.run_id)
        _LOG.warning("run %s of %s was interrupted", run.run_id, run.flow)
    return len(dead)


async def is_alive(ledger: Ledger, run_id: str, *, clock: Clock) -> bool | None:
    """Whether somebody works on a run; None where this ledger cannot tell.

    A run that ended a moment ago counts as alive: whoever did it has still to say so in Prefect.
    """
    run = await ledger.runs.get(run_id)
    if run is None or run.status == "waiting":  # an answered one is not yet taken up, perhaps
        return None
    return not is_gone(run.owner) and run.beat_at > clock() - _SILENCE


async def _dead_runs(ledger: Ledger, clock: Clock) -> list[Run]:
    silent = await ledger.runs.unfinished(clock() - _SILENCE)
    gone = [run for run in await ledger.runs.list(_MOST, status="running") if is_gone(run.owner)]
    return list({run.run_id: run for run in (*silent, *gone)}.values())


def _interrupted(run: Run) -> dict[str, object]:
    error = {
        "class": "cancelled",
        "code": "interrupted",
        "message": _INTERRUPTED,
        "hint": "events are taken up again by themselves; run it again otherwise",
        "step": None,
        "file": None,
        "line": None,
        "column": None,
    }
    return {
        "run_id": run.run_id,
        "flow": run.flow,
        "status": "failed",
        "outputs": {},
        "counts": {},
        "steps": [],
        "writes": [],
        "error": error,
    }
