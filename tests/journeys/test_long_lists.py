"""A first sync that is cut off goes on where it was, with the flows as they ship."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Stage

pytestmark = [pytest.mark.journey, pytest.mark.long]
FLOW = "partner-center-to-salesforce"


async def test_a_first_sync_that_is_cut_off_goes_on_where_it_was(stage: Stage) -> None:
    """Cancelled in its second portion: the next run reads nothing of the first, and all arrive."""
    for number in range(230):
        stage.emulated.microsoft(
            "create", None, name=f"Deal {number}", customerProfile={"name": f"Customer {number}"}
        )

    fifths: list[int] = []

    def seen(done: int, _: int) -> None:
        fifths.extend([done] if done == 5 else [])
        if len(fifths) == 2:  # of the second portion
            task.cancel()

    stage.engine.progress = seen
    task = asyncio.ensure_future(stage.engine.run(FLOW, {}, release_brake=True))
    cut_off = await task
    stage.engine.progress = None
    known = await stage.engine.ledger.links.count("referral-opportunity")

    result = await stage.engine.run(FLOW, {}, release_brake=True)

    linked = await stage.engine.ledger.links.count("referral-opportunity")
    assert (cut_off.status, known < 230, result.status, linked) == (
        "cancelled", True, "succeeded", 230,
    )  # fmt: skip
    assert result.counts["read"] == 30, "the first portion has 200"
