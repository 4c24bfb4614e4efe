"""Take up the runs that Prefect scheduled for our flows, and run them in this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from httpx import HTTPError
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Abort, ObjectNotFound
from prefect.states import Cancelled, Failed
from prefect.utilities.engine import propose_state

from cosell_flows.ledger import LedgerError

from .approving import RESUMING, end_aside, give_up, is_late, standing
from .claims import claim
from .deployments import Deployments
from .running import NotToBeRun, run_on_prefect
from .seam import RunsFlows

_LOG = logging.getLogger(__name__)
_POLL_S = 0.5
_LONGEST_PAUSE_S = 15.0
_LOOK_AT_WAITING_S = 2.0
_MOST_AT_ONCE = 8
_SUPERSEDED = "a later run of the same schedule does the work of this one"
RELEASE_BRAKE = "release-brake"
"""A run with this tag, given in Prefect's form, is let through the brakes."""


class Runner:
    """Runs what people and schedules start in Prefect, as tasks of this event loop."""

    def __init__(
        self, engine: RunsFlows, deployments: Deployments, *, most_at_once: int = _MOST_AT_ONCE
    ) -> None:
        self._engine = engine
        self._deployments = deployments
        self._most = most_at_once
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._next_look = 0.0
        self._on_schedule: dict[
            UUID, UUID
        ] = {}  # deployment -> the scheduled run that is under way

    def take_no_more(self) -> None:
        """Begin no new run; those under way go on."""
        self._most = 0

    @property
    def is_idle(self) -> bool:
        """Whether no run is under way."""
        return not self._running

    async def run(self) -> None:
        """Poll until cancelled; runs under way are cancelled with it."""
        pause = _POLL_S
        try:
            async with get_client() as client:
                while True:
                    try:
                        await self._turn(client)
                        await self._look_after_those_that_wait(client)
                        pause = _POLL_S
                    except (HTTPError, OSError, LedgerError) as error:
                        # The server is away: it comes back, or an operator sees /health/ready.
                        pause = min(pause * 2, _LONGEST_PAUSE_S)
                        _LOG.warning(
                            "Prefect or the ledger cannot be reached (%s); asking again", error
                        )
                    await asyncio.sleep(pause)
        finally:
            await self._end_all()

    async def _turn(self, client: PrefectClient) -> None:
        """Take up what is due, as far as there is room."""
        room = self._most - len(self._running)
        by_deployment = {one: flow for flow, one in self._deployments.ids.items()}
        if room <= 0 or not by_deployment:
            return
        due = await client.get_scheduled_flow_runs_for_deployments(
            list(by_deployment), scheduled_before=datetime.now(UTC)
        )
        for run in await self._worth_running(client, due):
            if room > 0 and run.id not in self._running and await claimed(client, run):
                room -= 1
                self._begin(run, by_deployment[_deployment_of(run)])

    async def _look_after_those_that_wait(self, client: PrefectClient) -> None:
        """End the runs that were ended in Prefect, and wake those whose time for an answer is up."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_look:
            return
        self._next_look = loop.time() + _LOOK_AT_WAITING_S
        for run in await self._engine.ledger.runs.list(status="waiting"):
            match await standing(client, run.run_id):
                case "waiting" if is_late(run):
                    await give_up(client, run.run_id)
                case "ended":
                    await end_aside(self._engine, run)

    async def _worth_running(self, client: PrefectClient, due: list[FlowRun]) -> list[FlowRun]:
        """Of several runs that one schedule is late with, the last: it does the others' work."""
        resumed = {run.id for run in due if run.state_name == RESUMING}
        chosen = [run for run in due if not run.auto_scheduled or run.id in resumed]
        by_schedule: dict[UUID, list[FlowRun]] = {}
        for run in due:
            if run.auto_scheduled and run.id not in resumed:
                by_schedule.setdefault(_deployment_of(run), []).append(run)
        busy = await self._busy_on_schedule() if by_schedule else frozenset()
        for deployment, runs in by_schedule.items():
            *missed, last = sorted(runs, key=_expected)
            for run in missed:
                if await claimed(client, run):
                    await _propose(client, run, Cancelled(message=_SUPERSEDED))
            if deployment not in busy:
                chosen.append(last)
        return sorted(chosen, key=_expected)

    async def _busy_on_schedule(self) -> frozenset[UUID]:
        """Deployments of which a scheduled run is under way, here or in another process."""
        ids = self._deployments.ids
        runs = await self._engine.ledger.runs.list(status="running", trigger="schedule")
        return frozenset({*self._on_schedule, *(ids[one.flow] for one in runs if one.flow in ids)})

    def _begin(self, run: FlowRun, flow_id: str) -> None:
        task = asyncio.create_task(self._work(run, flow_id))
        self._running[run.id] = task
        deployment = _deployment_of(run)
        if run.auto_scheduled:
            self._on_schedule[deployment] = run.id

        def ended(_: asyncio.Task[None]) -> None:
            self._running.pop(run.id, None)
            if self._on_schedule.get(deployment) == run.id:
                del self._on_schedule[deployment]

        task.add_done_callback(ended)

    async def _work(self, run: FlowRun, flow_id: str) -> None:
        """Run it to its end. Whatever goes wrong is said in Prefect; the runner goes on."""
        try:
            await run_on_prefect(
                self._engine,
                flow_id,
                run.parameters,
                trigger="schedule" if run.auto_scheduled else "manual",
                release_brake=RELEASE_BRAKE in run.tags,
                flow_run=run,
            )
        except NotToBeRun as refused:
            _LOG.info("run %s of %s was not begun: %s", run.name, flow_id, refused)
        except Exception as error:  # noqa: BLE001 - one run must not end the others
            _LOG.error("run %s of %s could not begin: %s", run.name, flow_id, error)
            with contextlib.suppress(HTTPError, OSError):
                async with get_client() as client:
                    await _propose(client, run, Failed(message=str(error)))

    async def _end_all(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def claimed(client: PrefectClient, run: FlowRun) -> bool:
    """Whether the run is ours now; another runner or a person may have been faster."""
    ours = claim()
    state = await _propose(client, run, ours)
    if state is None:
        # The client asks again where an answer is lost, and is then told that the run is taken.
        with contextlib.suppress(ObjectNotFound):
            state = (await client.read_flow_run(run.id)).state
    return state is not None and state.is_pending() and state.message == ours.message


async def _propose(client: PrefectClient, run: FlowRun, state: State[Any]) -> State[Any] | None:
    try:
        return await propose_state(client, state, flow_run_id=run.id)
    except (Abort, ObjectNotFound):
        return None


def _deployment_of(run: FlowRun) -> UUID:
    assert run.deployment_id is not None  # it was asked for by its deployment
    return run.deployment_id


def _expected(run: FlowRun) -> datetime:
    return run.expected_start_time or datetime.max.replace(tzinfo=UTC)
