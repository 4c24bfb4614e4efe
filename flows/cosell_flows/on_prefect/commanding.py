"""Run one flow for a person at a terminal, on the Prefect server there is, or on one of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cosell_flows.running.outcomes import RunResult

from .seam import RunsFlows
from .server import answers, must_answer, prefect_server
from .surroundings import api_url_given, served_api, settle, warm_up


@dataclass(frozen=True, slots=True)
class _Server:
    """The server a command uses; a short-lived one ends with the command."""

    home: Path
    api_url: str
    short_lived: bool = False


async def run_from_command(
    engine: RunsFlows,
    flow: str,
    inputs: Mapping[str, Any],
    *,
    release_brake: bool = False,
    waits: Callable[[str], object] = lambda where: None,
) -> RunResult:
    """Run *flow* on Prefect: the configured server, the one that serves, or a short-lived one.

    A run that waits for a person is waited for; *waits* is told where the person can answer.
    """
    async with _server(engine.project.root / ".cosell") as server:
        settle(server.home, server.api_url)
        # Importing Prefect takes two seconds.
        from .deployments import Deployments  # noqa: PLC0415
        from .resuming import once_answered  # noqa: PLC0415
        from .running import RunCancelled, run_on_prefect  # noqa: PLC0415
        from .sending import send_everything, written_down  # noqa: PLC0415

        is_on = flow in await engine.ledger.switches.on()
        deployment = await Deployments(engine.project).enter_one(flow, is_on=is_on)
        try:
            result = await run_on_prefect(
                engine,
                flow,
                inputs,
                trigger="command",
                release_brake=release_brake,
                deployment=deployment,
            )
            while result.question is not None:
                ui = server.api_url.removesuffix("/api")
                waits(f"{result.question.message} {ui}/runs/flow-run/{result.run_id}")
                result = await once_answered(engine, result)
            return result
        except RunCancelled as cancelled:
            return cancelled.result
        finally:
            await (written_down() if server.short_lived else send_everything())


async def run_where_it_is_seen(
    engine: RunsFlows, flow: str, inputs: Mapping[str, Any], trigger: str
) -> RunResult:
    """Run *flow* as a run of the Prefect server that is there; in this process alone, where none is."""
    home = engine.project.root / ".cosell" / "prefect"
    api_url = api_url_given() or served_api(home.parent)
    if not api_url or not await answers(f"{api_url}/health"):
        return await engine.run(flow, inputs, trigger=trigger)
    settle(home, api_url)
    # Importing Prefect takes two seconds.
    from .deployments import Deployments  # noqa: PLC0415
    from .running import RunCancelled, run_on_prefect  # noqa: PLC0415
    from .sending import send_everything  # noqa: PLC0415

    is_on = flow in await engine.ledger.switches.on()
    deployment = await Deployments(engine.project).enter_one(flow, is_on=is_on)
    try:
        return await run_on_prefect(engine, flow, inputs, trigger=trigger, deployment=deployment)
    except RunCancelled as cancelled:
        return cancelled.result
    finally:
        await send_everything()


@contextlib.asynccontextmanager
async def _server(state: Path) -> AsyncIterator[_Server]:
    home = state / "prefect"
    given = api_url_given()
    if given:
        await must_answer(given)
        yield _Server(home, given)
        return
    serving = served_api(state)
    if serving and await answers(f"{serving}/health"):
        yield _Server(home, serving)
        return
    async with prefect_server(home, port=0, starting=partial(warm_up, home)) as server:
        yield _Server(home, server.api_url, short_lived=True)
