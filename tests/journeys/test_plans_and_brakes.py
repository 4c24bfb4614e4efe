"""A plan is what a run then writes, and a run that would change too much stops before it writes."""

from __future__ import annotations

from typing import Any

import pytest

from cosell_flows.cli.stagehands import API, call
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


OTHER = {"id": "SOL-31337-ABC", "name": "Landing zone", "type": "Name", "solutionType": "IP"}


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


def _hide(stage: Stage, deals: list[str]) -> None:
    """Take deals out of the seller's sight for good."""
    stage.later()
    for deal in deals:
        call(
            "DELETE",
            f"{stage.seller.url}{API}/sobjects/Opportunity/{deal}",
            token=stage.seller.token,
        )


async def test_new_deals_are_no_change_of_linked_ones(stage: Stage, many: list[str]) -> None:
    """More new referrals than a quarter of what is linked: how many may be made is a brake of its own."""
    stage.later()
    for number in range(6):
        stage.emulated.microsoft(
            "create", None, name=f"New {number}", customerProfile={"name": f"Newcomer {number}"}
        )

    result = await stage.sync("partner-center-to-salesforce")

    assert (result.status, result.counts["created"]) == ("succeeded", 6)


async def test_more_new_deals_than_may_be_made_stop_the_run(stage: Stage, many: list[str]) -> None:
    """The mapping allows five."""
    path = stage.project / "definitions/cosell/referral-opportunity.map.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("max_created: 200", "max_created: 5"), encoding="utf-8")
    await stage.reopen()
    stage.later()
    for number in range(6):
        stage.emulated.microsoft(
            "create", None, name=f"New {number}", customerProfile={"name": f"Newcomer {number}"}
        )
    stage.forget()

    result = await stage.sync("partner-center-to-salesforce")

    assert (result.status, stage.writes("salesforce")) == ("failed", [])
    assert "it would create 6 records, and the mapping allows 5" in (result.error or {})["message"]


async def test_a_side_that_looks_empty_stops_the_run(stage: Stage, many: list[str]) -> None:
    """No linked deal is found any more: nothing is taken for deleted, not even the one that changed."""
    links = await stage.engine.ledger.links.list()
    _hide(stage, many)

    result = await stage.sync("partner-center-to-salesforce", referral_ids=[links[0].left_id])

    states = {one.state for one in await stage.engine.ledger.links.list()}
    assert (result.status, (result.error or {})["code"], states) == ("failed", "brake", {"active"})


async def test_many_deals_deleted_at_once_stop_the_run(stage: Stage, many: list[str]) -> None:
    """More than a quarter in the recycle bin: a person decides before they count as deleted."""
    _hide(stage, many[:6])

    planned = await stage.engine.plan("opportunity-to-partner-center", {})
    result = await stage.sync("opportunity-to-partner-center")

    letters = await stage.engine.ledger.letters.list()
    assert (planned.braked is not None, (result.error or {}).get("code"), letters) == (
        True, "brake", [],
    )  # fmt: skip


async def test_a_few_deleted_deals_stop_nothing(stage: Stage, many: list[str]) -> None:
    """A deal is deleted now and then; each gets its letter."""
    _hide(stage, many[:2])

    result = await stage.sync("opportunity-to-partner-center")

    letters = await stage.engine.ledger.letters.list()
    assert (result.status, {one.error_class for one in letters}) == ("succeeded", {"deleted"})


async def test_a_record_that_must_be_there_stops_the_run_where_it_is_not(
    stage: Stage, many: list[str]
) -> None:
    """`sentinel` in the brakes names it; plan and run say that it is missing."""
    path = stage.project / "definitions/cosell/referral-opportunity.map.yaml"
    text = path.read_text(encoding="utf-8")
    sentinel = 'sentinel: { right: "006000000000000AAA" }, max_created: 200'
    path.write_text(text.replace("max_created: 200", sentinel, 1), encoding="utf-8")
    await stage.engine.aclose()
    await stage.reopen()
    stage.edit(many[0], StageName="Qualification")
    stage.forget()

    planned = await stage.engine.plan("opportunity-to-partner-center", {})
    result = await stage.sync("opportunity-to-partner-center")

    assert ("always there" in (planned.braked or ""), (result.error or {}).get("code")) == (
        True, "brake",
    )  # fmt: skip
    assert stage.writes("partner_center") == []


async def test_a_solution_that_microsoft_took_off_is_no_deletion(
    stage: Stage, many: list[str]
) -> None:
    """Deletions are of deals: a row of one may go without a person."""
    links = await stage.engine.ledger.links.list()
    stage.update(str(links[0].left_id), details={"requirements": {"solutions": [OTHER]}})

    result = await stage.sync("partner-center-to-salesforce", referral_ids=[links[0].left_id])

    assert (result.status, result.counts["updated"]) == ("succeeded", 1), result.error
