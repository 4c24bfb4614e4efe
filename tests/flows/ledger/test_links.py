"""Links: found by either id, saved as one, never two for a record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from cosell_flows.ledger import Change, Ledger, Link, LinkTaken

from .conftest import Time

DEAL = Link(
    mapping="deals",
    left_id="L1",
    right_id="R1",
    base_left={"details": {"dealValue": Decimal("1.10")}},
    base_right={"Amount": Decimal("1.10")},
    pending_right={"Amount": None},
    notes={"audit": ["a"]},
)


@pytest.mark.parametrize("ids", [{"left_id": "L1"}, {"right_id": "R1"}])
async def test_link_is_found_by_either_id(ledger: Ledger, ids: dict[str, str]) -> None:
    """A link comes back exactly as it was saved, whichever side asks."""
    saved = await ledger.links.save(DEAL)

    assert await ledger.links.find("deals", **ids) == saved


async def test_links_of_another_mapping_are_not_found(ledger: Ledger) -> None:
    """The same ids under another mapping are another link."""
    await ledger.links.save(DEAL)

    assert await ledger.links.find("leads", left_id="L1") is None


async def test_saving_again_replaces(ledger: Ledger, clock: Time) -> None:
    """A link is saved over itself; it keeps the time it was made."""
    first = await ledger.links.save(DEAL)
    clock.pass_(hours=1)

    await ledger.links.save(replace(first, state="closed", pending_right=None))

    (link,) = await ledger.links.list("deals")
    assert (link.state, link.pending_right) == ("closed", None)
    assert (link.created_at, link.updated_at) == (first.created_at, clock.now)


async def test_half_made_link_is_completed(ledger: Ledger) -> None:
    """The record that was still being made gets its id in the same link."""
    await ledger.links.save(Link(mapping="deals", right_id="R1"))

    await ledger.links.save(Link(mapping="deals", left_id="L1", right_id="R1"))

    assert [(link.left_id, link.right_id) for link in await ledger.links.list()] == [("L1", "R1")]


async def test_two_halves_become_one(ledger: Ledger) -> None:
    """Where each record had a link of its own, one is left."""
    await ledger.links.save(Link(mapping="deals", right_id="R1"))
    await ledger.links.save(Link(mapping="deals", left_id="L1"))

    await ledger.links.save(DEAL)

    assert [(link.left_id, link.right_id) for link in await ledger.links.list()] == [("L1", "R1")]


async def test_link_follows_a_merged_record(ledger: Ledger) -> None:
    """The right side may move to the record that survived a merge."""
    saved = await ledger.links.save(DEAL)

    await ledger.links.save(replace(saved, right_id="R2"))

    assert await ledger.links.find("deals", right_id="R1") is None
    assert (await ledger.links.find("deals", right_id="R2")) is not None


async def test_record_has_one_link(ledger: Ledger) -> None:
    """A record that is linked already is not linked to a second one."""
    await ledger.links.save(DEAL)

    with pytest.raises(LinkTaken, match="already linked"):
        await ledger.links.save(replace(DEAL, left_id="L2"))


async def test_pair_of_two_linked_records_is_refused(ledger: Ledger) -> None:
    """Two records with a twin each are not made twins."""
    await ledger.links.save(DEAL)
    await ledger.links.save(replace(DEAL, left_id="L2", right_id="R2"))

    with pytest.raises(LinkTaken):
        await ledger.links.save(replace(DEAL, left_id="L1", right_id="R2"))


async def test_workers_that_save_at_once_make_one_link(ledger: Ledger, other: Ledger) -> None:
    """Two processes that meet the same new pair leave one link."""
    await asyncio.gather(*(where.links.save(DEAL) for where in (ledger, other) * 4))

    assert len(await ledger.links.list()) == 1


async def test_count_is_of_whole_links(ledger: Ledger) -> None:
    """The brakes count deals that exist on both sides."""
    await ledger.links.save(DEAL)
    await ledger.links.save(Link(mapping="deals", left_id="L2"))

    assert await ledger.links.count("deals") == 1


async def test_many_are_found_at_once(ledger: Ledger) -> None:
    """A long list of ids is one question to the caller."""
    for number in range(3):
        await ledger.links.save(Link(mapping="deals", left_id=f"L{number}", right_id=f"R{number}"))
    asked = [f"R{number}" for number in range(1, 2000)]

    found = await ledger.links.find_many("deals", asked, left_ids=["L0", "L1"])

    assert [link.left_id for link in found] == ["L0", "L1", "L2"]


async def test_history_tells_a_record_by_either_id(ledger: Ledger, clock: Time) -> None:
    """What was changed is found under the referral and under the opportunity, values exact."""
    change = Change(
        run_id="r",
        flow="pull",
        flow_hash="h",
        mapping="deals",
        left_id="L1",
        right_id="R1",
        system="salesforce",
        object="Opportunity",
        record_id="R1",
        operation="update",
        field="Amount",
        old=Decimal("1.10"),
        new=None,
        loses=["a", Decimal(2)],
        rule_file="deals.map.yaml",
        rule_line=22,
        at=clock.now,
    )

    await ledger.history.record([change, replace(change, left_id="L2", right_id=None)])

    assert await ledger.history.of_record("L1") == [change]
    assert len(await ledger.history.of_record("R1")) == 2  # the second names it as the record
    assert len(await ledger.history.of_run("r")) == 2


async def test_cursor_never_goes_back(ledger: Ledger, clock: Time) -> None:
    """A cursor moves forward and stays there."""
    noon = clock.now
    await ledger.cursors.advance("referrals", noon)
    clock.pass_(hours=-2)

    await ledger.cursors.advance("referrals", clock.now)

    assert await ledger.cursors.get("referrals") == noon


async def test_unknown_cursor_is_none(ledger: Ledger) -> None:
    """Before the first time there is no moment."""
    assert await ledger.cursors.get("referrals") is None


async def test_cursor_moves_forward(ledger: Ledger, clock: Time) -> None:
    """A later moment replaces an earlier one."""
    await ledger.cursors.advance("referrals", clock.now)
    clock.pass_(microseconds=1)

    await ledger.cursors.advance("referrals", clock.now)

    assert await ledger.cursors.all() == {"referrals": clock.now}


async def test_switches_turn_on_and_off(ledger: Ledger, other: Ledger) -> None:
    """A flow turned off in another process is off here."""
    await ledger.switches.set("pull", True)
    await ledger.switches.set("push", True)

    await other.switches.set("pull", False)

    assert await ledger.switches.on() == {"push"}
