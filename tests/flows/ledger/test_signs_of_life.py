"""Whether somebody works on a run, as far as the ledger can tell."""

from __future__ import annotations

import pytest

from cosell_flows.ledger import Ledger
from cosell_flows.serving.recovery import is_alive

from .conftest import Time


async def begun(ledger: Ledger) -> None:
    """A run of this process is under way."""
    await ledger.runs.start("r", flow="f", flow_hash="h", trigger="manual", inputs={})


@pytest.mark.parametrize(("silent_s", "alive"), [(5, True), (90, False)])
async def test_a_run_that_is_silent_for_long_is_dead(
    ledger: Ledger, clock: Time, silent_s: float, alive: bool
) -> None:
    """A process says every few seconds that it lives."""
    await begun(ledger)
    clock.pass_(seconds=silent_s)

    assert await is_alive(ledger, "r", clock=clock) is alive


@pytest.mark.parametrize(("since_s", "alive"), [(5, True), (90, False)])
async def test_a_run_that_has_just_ended_is_left_to_its_process(
    ledger: Ledger, clock: Time, since_s: float, alive: bool
) -> None:
    """Its end is in the ledger first, and a moment later in Prefect."""
    await begun(ledger)
    await ledger.runs.finish("r", "succeeded", {})
    clock.pass_(seconds=since_s)

    assert await is_alive(ledger, "r", clock=clock) is alive


async def test_of_a_run_that_waits_nothing_is_known(ledger: Ledger, clock: Time) -> None:
    """It may have been answered, and be about to be taken up."""
    await begun(ledger)
    await ledger.runs.put_aside("r", {})
    clock.pass_(hours=1)

    assert await is_alive(ledger, "r", clock=clock) is None
