"""Ask people in Prefect's UI: put a run aside there, and see what became of it.

A run that waits is *suspended*: nothing of it is in memory, and no restart of a server or a runner
concerns it. The question is a form in Prefect's database; who resumes the run fills it in, Prefect
checks the answer against the form and schedules the run again under its own id.
https://docs.prefect.io/v3/advanced/interactive
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from httpx import HTTPStatusError
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateDetails
from prefect.exceptions import ObjectNotFound
from prefect.input.run_input import Keyset, keyset_from_base_key
from prefect.states import Scheduled, Suspended

from cosell_flows.ledger import Run
from cosell_flows.running.conducting import Ask
from cosell_flows.running.outcomes import Question, RunResult, StepFailed

from .forms import form_of_answer
from .seam import RunsFlows

RESUMING = "Resuming"
"""The name Prefect gives to the state of a run that somebody resumed."""
Standing = Literal["waiting", "resumed", "ended", "unknown"]
_NOT_FOUND, _TAKEN = 404, 409


def asking(flow_run: FlowRun) -> Ask:
    """Asks whoever looks at *flow_run* in Prefect; there is no answer before the run is resumed."""

    async def ask(question: Question) -> Mapping[str, Any] | None:
        if flow_run.deployment_id is None:
            raise StepFailed(
                "invalid",
                "a run whose inputs are too large for Prefect's form cannot wait for a person",
                hint="give it less at once, or run it with --local on a terminal",
            )
        async with get_client() as client:
            run = await client.read_flow_run(flow_run.id)
            if question.key not in (run.empirical_policy.pause_keys or ()):
                return None
            answer = await _response(client, flow_run.id, question)
            if answer is not None:
                return answer
        # Prefect keeps no empty answer: it was resumed, unless we woke it ourselves to give up.
        late = question.until is not None and question.until <= datetime.now(UTC)
        return None if question.answer or late else {}

    return ask


async def _response(
    client: PrefectClient, flow_run: UUID, question: Question
) -> dict[str, Any] | None:
    try:
        text = await client.read_flow_run_input(flow_run, key=_keyset(question)["response"])
    except HTTPStatusError as error:
        if error.response.status_code != _NOT_FOUND:
            raise
        return None
    return dict(json.loads(text))


async def put_aside(client: PrefectClient, flow_run: UUID, question: Question) -> State[Any]:
    """Enter the form of a question; the state in which a run waits for it."""
    keyset = _keyset(question)
    texts = {
        keyset["schema"]: json.dumps(form_of_answer(question)),
        keyset["description"]: json.dumps(question.message),
    }
    for key, text in texts.items():
        try:
            await client.create_flow_run_input(flow_run, key=key, value=text)
        except HTTPStatusError as error:
            if error.response.status_code != _TAKEN:
                raise
    return Suspended(
        message=f"{question.name}: {question.message}",
        pause_key=question.key,
        state_details=StateDetails(
            run_input_keyset={str(part): key for part, key in keyset.items()}
        ),
    )


async def standing(client: PrefectClient, run_id: str) -> Standing:
    """What became of a run that was put aside."""
    try:
        run = await client.read_flow_run(UUID(run_id))
    except (ObjectNotFound, ValueError):
        return "unknown"
    if run.state is None or run.state.is_paused():
        return "waiting"
    return "ended" if run.state.is_final() else "resumed"


async def give_up(client: PrefectClient, run_id: str) -> None:
    """Nobody answered in time: the run goes on without an answer."""
    await client.set_flow_run_state(UUID(run_id), Scheduled(name=RESUMING), force=True)


def is_late(run: Run) -> bool:
    """Whether the time for an answer to a run that waits is up."""
    until = (run.result or {}).get("question", {}).get("until")
    return until is not None and until <= datetime.now(UTC)


async def end_aside(engine: RunsFlows, run: Run) -> RunResult:
    """End a run that waits and was ended in Prefect, so that its `finally` steps are done."""

    async def cancelled(question: Question) -> None:
        raise asyncio.CancelledError

    return await engine.run(run.flow, {}, run_id=run.run_id, ask=cancelled)


def _keyset(question: Question) -> Keyset:
    return keyset_from_base_key(f"suspended-{question.key}")
