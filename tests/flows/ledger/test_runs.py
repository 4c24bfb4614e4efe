"""Runs: begun, followed, ended, and found dead."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cosell_flows.ledger import Ledger, StepRecord

from .conftest import Time


async def start(ledger: Ledger, run_id: str = "r1") -> None:
    """A run begins."""
    await ledger.runs.start(
        run_id, flow="pull", flow_hash="h", trigger="manual", inputs={"amount": Decimal("1.10")}
    )


async def test_run_is_kept_from_its_start(ledger: Ledger, clock: Time) -> None:
    """A run that began is running, with the inputs it was given."""
    await start(ledger)

    run = await ledger.runs.get("r1")

    assert run is not None
    assert (run.status, run.inputs, run.started_at) == (
        "running",
        {"amount": Decimal("1.10")},
        clock.now,
    )


async def test_steps_come_back_in_order_of_their_start(ledger: Ledger, clock: Time) -> None:
    """A step that began first is first, even when it ended last."""
    await start(ledger)
    outer = StepRecord(
        step_id="each", status="succeeded", started_at=clock.now, counts={"total": 2}
    )
    inner = StepRecord(
        step_id="put", status="failed", started_at=clock.now + timedelta(seconds=1), reason="x"
    )

    await ledger.runs.step("r1", inner)
    await ledger.runs.step("r1", outer)

    assert await ledger.runs.steps("r1") == [outer, inner]


async def test_end_is_kept(ledger: Ledger) -> None:
    """A finished run carries its result."""
    await start(ledger)

    await ledger.runs.finish("r1", "succeeded", {"counts": {"read": 2}})

    (run,) = await ledger.runs.list()
    assert (run.status, run.result) == ("succeeded", {"counts": {"read": 2}})
    assert run.finished_at is not None


async def test_run_ends_once(ledger: Ledger) -> None:
    """A run declared dead is not finished by whoever comes late."""
    await start(ledger)
    await ledger.runs.finish("r1", "failed")

    assert await ledger.runs.finish("r1", "succeeded") is False
    assert (await ledger.runs.list())[0].status == "failed"


async def test_silent_runs_are_found(ledger: Ledger, clock: Time) -> None:
    """A run without a sign of life is unfinished; one that gave a sign is not."""
    await start(ledger, "dead")
    await start(ledger, "alive")
    await start(ledger, "ended")
    await ledger.runs.finish("ended", "succeeded")
    clock.pass_(minutes=5)
    await ledger.runs.beat("alive")

    silent = await ledger.runs.unfinished(clock.now - timedelta(minutes=1))

    assert [run.run_id for run in silent] == ["dead"]


async def test_runs_are_listed_newest_first(ledger: Ledger, clock: Time) -> None:
    """The newest run is on top; a list can be of one status."""
    await start(ledger, "first")
    clock.pass_(minutes=1)
    await start(ledger, "second")
    await ledger.runs.finish("first", "failed")

    assert [run.run_id for run in await ledger.runs.list()] == ["second", "first"]
    assert [run.run_id for run in await ledger.runs.list(status="failed")] == ["first"]
    assert await ledger.runs.counts() == {("pull", "failed"): 1, ("pull", "running"): 1}
