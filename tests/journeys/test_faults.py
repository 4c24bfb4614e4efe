"""Nothing lost, nothing doubled: lost answers, refusals, throttling, conflicts, and kills in between."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from cosell_flows.cli.stagehands import call, until
from cosell_flows.running.engine import Engine

from .conftest import Stage

pytestmark = pytest.mark.journey


def fault(
    stage: Stage, system: str, method: str, path: str, then: dict[str, Any], **more: Any
) -> None:
    """Let matching requests of an emulator fail."""
    url = f"{stage.emulated._control(system)}/faults"
    call("POST", url, {"match": {"method": method, "path": path}, "then": then, **more})


def referrals(stage: Stage, deal: str) -> list[dict[str, Any]]:
    """Every referral that was made for a deal."""
    token_of = stage.emulated.referral  # signs in where that was not done yet
    now = stage.look(deal)
    if now["Referral_Identifier__c"]:
        token_of(now["Referral_Identifier__c"])
    url = stage.ready["partner_center"]["url"]
    every = call("GET", f"{url}/referrals", token=stage.emulated.tokens.get("partner_center"))[
        "value"
    ]
    return [one for one in every if one["name"] == "Northwind data platform"]


@pytest.fixture
def hurried(stage: Stage) -> Engine:
    """An engine that does not wait between tries."""

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    stage.engine.sleep = at_once
    return stage.engine


@pytest.mark.parametrize("nth", [0, 1])
async def test_a_lost_answer_makes_no_second_referral(
    stage: Stage, hurried: Engine, nth: int
) -> None:
    """The POST was done and its answer lost: we ask before sending again, for either of the two."""
    deal = stage.deal()
    fault(stage, "partner_center", "POST", "/referrals$", {"drop": "after"}, after=nth)

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    names = sorted(one["organizationName"] == "Microsoft" for one in referrals(stage, deal))
    assert names == [False, True]


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/Opportunity/Referral_Identifier__c/"), ("GET", "/sobjects/Opportunity/006")],
)
async def test_a_lost_answer_makes_no_second_opportunity(
    stage: Stage, hurried: Engine, method: str, path: str
) -> None:
    """The opportunity was made and the answer lost, or the look at it after: it comes in, once.

    Sent again whole, the upsert would be refused: its contact is taken by a new record only.
    """
    referral = stage.emulated.microsoft("create", None)["id"]
    fault(stage, "salesforce", method, path, {"drop": "after"})

    result = await stage.sync("partner-center-to-salesforce", referral_ids=[referral])

    letters = await stage.engine.ledger.letters.list()
    assert (result.status, letters, stage.look(stage.twin_of(referral))["Name"][:2]) == (
        "succeeded", [], "✔ ",
    )  # fmt: skip


async def test_an_edit_on_the_way_to_won_does_not_take_the_win_back(
    stage: Stage, hurried: Engine
) -> None:
    """Accepted by us, edited by Microsoft, then won: our own half of the way is no edit of theirs."""
    deal, referral = await stage.received()
    stage.edit(deal, StageName="Closed Won")
    refused = {"status": 503, "body": {"error": {"code": "busy", "message": "not now"}}}
    fault(stage, "partner_center", "PATCH", "/referrals/", refused, after=1, times=9)
    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])
    call("DELETE", f"{stage.emulated._control('partner_center')}/faults")
    stage.update(referral, details={"notes": "by Microsoft"})

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    assert stage.emulated.referral(referral)["substatus"] == "Won"


@pytest.mark.parametrize("nth", [0, 1])
async def test_a_request_that_never_arrived_is_sent_again(
    stage: Stage, hurried: Engine, nth: int
) -> None:
    """The connection broke before the request was read: the referral is made all the same, once."""
    deal = stage.deal()
    fault(stage, "partner_center", "POST", "/referrals$", {"drop": "before"}, after=nth)

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    assert len(referrals(stage, deal)) == 2


async def test_a_second_post_that_fails_for_good_is_resumed(stage: Stage, hurried: Engine) -> None:
    """The first referral is kept; the next run makes Microsoft's, and no third one."""
    deal = stage.deal()
    refusal = {"status": 400, "body": {"error": {"code": "invalidRequest", "message": "no"}}}
    fault(stage, "partner_center", "POST", "/referrals$", refusal, after=1)
    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    assert (len(referrals(stage, deal)), stage.look(deal)["Name"][:2]) == (2, "✔ ")


async def test_throttling_is_waited_out(stage: Stage) -> None:
    """429 with Retry-After: the step waits as long as it is told, and the deal arrives."""
    waits: list[float] = []
    began = stage.engine.clock()

    async def note(seconds: float) -> None:
        waits.append(seconds)

    stage.engine.sleep = note
    stage.engine.clock = lambda: began + timedelta(seconds=sum(waits))
    deal = stage.deal()
    throttled = {"status": 429, "headers": {"Retry-After": "57"},
                 "body": {"statusCode": 429, "message": "Rate limit is exceeded."}}  # fmt: skip
    fault(stage, "partner_center", "POST", "/referrals$", throttled)

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    long = [wait >= 57 for wait in waits if wait > 1]  # less is a second of Salesforce waited out
    assert (len(referrals(stage, deal)), long) == (2, [True])


async def test_a_conflict_is_read_and_merged_again(stage: Stage, hurried: Engine) -> None:
    """412 from Partner Center: both are read again, and the edit arrives."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=31)
    stale = {"status": 412, "body": {"error": {"code": "preconditionFailed", "message": "moved"}}}
    fault(stage, "partner_center", "PATCH", "/referrals/", stale)

    await stage.sync("opportunity-to-partner-center")

    assert stage.emulated.referral(referral)["details"]["dealValue"] == 31


async def test_a_dead_partner_center_fails_the_record_alone(stage: Stage, hurried: Engine) -> None:
    """Nothing answers there: the run ends partial, a letter says so, and the deal arrives later."""
    deal = stage.deal()
    fault(stage, "partner_center", "POST", "/referrals$", {"status": 503}, times=None)
    broken = await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])
    call("DELETE", f"{stage.emulated._control('partner_center')}/faults")

    mended = await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    letters = await stage.engine.ledger.letters.list()
    assert (broken.status, mended.status, letters) == ("partial", "succeeded", [])


@pytest.mark.parametrize(
    ("system", "method", "path", "after"),
    [
        ("partner_center", "POST", "/referrals$", 0),
        pytest.param("partner_center", "POST", "/referrals$", 1, marks=pytest.mark.long),
        pytest.param("salesforce", "PATCH", "/sobjects/Opportunity/", 0, marks=pytest.mark.long),
    ],
)
async def test_a_kill_in_between_doubles_nothing(
    stage: Stage, system: str, method: str, path: str, after: int
) -> None:
    """Killed while an answer is on its way: the next run goes on, with two referrals in the end."""
    deal = stage.deal()
    fault(stage, system, method, path, {"delay_ms": 3000}, after=after)
    process = subprocess.Popen(
        [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(stage.project), "run",
         "opportunity-to-partner-center", "-i", f'opportunity_ids=["{deal}"]', "--local"],
        env={**os.environ, **stage.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    seen = f"{stage.emulated._control(system)}/requests"
    await asyncio.to_thread(
        until, lambda: any(_fits(one, method, path) for one in call("GET", seen)["requests"])
        or process.poll() is not None or None, "the request", patience=60,
    )  # fmt: skip
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    await asyncio.sleep(3.5)
    call("DELETE", f"{stage.emulated._control(system)}/faults")
    stage.later()

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    assert (len(referrals(stage, deal)), stage.look(deal)["Name"][:2]) == (2, "✔ ")


def _fits(one: dict[str, Any], method: str, path: str) -> bool:
    return one["method"] == method and path.strip("$") in one["path"]
