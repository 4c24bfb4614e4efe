"""Salesforce's versions count whole seconds: two edits of one second are told apart all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import httpx
import pytest

from cosell_flows.cli.stagehands import call

from .conftest import Stage
from .wire import Life

pytestmark = pytest.mark.journey


IN = "partner-center-to-salesforce"
LOOK = "GET /services/data/v68.0/sobjects/Opportunity/…"
LOOK_AT_ACCOUNT = "GET /services/data/v68.0/sobjects/Account/…"
WRITE = "PATCH /services/data/v68.0/sobjects/Opportunity/…"


def set_clock(stage: Stage, moment: str) -> None:
    """Let Salesforce live through the second of *moment* again."""
    whole = datetime.fromisoformat(moment).replace(microsecond=0)
    url = f"{stage.emulated._control('salesforce')}/clock"
    call("POST", url, {"now": whole.isoformat()})


async def meddling(stage: Stage, edit: Callable[[], None]) -> Life:
    """A process, and somebody who edits a moment before a request arrives."""

    async def meddle(_: httpx.Request) -> None:
        edit()

    await stage.engine.ledger.aclose()
    found = Life(stage.engine, stage.project, meddle)
    await found.begin()
    return found


@pytest.fixture
async def life(stage: Stage) -> AsyncIterator[Life]:
    """A process, and a seller who edits a deal in the second of its last change."""

    async def edit(_: httpx.Request) -> None:
        (deal,) = stage.seller.find("SELECT Id, SystemModstamp FROM Opportunity")
        set_clock(stage, deal["SystemModstamp"])
        stage.seller.change("Opportunity", deal["Id"], Amount=9)
        assert stage.look(deal["Id"])["SystemModstamp"] == deal["SystemModstamp"]

    await stage.engine.ledger.aclose()
    found = Life(stage.engine, stage.project, edit)
    await found.begin()
    yield found
    await found.end()


async def test_an_edit_in_the_second_of_the_version_that_was_read_is_kept(
    stage: Stage, life: Life
) -> None:
    """Read, edited in the same second, written: the edit is merged, and kept where it loses."""
    deal, referral = await stage.shared()
    stage.update(referral, details={"dealValue": 7})

    await life.run(IN, LOOK, "edited meanwhile")

    changes = await stage.engine.ledger.history.of_record(deal)
    lost = [one.loses for one in changes if one.field == "Amount"]
    assert (stage.look(deal)["Amount"], [float(one) for one in lost if one]) == (7, [9])


async def test_an_edit_right_before_the_write_is_kept(stage: Stage) -> None:
    """The second of the version is waited out before the last look: a later edit refuses the write."""
    deal, referral = await stage.shared()

    def edit() -> None:
        stage.seller.change("Opportunity", deal, Amount=9)

    life = await meddling(stage, edit)
    stage.engine.sleep = asyncio.sleep
    stage.update(referral, details={"dealValue": 7})
    set_clock(stage, stage.look(deal)["SystemModstamp"])
    stage.seller.change("Opportunity", deal, NextStep="call")  # it changed in this very second

    await life.run(IN, WRITE, "edited meanwhile")

    changes = await stage.engine.ledger.history.of_record(deal)
    lost = [float(one.loses) for one in changes if one.field == "Amount" and one.loses]
    await life.end()
    assert life.wire.seen.count(WRITE) > 1  # the first was refused
    assert (stage.look(deal)["Amount"], lost) == (7, [9])


async def test_an_account_edited_in_the_second_of_its_version_is_kept(stage: Stage) -> None:
    """What belongs to a deal is looked at again, too, before it is written."""
    deal, referral = await stage.shared()
    account = stage.look(deal)["AccountId"]

    def edit() -> None:
        set_clock(stage, stage.seller.see("Account", account)["SystemModstamp"])
        stage.seller.change("Account", account, BillingCountry="SE")

    life = await meddling(stage, edit)
    stage.update(referral, customerProfile={"address": {"country": "NO"}})

    await life.run(IN, LOOK_AT_ACCOUNT, "edited meanwhile")

    changes = await stage.engine.ledger.history.of_record(account)
    lost = [one.loses for one in changes if one.field == "BillingCountry"]
    there = stage.emulated.referral(referral)["customerProfile"]["address"]["country"]
    await life.end()
    assert (stage.seller.see("Account", account)["BillingCountry"], there, lost) == (
        "NO",
        "NO",
        ["SE"],
    )


async def test_what_is_committed_minutes_after_it_was_stamped_is_found(stage: Stage) -> None:
    """The list has gone on beyond its stamp by then; what the deal says gives it away."""
    deal, referral = await stage.shared()
    stage.later(900)  # what belongs to the deal was not touched lately
    stage.edit(deal, NextStep="call them")
    await stage.full_sync()
    newest = stage.look(deal)["SystemModstamp"]
    set_clock(stage, (datetime.fromisoformat(newest) - timedelta(minutes=8)).isoformat())
    stage.seller.change("Opportunity", deal, Amount=88)
    set_clock(stage, (datetime.fromisoformat(newest) + timedelta(minutes=1)).isoformat())

    await stage.sync("opportunity-to-partner-center")

    assert float(stage.emulated.referral(referral)["details"]["dealValue"]) == 88
