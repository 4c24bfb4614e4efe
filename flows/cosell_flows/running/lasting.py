"""See work through to its end, whoever wants to cut it short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextvars import ContextVar
from typing import Any

WITHDRAWN: ContextVar[bool] = ContextVar("withdrawn", default=False)
"""Whether work that waits for a person is walked into again only to be ended: nothing new begins."""

Start = Callable[[], Coroutine[Any, Any, None]]


async def to_its_end(start: Start) -> BaseException | None:
    """Do work; what it ended with. A cancellation waits until the work is done, then counts."""

    async def in_earnest() -> None:
        WITHDRAWN.set(False)
        await start()

    task = asyncio.ensure_future(in_earnest())
    cancelled = await _waited_for([task])
    if task.cancelled():
        return cancelled or asyncio.CancelledError()
    return cancelled or task.exception()


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


async def withdraw(starts: Iterable[Start]) -> None:
    """End work that waits for a person: what was begun in there is cancelled, with its `finally`."""

    async def once_more(start: Start) -> None:
        WITHDRAWN.set(True)
        await start()

    tasks = [asyncio.ensure_future(once_more(start)) for start in starts]
    cancelled = await _waited_for(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
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
