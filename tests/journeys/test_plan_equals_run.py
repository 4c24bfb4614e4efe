"""Whatever happened on either side: what a plan shows is what a run then writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from .conftest import Stage
from .test_customizing import LEAD, reopened
from .test_plans_and_brakes import OTHER, gist

pytestmark = pytest.mark.journey
OUT, IN = "opportunity-to-partner-center", "partner-center-to-salesforce"
SOLUTIONS, LEADS = "solutions-to-partner-center", "leads-to-partner-center"
Scene = Callable[[Stage], Awaitable[None]]


async def a_deal_without_help(stage: Stage) -> None:
    """One POST, no co-sell."""
    stage.deal(How_can_Microsoft_help__c=None)


async def several_deals_are_shared(stage: Stage) -> None:
    """Some whole, one without a country, one without a solution."""
    stage.deal()
    stage.deal(country="Denmark")
    stage.deal(solution=None)


async def a_deal_becomes_a_co_sell(stage: Stage) -> None:
    """Help is asked for after the deal was shared."""
    deal, _ = await stage.shared(How_can_Microsoft_help__c=None)
    stage.edit(deal, How_can_Microsoft_help__c="Quotes or Licensing")


async def visibility_is_taken_back(stage: Stage) -> None:
    """It is put back."""
    deal, _ = await stage.shared()
    stage.edit(deal, Referral_Visibility__c=False)


async def a_deal_is_won(stage: Stage) -> None:
    """Closed Won from an active stage."""
    deal, _ = await stage.shared()
    stage.edit(deal, StageName="Closed Won", Amount=77)


async def a_deal_on_hold_is_edited(stage: Stage) -> None:
    """Nothing is sent."""
    deal, _ = await stage.received()
    stage.edit(deal, Amount=5)


async def a_deal_on_hold_is_won(stage: Stage) -> None:
    """It is accepted on the way: two writes."""
    deal, _ = await stage.received()
    stage.edit(deal, StageName="Closed Won")


async def both_sides_changed(stage: Stage) -> None:
    """The newest wins, the other loses."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=1, Description="ours")
    stage.update(referral, details={"dealValue": 2, "notes": "theirs"})


async def a_value_is_blanked(stage: Stage) -> None:
    """It is filled again."""
    deal, _ = await stage.shared(Description="hello")
    stage.edit(deal, Description="")


async def microsoft_accepts(stage: Stage) -> None:
    """Its identifier comes in."""
    _, referral = await stage.shared()
    stage.emulated.microsoft("accept", referral)


async def microsoft_declines(stage: Stage) -> None:
    """The audit says so."""
    _, referral = await stage.shared()
    stage.emulated.microsoft("decline", referral)


async def a_referral_expires(stage: Stage) -> None:
    """It closes the deal here."""
    _, referral = await stage.received()
    stage.emulated.microsoft("expire", referral)


async def a_referral_is_not_wanted(stage: Stage) -> None:
    """It is skipped."""
    stage.emulated.microsoft("create", None, **LEAD)


async def microsoft_changes_the_solutions(stage: Stage) -> None:
    """One row comes, another goes."""
    _, referral = await stage.received()
    stage.update(referral, details={"requirements": {"solutions": [OTHER]}})


async def a_solution_is_added(stage: Stage) -> None:
    """The list is sent whole."""
    deal, _ = await stage.shared()
    stage.later()
    stage.seller.make("Microsoft_Solution__c", Opportunity__c=deal,
                      Solution_Identifier__c="SOL-31337-ABC", Solution_Name__c="Landing zone")  # fmt: skip


async def two_referrals_of_different_customers(stage: Stage) -> None:
    """Two of everything."""
    for name in ("Contoso", "Fabrikam"):
        stage.emulated.microsoft("create", None, name=name, customerProfile={"name": name})


async def two_referrals_of_one_new_customer(stage: Stage) -> None:
    """Two opportunities, one account."""
    for name in ("First deal", "Second deal"):
        stage.emulated.microsoft("create", None, name=name)


async def nothing_happened(stage: Stage) -> None:
    """Nothing is planned, nothing is written."""
    await stage.shared()
    await stage.full_sync()


SCENES = [
    (OUT, a_deal_without_help),
    (OUT, several_deals_are_shared),
    (OUT, a_deal_becomes_a_co_sell),
    (OUT, visibility_is_taken_back),
    (OUT, a_deal_is_won),
    (OUT, a_deal_on_hold_is_edited),
    (OUT, a_deal_on_hold_is_won),
    (OUT, both_sides_changed),
    (OUT, a_value_is_blanked),
    (OUT, nothing_happened),
    (IN, both_sides_changed),
    (IN, microsoft_accepts),
    (IN, microsoft_declines),
    (IN, a_referral_expires),
    (IN, a_referral_is_not_wanted),
    (IN, microsoft_changes_the_solutions),
    (IN, two_referrals_of_different_customers),
    (IN, two_referrals_of_one_new_customer),
    (SOLUTIONS, a_solution_is_added),
]


@pytest.mark.parametrize(("flow", "scene"), SCENES, ids=[f"{f}-{s.__name__}" for f, s in SCENES])
async def test_a_plan_is_what_a_run_writes(stage: Stage, flow: str, scene: Scene) -> None:
    """Write by write, field by field, on both sides."""
    await scene(stage)
    planned = await stage.engine.plan(flow, {})

    done = await stage.sync(flow)

    assert gist(planned.writes) == gist(done.writes)
    assert planned.counts == done.counts


async def test_a_plan_of_a_lead_is_what_a_run_writes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Coming in, and its status on the way back."""
    monkeypatch.setenv("COSELL_SYNC_CO_SELL_ONLY", "No")
    await reopened(stage)
    stage.emulated.microsoft("create", None, **LEAD)
    planned = [await stage.engine.plan(IN, {})]
    done = [await stage.sync(IN)]
    lead = stage.seller.find("SELECT Id FROM Lead")[0]["Id"]
    stage.later()
    stage.seller.change("Lead", lead, Status="Working - Contacted")
    planned.append(await stage.engine.plan(LEADS, {}))

    done.append(await stage.sync(LEADS))

    assert [gist(one.writes) for one in planned] == [gist(one.writes) for one in done]
    assert all(one.writes for one in done)
