"""A plan is what a run then writes, and a run that would change too much stops before it writes."""

from __future__ import annotations

from typing import Any

import pytest

from cosell_flows.running.braking import FEWEST_LINKS

from .conftest import Stage

pytestmark = pytest.mark.journey


def gist(writes: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Writes without the ids of records that are new, and without the minute of an audit line."""
    return sorted(
        (
            one["system"], one["operation"],
            tuple(sorted(
                (field["field"], str(field["new"])[16:] if field["field"] == "Audit__c" else str(field["new"]))
                for field in one["fields"]
                if field["field"] not in _IDS and "⟨new" not in str(field["new"])
            )),
        )
        for one in writes
    )  # fmt: skip


_IDS = {"AccountId", "ContactId", "Opportunity__c", "engagementId", "Referral_Identifier__c",
        "Referral_Link__c"}  # fmt: skip


async def test_a_plan_of_incoming_referrals_is_what_a_run_writes(stage: Stage) -> None:
    """Account, contact, opportunity and solutions, field by field."""
    stage.emulated.microsoft("create", None)
    planned = await stage.engine.plan("partner-center-to-salesforce", {})

    done = await stage.sync("partner-center-to-salesforce")

    assert gist(planned.writes) == gist(done.writes) != []


async def test_a_plan_of_an_update_is_what_a_run_writes(stage: Stage) -> None:
    """The fields of both sides, the audit line among them."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=12, CloseDate="2027-06-30")
    stage.update(referral, details={"notes": "hello"})
    planned = await stage.engine.plan("opportunity-to-partner-center", {})

    done = await stage.sync("opportunity-to-partner-center")

    assert gist(planned.writes) == gist(done.writes) != []


async def test_a_plan_writes_nothing(stage: Stage) -> None:
    """Neither side sees a write, and the ledger keeps no link."""
    stage.deal()
    stage.forget()

    await stage.engine.plan("opportunity-to-partner-center", {})

    links = await stage.engine.ledger.links.list()
    assert (stage.writes("salesforce"), stage.writes("partner_center"), links) == ([], [], [])


async def test_a_plan_of_a_new_referral_shows_both_posts(stage: Stage) -> None:
    """Our referral and Microsoft's are both in the plan."""
    stage.deal()

    planned = await stage.engine.plan("opportunity-to-partner-center", {})

    posts = [one for one in planned.writes if one["operation"] == "create"]
    assert len(posts) == 2


@pytest.fixture
async def many(stage: Stage) -> list[str]:
    """As many linked deals as brakes need to work."""
    for number in range(FEWEST_LINKS):
        stage.emulated.microsoft(
            "create", None, name=f"Deal {number}", customerProfile={"name": f"Customer {number}"}
        )
    await stage.engine.run("partner-center-to-salesforce", {}, release_brake=True)
    stage.forget()
    rows = stage.seller.find("SELECT Id FROM Opportunity WHERE Referral_Identifier__c != null")
    return [row["Id"] for row in rows]


async def test_a_run_that_would_change_too_much_writes_nothing(
    stage: Stage, many: list[str]
) -> None:
    """More than a quarter of the linked deals: the run fails with code brake, and nothing is written."""
    stage.later()
    for deal in many[:6]:
        stage.seller.change("Opportunity", deal, StageName="Qualification")
    stage.forget()

    result = await stage.sync("opportunity-to-partner-center")

    assert (result.status, (result.error or {})["code"], stage.writes("partner_center")) == (
        "failed", "brake", [],
    )  # fmt: skip


async def test_a_plan_says_that_the_brake_would_stop_it(stage: Stage, many: list[str]) -> None:
    """The plan shows every write, and that a run would be braked."""
    stage.later()
    for deal in many[:6]:
        stage.seller.change("Opportunity", deal, StageName="Qualification")

    planned = await stage.engine.plan("opportunity-to-partner-center", {})

    assert (planned.braked is not None, planned.status) == (True, "succeeded")


async def test_a_person_can_release_the_brake(stage: Stage, many: list[str]) -> None:
    """With the brake released the same run goes through."""
    stage.later()
    for deal in many[:6]:
        stage.seller.change("Opportunity", deal, StageName="Qualification")

    result = await stage.engine.run("opportunity-to-partner-center", {}, release_brake=True)

    assert (result.status, result.counts["updated"]) == ("succeeded", 6)


async def test_a_run_that_changes_little_is_not_stopped(stage: Stage, many: list[str]) -> None:
    """A quarter of the linked deals may change."""
    stage.later()
    for deal in many[:5]:
        stage.seller.change("Opportunity", deal, StageName="Qualification")

    result = await stage.sync("opportunity-to-partner-center")

    assert (result.status, result.counts["updated"]) == ("succeeded", 5)
