"""Run a flow as one Prefect flow run: its steps as tasks, its end as a state, with a report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from httpx import HTTPError
from prefect import Flow as PrefectFlow
from prefect import Task as PrefectTask
from prefect import get_client
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import AsyncClientContext
from prefect.exceptions import Abort, PrefectException
from prefect.flow_engine import AsyncFlowRunEngine
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Completed, Failed

from cosell_definitions.model import Flow, Step
from cosell_flows.running.interpreter import Run
from cosell_flows.running.outcomes import CANCELLED, COUNTED, RunResult, StepFailed, StepRecord

from .approving import asking, put_aside
from .claims import claim
from .forms import can_be_shown, shown
from .reports import lines_of, report_of, sentence_of
from .seam import RunsFlows

_LOOK_S = 2.0  # how often a run looks whether somebody cancelled it in Prefect


class NotToBeRun(Exception):
    """The server does not want this run to begin: somebody cancelled it, or another has it."""


class RunCancelled(asyncio.CancelledError):
    """Whoever ran it was cancelled, and so was the run; its `result` tells how far it came."""

    def __init__(self, result: RunResult) -> None:
        super().__init__()
        self.result = result


async def run_on_prefect(
    engine: RunsFlows,
    flow_id: str,
    inputs: Mapping[str, Any],
    *,
    trigger: str = "manual",
    release_brake: bool = False,
    flow_run: FlowRun | None = None,
    deployment: UUID | None = None,
    idempotency_key: str | None = None,
    name: str | None = None,
) -> RunResult:
    """Run a flow now, recorded by Prefect as *flow_run*, or as a new one.

    Raises what the engine raises where the run cannot begin (`BadInputs`, `Unsound` …); failures
    of a run that began are results, also one of status `waiting`. A cancelled run is recorded as
    such, and stays a cancellation.
    """
    flow = engine.project.flow(flow_id)
    ended = _Ended()

    async def body() -> State[Any]:
        assert flow_run is not None
        work = engine.run(
            flow_id,
            inputs,
            run_id=str(flow_run.id),
            trigger=trigger,
            wrap=_as_task,
            release_brake=release_brake,
            ask=asking(flow_run),
        )
        # A task of its own, so that a cancellation in Prefect ends it, and not whoever called us.
        working = asyncio.create_task(work)
        watching = asyncio.create_task(_heed_cancellation(flow_run.id, working))
        try:
            return await _settled(working, ended, flow, run_id=str(flow_run.id), trigger=trigger)
        finally:
            watching.cancel()

    recorded: PrefectFlow[[], Any] = _recorded(flow, body)
    if flow_run is None:
        async with get_client() as client:
            name = name or f"{trigger} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
            wanted = _Wanted(recorded, inputs, name, deployment, idempotency_key)
            flow_run = await _new_run(client, wanted)
    driven = _InProcess(flow=recorded, flow_run=flow_run, parameters={})
    try:
        async with driven.start():
            while driven.is_running():
                async with driven.run_context():
                    _ = await driven.call_flow_fn()
    except Abort as refused:
        raise NotToBeRun(str(refused)) from None
    return ended.told()


class _InProcess(AsyncFlowRunEngine[..., Any]):
    """Prefect's engine, as a guest in a process that has other things to do.

    Prefect's own beginning takes over SIGTERM for the whole process and ends it there; here many
    runs share one event loop with a receiver, and whoever serves decides what a signal means.
    """

    @contextlib.asynccontextmanager
    async def initialize_run(self) -> AsyncIterator[_InProcess]:
        """Enter a client, and nothing else: the flow run exists, and `body` never raises."""
        async with AsyncClientContext.get_or_create() as context:
            self._client = context.client
            self._is_started = True
            try:
                yield self
            finally:
                self._is_started = False
                self._client = None


@dataclass(slots=True)
class _Ended:
    """How the engine's run ended: Prefect is told a state, our caller the whole of it."""

    result: RunResult | None = None
    error: BaseException | None = field(default=None)

    def told(self) -> RunResult:
        if self.error is not None:
            raise self.error
        if self.result is None:
            raise NotToBeRun("the run ended before it began")
        return self.result


async def _settled(
    working: asyncio.Task[RunResult], ended: _Ended, flow: Flow, *, run_id: str, trigger: str
) -> State[Any]:
    log, us = get_run_logger(), asyncio.current_task()
    try:
        result = await working
    except asyncio.CancelledError:  # it had not even begun
        result = _cancelled(run_id, flow)
    except Exception as error:  # noqa: BLE001 - the caller gets it; Prefect gets the sentence
        ended.error = error
        log.error("the run could not begin: %s", error)
        return Failed(message=str(error))
    ended.result = result
    if us is not None and us.cancelling():
        ended.error = RunCancelled(result)
        us.uncancel()  # what is left to do is to tell the server
    if result.status == "cancelled":
        log.warning(CANCELLED.message)
    if result.question is not None:
        async with get_client() as client:
            return await put_aside(client, UUID(run_id), result.question)
    for line in lines_of(result):
        log.info("%s", line)
    await _report(result, flow, trigger)
    return _state_of(result)


async def _heed_cancellation(flow_run: UUID, working: asyncio.Task[RunResult]) -> None:
    """Cancel the work once somebody cancels the run in Prefect."""
    async with get_client() as client:
        while True:
            await asyncio.sleep(_LOOK_S)
            # A server that is away for a moment is no reason to stop.
            with contextlib.suppress(HTTPError, OSError, PrefectException):
                state = (await client.read_flow_run(flow_run)).state
                if state is not None and (state.is_cancelling() or state.is_cancelled()):
                    working.cancel()
                    return


def _cancelled(run_id: str, flow: Flow) -> RunResult:
    return RunResult(
        run_id=run_id,
        flow=flow.id,
        status="cancelled",
        counts=dict.fromkeys(COUNTED, 0),
        error=CANCELLED.as_json(),
    )


def _state_of(result: RunResult) -> State[Any]:
    told = sentence_of(result)
    match result.status:
        case "succeeded":
            return Completed(message=told)
        case "skipped":
            return Completed(name="Skipped", message=told)
        case "partial":
            return Failed(name="Partial", message=told)
        case "cancelled":
            return Cancelled(message=told)
        case _:
            return Failed(message=told)


async def _report(result: RunResult, flow: Flow, trigger: str) -> None:
    told = report_of(result, name=flow.name, trigger=trigger, flow_hash=flow.content_hash)
    try:
        await acreate_markdown_artifact(
            told, key=flow.id.lower().replace("_", "-"), description=sentence_of(result)
        )
    except Exception as error:  # noqa: BLE001 - a run is not undone because its report was lost
        get_run_logger().warning("the report could not be kept: %s", error)


async def _as_task(step: Step, proceed: Run) -> None:
    """One step as one Prefect task. Nothing is passed: what it works on is none of Prefect's."""
    raised: list[BaseException] = []

    async def work() -> State[Any]:
        log = get_run_logger()
        began = time.monotonic()
        try:
            record = await proceed()
        except asyncio.CancelledError as cancelled:
            raised.append(cancelled)
            return Cancelled(message="cancelled")
        except Exception as error:  # noqa: BLE001 - raised again outside of Prefect
            raised.append(error)
            told = _told(error)
            log.error("%s failed: %s", step.name or step.id, told)
            return Failed(message=told)
        log.info("%s took %.2f s", step.name or step.id, time.monotonic() - began)
        return _state_of_step(record)

    task: PrefectTask[[], Any] = PrefectTask(
        fn=work,
        name=step.id,
        task_run_name=step.id,
        description=step.name,
        retries=0,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    recording: Any = task(return_state=True)
    await recording
    if raised:
        raise raised[0]


def _state_of_step(record: StepRecord | None) -> State[Any]:
    """What became of a step after which the flow goes on."""
    match record.status if record is not None else "succeeded":
        case "skipped" | "waiting" as status:
            return Completed(name=status.capitalize(), message=record.reason if record else None)
        case "failed":
            return Failed(message=record.reason if record else None)
    return Completed()


def _told(error: Exception) -> str:
    if isinstance(error, StepFailed):
        where = f" (at {error.place})" if error.place else ""
        return f"{error.message}{where}"
    return str(error) or type(error).__name__


def _recorded(flow: Flow, body: Callable[[], Awaitable[State[Any]]]) -> PrefectFlow[[], Any]:
    async def run() -> State[Any]:
        return await body()

    run.__name__ = run.__qualname__ = flow.id.replace("-", "_")
    return PrefectFlow(
        fn=run,
        name=flow.name,
        version=flow.content_hash[:12] or None,
        description=flow.description or None,
        retries=0,
        persist_result=False,
        validate_parameters=False,
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A run that is to be entered in Prefect's books."""

    flow: PrefectFlow[[], Any]
    inputs: Mapping[str, Any]
    name: str
    deployment: UUID | None
    idempotency_key: str | None


async def _new_run(client: PrefectClient, wanted: _Wanted) -> FlowRun:
    """Enter a run that is ours from the start: Pending, so that no runner takes it for its own."""
    parameters = shown(wanted.inputs)
    fits = can_be_shown(json.dumps(parameters))
    if wanted.deployment is not None and fits:
        return await client.create_flow_run_from_deployment(
            wanted.deployment,
            parameters=parameters,
            state=claim(),
            name=wanted.name,
            idempotency_key=wanted.idempotency_key,
        )
    return await client.create_flow_run(
        wanted.flow, parameters=parameters if fits else {}, state=claim(), name=wanted.name
    )
