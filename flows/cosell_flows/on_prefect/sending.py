"""Send what Prefect still holds back, before its server or this process may go."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogHandler

_PATIENCE_S = 5.0
# The server gathers what became of tasks for a second before it writes it down, and forgets what
# it gathered when it is stopped earlier.
_WRITTEN_DOWN_S = 1.5


async def send_everything() -> None:
    """Send logs and events that wait in this process; a server that is away keeps nobody."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            logs: Any = APILogHandler.aflush()
            await logs
            events: Any = EventsWorker.drain_all(timeout=_PATIENCE_S, at_exit=False)
            await events


async def written_down() -> None:
    """Send everything, and give a server of our own the time to write it down."""
    await send_everything()
    await asyncio.sleep(_WRITTEN_DOWN_S)
