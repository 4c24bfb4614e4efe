"""Run branches at the same time: until all are through, or until one is."""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import Sequence
from typing import Literal

from .lasting import Start, ended, withdraw
from .outcomes import StepFailed, Waiting


async def race(branches: Sequence[Start], wait_for: Literal["all", "any"], *, keeps: bool) -> None:
    """`all`: the first failure ends the others. `any`: the first success does; failures only leave.

    Whatever ends a branch early, its `finally` steps are through when this returns. A branch that
    waits for a person keeps nobody: the others come to their end first. *keeps*: a branch may have
    waited in an earlier life of the run.
    """
    tasks = [asyncio.ensure_future(branch()) for branch in branches]
    failures: list[StepFailed] = []
    waiting: Waiting | None = None
    try:
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in (one for one in tasks if one in done):
                error = task.exception()
                if isinstance(error, Waiting):
                    waiting = error
                elif isinstance(error, StepFailed) and wait_for == "any":
                    failures.append(error)
                elif error is not None:
                    raise error
                elif wait_for == "any":
                    pending, waiting = set(), None
                    failures.clear()
                    break
        if waiting is None and failures:
            raise failures[0]
    except BaseException:
        await _over(tasks, branches, keeps=keeps)
        raise
    if waiting is not None:
        raise waiting
    await _over(tasks, branches, keeps=keeps)


async def _over(tasks: Sequence[Task[None]], branches: Sequence[Start], *, keeps: bool) -> None:
    """Nobody waits for the branches any more."""
    await ended(tasks)
    if keeps:
        pairs = zip(tasks, branches, strict=True)
        await withdraw([branch for task, branch in pairs if _is_open(task)])


def _is_open(task: Task[None]) -> bool:
    return task.cancelled() or isinstance(task.exception(), Waiting)
