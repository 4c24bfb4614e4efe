"""See work through to its end, whoever wants to cut it short."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def to_its_end(work: Coroutine[Any, Any, None]) -> BaseException | None:
    """Do *work*; what it ended with. A cancellation waits until the work is done, then counts."""
    task = asyncio.ensure_future(work)
    cancelled = await _waited_for([task])
    error = None if task.cancelled() else task.exception()
    return cancelled or (asyncio.CancelledError() if task.cancelled() else error)


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """End *tasks*, and wait until what they do at their end is done."""
    left = list(tasks)
    for task in left:
        task.cancel()
    cancelled = await _waited_for(left)
    for task in left:
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains that nobody looked
    if cancelled is not None:
        raise cancelled


async def _waited_for(tasks: list[asyncio.Task[Any]]) -> asyncio.CancelledError | None:
    cancelled = None
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as wanted:
            cancelled = wanted
    return cancelled
