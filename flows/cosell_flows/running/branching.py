"""Run branches at the same time: until all are through, or until one is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Literal

from .lasting import ended
from .outcomes import StepFailed, Waiting


async def race(
    branches: Sequence[Coroutine[Any, Any, None]], wait_for: Literal["all", "any"]
) -> None:
    """`all`: the first failure ends the others. `any`: the first success does; failures only leave.

    Whatever ends a branch early, its `finally` steps are through when this returns. A branch that
    waits for a person keeps nobody: the others come to their end first.
    """
    tasks = [asyncio.ensure_future(branch) for branch in branches]
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
                    return
        if waiting is not None:
            raise waiting
        if failures:
            raise failures[0]
    finally:
        await ended(tasks)
