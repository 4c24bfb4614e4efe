"""The clocks of both systems jump back an hour: what is edited then is still found, and travels."""

from __future__ import annotations

import pytest

from cosell_flows.cli.stagehands import call

from .conftest import Stage

pytestmark = pytest.mark.journey
OUT, IN = "opportunity-to-partner-center", "partner-center-to-salesforce"


def hours(stage: Stage, by: int) -> None:
    """Move the clocks of both systems."""
    for system in ("salesforce", "partner_center"):
        url = f"{stage.emulated._control(system)}/clock"
        call("POST", url, {"advance_s": by * 3600})


async def test_edits_are_not_lost_behind_the_cursors(stage: Stage) -> None:
    """Their moments lie before what was read already, and before what we wrote last."""
    deal, referral = await stage.shared()
    await stage.full_sync()
    hours(stage, -1)
    stage.seller.change("Opportunity", deal, Amount=77)
    out = await stage.sync(OUT)
    stage.emulated.microsoft("update", referral, details={"notes": "from over there"})

    back = await stage.sync(IN)

    there = stage.emulated.referral(referral)["details"]["dealValue"]
    assert [out.status, back.status] == ["succeeded", "succeeded"]
    assert (float(there), stage.look(deal)["Description"]) == (77, "from over there")


async def test_a_command_begun_after_the_clock_went_back_finds_what_was_edited(
    stage: Stage,
) -> None:
    """Salesforce's clock alone went back, and nobody of this process has heard it so far."""
    hours(stage, -3)  # our own clock is ahead, and tells nothing
    deal, referral = await stage.shared()
    stage.later(900)  # what belongs to the deal was not touched lately
    stage.edit(deal, Amount=70)
    await stage.full_sync()
    await stage.reopen()
    url = f"{stage.emulated._control('salesforce')}/clock"
    call("POST", url, {"advance_s": -3600})
    stage.seller.change("Opportunity", deal, Amount=77)

    await stage.sync(OUT)

    assert float(stage.emulated.referral(referral)["details"]["dealValue"]) == 77
