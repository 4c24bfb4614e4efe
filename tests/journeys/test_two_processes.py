"""Two processes that work on the same deals at once make nothing twice, and count nothing twice."""

from __future__ import annotations

import asyncio

import pytest

from cosell_flows.running.opening import open_engine

from .conftest import Stage

pytestmark = pytest.mark.journey
IN = "partner-center-to-salesforce"


def referrals(stage: Stage, many: int, name: str) -> list[str]:
    """Referrals that come in, each of a customer of its own."""
    return [
        str(stage.emulated.microsoft("create", None, name=f"{name} {number}", customerProfile={
            "name": f"{name} {number}", "team": [{"email": f"{name}{number}@customer.example"}],
        })["id"])
        for number in range(many)
    ]  # fmt: skip


async def test_what_was_read_for_the_brake_is_read_again_after_another_process(
    stage: Stage,
) -> None:
    """Both rehearse, and find no account; one makes it, and the other looks again."""
    known = referrals(stage, 20, "known")
    await stage.sync(IN, referral_ids=known)
    wanted = [*referrals(stage, 5, "new"), *known[:3]]
    other = await open_engine(stage.project, "sandbox")

    results = await asyncio.gather(
        stage.sync(IN, referral_ids=wanted), other.run(IN, {"referral_ids": wanted[::-1]})
    )

    await other.aclose()
    made = [len(stage.seller.find(f"SELECT Id FROM {kind}"))
            for kind in ("Account", "Contact", "Opportunity")]  # fmt: skip
    letters = await stage.engine.ledger.letters.list()
    assert [one.status for one in results] == ["succeeded", "succeeded"]
    assert (made, letters) == ([25, 25, 25], [])
    assert [sum(one.counts[what] for one in results) for what in ("created", "skipped")] == [5, 0]
