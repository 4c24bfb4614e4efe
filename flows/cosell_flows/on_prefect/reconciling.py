"""Say in Prefect what became of runs whose process is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed

from cosell_flows.ledger import is_gone

from .claims import claimant

_CRASHED = "the process that ran it ended; its events are taken up again by cosell serve"
_UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
_LONGEST_BEGINNING = timedelta(minutes=5)  # from Pending to the first sign of life


async def mark_crashed(run_id: str) -> None:
    """Say that a run of ours ended with its process, unless Prefect knows its end already."""
    try:
        number = UUID(run_id)
    except ValueError:
        return  # a run without Prefect
    async with get_client() as client:
        try:
            run = await client.read_flow_run(number)
        except ObjectNotFound:
            return
        if run.state is not None and not run.state.is_final():
            await client.set_flow_run_state(number, Crashed(message=_CRASHED), force=True)


async def mark_abandoned(
    deployments: Iterable[UUID], *, is_alive: Callable[[str], Awaitable[bool | None]]
) -> int:
    """Mark runs of ours that Prefect believes to be under way and nobody works on; how many.

    Of a run that *is_alive* does not know (None), a cosell with another ledger may be in charge:
    it is left alone, unless it never began, or the process that took it is known to be gone.
    """
    ours = DeploymentFilter(id=DeploymentFilterId(any_=list(deployments)))
    under_way = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY))
    )
    marked = 0
    async with get_client() as client:
        for run in await client.read_flow_runs(
            deployment_filter=ours, flow_run_filter=under_way, limit=200
        ):
            alive = await is_alive(str(run.id))
            if alive or (alive is None and not await _is_nobodys(client, run)):
                continue
            cancelling = run.state is not None and run.state.is_cancelling()
            state: State[Any] = (Cancelled if cancelling else Crashed)(message=_CRASHED)
            await client.set_flow_run_state(run.id, state, force=True)
            marked += 1
    return marked


async def _is_nobodys(client: PrefectClient, run: FlowRun) -> bool:
    """Whether nobody works on a run that is in no ledger of ours, or waits in it for an answer."""
    if run.state is not None and run.state.is_pending():
        late = datetime.now(UTC) - run.state.timestamp > _LONGEST_BEGINNING
        if late:
            return True
    states = await client.read_flow_run_states(run.id)
    # One that was put aside has its place in the ledger; its answer is taken up by another process.
    return is_gone(claimant(states)) and not any(state.is_paused() for state in states)
