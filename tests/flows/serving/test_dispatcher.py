"""Events that are brought to flows: what becomes of them when a run does not do what it should."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cosell_definitions.model import Flow
from cosell_flows.ledger import Ledger, StoredEvent, open_ledger
from cosell_flows.project import Project
from cosell_flows.running.braking import braked
from cosell_flows.running.outcomes import RunResult, Status, StepFailed
from cosell_flows.serving.dispatcher import MOST_ATTEMPTS, Dispatcher

ROOT = Path(__file__).resolve().parents[3]
FLOW = "partner-center-to-salesforce"


@dataclass
class Desk:
    """An inbox with one event, and a runner whose runs come to what the test says."""

    ledger: Ledger
    flow: Flow
    comes_to: tuple[Status, StepFailed | None] = ("succeeded", None)
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    keys: list[str] = field(default_factory=list)

    async def run(self, flow: Flow, inputs: Mapping[str, Any], *, key: str, name: str) -> RunResult:
        """A run, which takes no time."""
        self.keys.append(key)
        status, failure = self.comes_to
        return RunResult(
            run_id="r", flow=flow.id, status=status, error=failure.as_json() if failure else None
        )

    async def tried(self) -> StoredEvent:
        """The event once it was tried, and laid down again."""
        before = len(self.keys)
        dispatcher = Dispatcher(
            self.ledger, self.run, flows=[self.flow], env={}, owner="me", clock=lambda: self.now,
            look_s=0.02,
        )  # fmt: skip
        task = asyncio.create_task(dispatcher.run(self._on))
        try:
            async with asyncio.timeout(30):
                while len(self.keys) == before or not dispatcher.is_idle:
                    await asyncio.sleep(0.02)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        (event,) = await self.ledger.inbox.list()
        return event

    async def _on(self) -> frozenset[str]:
        return frozenset({self.flow.id})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with an event on it."""
    shipped = Project(root=ROOT, environment_name="sandbox").flows[FLOW]
    at_once = tuple(replace(one, batch_wait=timedelta()) for one in shipped.triggers)
    flow = replace(shipped, triggers=at_once)
    found: list[Desk] = []
    ledger = await open_ledger(f"sqlite:///{tmp_path}/ledger.db", clock=lambda: found[0].now)
    found.append(Desk(ledger, flow))
    await ledger.inbox.store(
        "referral-updated", connection="partner_center_events", resource_id="A",
        resource_uri="https://example.test/A", changed_at=None, dedupe_key="A", body="{}",
    )  # fmt: skip
    yield found[0]
    await ledger.aclose()


async def test_what_the_brake_stopped_waits_for_a_person(desk: Desk) -> None:
    """However often the brake stops it, the event waits, and its tries are not counted."""
    desk.comes_to = ("failed", braked("it would change every deal", FLOW))
    for _ in range(2):
        event = await desk.tried()
        desk.now += timedelta(minutes=16)

    assert (event.status, event.attempts, event.error) == (
        "waiting", 0, "the brake stopped this run before it wrote anything: it would change every deal",
    )  # fmt: skip


async def test_each_look_at_the_brake_is_a_run_of_its_own(desk: Desk) -> None:
    """Prefect takes the same key for the same run: the second look must have another."""
    desk.comes_to = ("failed", braked("it would change every deal", FLOW))
    await desk.tried()
    desk.now += timedelta(minutes=16)

    await desk.tried()

    assert len(set(desk.keys)) == 2


async def test_what_the_brake_stopped_is_done_once_it_is_released(desk: Desk) -> None:
    """The brake lets it pass: the event is worked off, without being replayed."""
    desk.comes_to = ("failed", braked("it would change every deal", FLOW))
    await desk.tried()
    desk.now += timedelta(minutes=16)
    desk.comes_to = ("succeeded", None)

    event = await desk.tried()

    assert event.status == "done"


async def test_a_cancelled_run_is_not_begun_again(desk: Desk) -> None:
    """Somebody cancelled it: the event has failed, until it is replayed."""
    desk.comes_to = ("cancelled", StepFailed("cancelled", "the run was cancelled"))

    event = await desk.tried()

    assert event.status == "failed"


async def test_what_fails_is_tried_again_and_given_up_in_the_end(desk: Desk) -> None:
    """Ten tries, each later than the last: then the event has failed for good."""
    desk.comes_to = ("failed", StepFailed("unavailable", "nobody answers"))
    statuses = []
    for _ in range(MOST_ATTEMPTS):
        statuses.append((await desk.tried()).status)
        desk.now += timedelta(minutes=11)

    assert statuses == ["waiting"] * (MOST_ATTEMPTS - 1) + ["failed"]
