"""Intents: a write that cannot be repeated is announced, and its outcome kept."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from cosell_flows.ledger import Intent, Ledger


async def announce(ledger: Ledger, run_id: str = "r1") -> Intent:
    """Announce one write."""
    return await ledger.intents.open(
        "deals:R1:create",
        connection="partner_center",
        operation="create_referral",
        arguments_digest="d",
        run_id=run_id,
    )


async def test_first_to_announce_may_write(ledger: Ledger) -> None:
    """A fresh intent is open, and ours."""
    intent = await announce(ledger)

    assert (intent.fresh, intent.state, intent.outcome) == (True, "open", None)


async def test_second_to_announce_sees_the_first(ledger: Ledger) -> None:
    """A run that comes later learns that the write was announced, and by whom."""
    await announce(ledger)

    intent = await announce(ledger, "r2")

    assert (intent.fresh, intent.run_id) == (False, "r1")


async def test_one_of_many_is_first(ledger: Ledger, other: Ledger) -> None:
    """Of many at once exactly one may write."""
    intents = await asyncio.gather(*(announce(where) for where in (ledger, other) * 5))

    assert sum(intent.fresh for intent in intents) == 1


async def test_outcome_is_kept(ledger: Ledger) -> None:
    """What came of a write is read back exactly, instead of writing again."""
    await announce(ledger)

    await ledger.intents.resolve("deals:R1:create", {"id": "L1", "value": Decimal("1.10")})

    intent = await announce(ledger, "r2")
    assert (intent.state, intent.outcome) == ("resolved", {"id": "L1", "value": Decimal("1.10")})
    assert await ledger.intents.unresolved() == []


async def test_forgotten_intent_may_be_announced_anew(ledger: Ledger) -> None:
    """A write that certainly did not happen may be sent again."""
    await announce(ledger)
    await ledger.intents.forget("deals:R1:create")

    assert await ledger.intents.get("deals:R1:create") is None
    assert (await announce(ledger, "r2")).fresh


async def test_unresolved_intents_are_found(ledger: Ledger) -> None:
    """After a crash, the writes nobody knows the end of can be listed."""
    intent = await announce(ledger)

    assert [found.key for found in await ledger.intents.unresolved()] == [intent.key]


async def test_what_a_dead_run_left_is_settled_by_the_next_of_its_flow(ledger: Ledger) -> None:
    """A later run of the same flow came through with the record: nothing stays open for ever."""
    for run_id, flow in (("r1", "share"), ("r2", "update")):
        await ledger.runs.start(run_id, flow=flow, flow_hash="", trigger="manual", inputs={})
        await ledger.intents.open(
            f"of {flow}", connection="partner_center", operation="create_referral",
            arguments_digest="d", run_id=run_id, item="006A",
        )  # fmt: skip
    left = await ledger.intents.left_by("share")

    await ledger.intents.forget_of("006A", flow="share")

    assert left == {"006A"}
    assert [one.key for one in await ledger.intents.unresolved()] == ["of update"]
