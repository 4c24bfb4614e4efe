"""Wait for a person's answer to a run, and see the run through after it."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

from httpx import HTTPError
from prefect import get_client

from cosell_flows.running.outcomes import RunResult

from .approving import end_aside, give_up, is_late, standing
from .runner import claimed
from .running import run_on_prefect
from .seam import RunsFlows

_LOOK_S = 1.0


async def once_answered(engine: RunsFlows, waiting: RunResult) -> RunResult:
    """What came of a run that waits. Where another process takes it up, its result is awaited."""
    async with get_client() as client:
        while True:
            await asyncio.sleep(_LOOK_S)
            run = await engine.ledger.runs.get(waiting.run_id)
            assert run is not None  # the ledger keeps what waits
            if run.result is not None and run.status != "waiting":
                return RunResult(**run.result)
            if run.status != "waiting":
                continue  # another process took it up
            with contextlib.suppress(HTTPError, OSError):  # a server that is away is asked again
                match await standing(client, waiting.run_id):
                    case "waiting" if is_late(run):
                        await give_up(client, waiting.run_id)
                    case "ended":
                        return await end_aside(engine, run)
                    case "resumed":
                        flow_run = await client.read_flow_run(UUID(waiting.run_id))
                        if await claimed(client, flow_run):
                            return await run_on_prefect(
                                engine, run.flow, {}, trigger=run.trigger, flow_run=flow_run
                            )
