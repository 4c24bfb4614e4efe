"""What happens between the two sides, each story up to the moment its flow runs, and its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from .conftest import Stage

OUT, ROWS, IN, LEADS = (
    "opportunity-to-partner-center", "solutions-to-partner-center",
    "partner-center-to-salesforce", "leads-to-partner-center",
)  # fmt: skip
LEAD = {
    "type": "Independent",
    "qualification": "Direct",
    "consent": {"consentToShareReferralWithMicrosoftSellers": False},
}
OTHER = {"id": "SOL-31001-ABC", "name": "Another", "type": "Name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was before, which flow then runs, and what must be there once all is quiet."""

    tells: str
    prepare: Callable[[Stage], Awaitable[None]]
    flow: str
    there: dict[str, int]  # how many records of each kind, on both sides
    says: dict[str, Any] = field(default_factory=dict)  # what both sides say of the deal
    env: dict[str, str] = field(default_factory=dict)


async def _share(stage: Stage) -> None:
    stage.deal()


async def _update(stage: Stage) -> None:
    deal, _ = await stage.shared()
    stage.edit(deal, Amount=31, Description="thirty-one", CloseDate="2027-05-05")


async def _accepts(stage: Stage) -> None:
    _, referral = await stage.shared()
    stage.later()
    stage.emulated.microsoft("accept", referral)


async def _comes_in(stage: Stage) -> None:
    stage.emulated.microsoft("create", None)


async def _lead_in(stage: Stage) -> None:
    stage.emulated.microsoft("create", None, **LEAD)


async def _lead_moves(stage: Stage) -> None:
    stage.emulated.microsoft("create", None, **LEAD)
    await stage.sync(IN)
    (lead,) = stage.seller.find("SELECT Id FROM Lead")
    stage.later()
    stage.seller.change("Lead", lead["Id"], Status="Working - Contacted")


async def _rows(stage: Stage) -> tuple[str, str]:
    deal, referral = await stage.shared()
    stage.later()
    stage.seller.make("Microsoft_Solution__c", Opportunity__c=deal,
                      Solution_Identifier__c="SOL-20418-KQZ", Solution_Name__c="Second")  # fmt: skip
    there = stage.emulated.referral(referral)["details"]["requirements"]["solutions"]
    stage.update(referral, details={"requirements": {"solutions": [*there, OTHER]}})
    return deal, referral


async def _rows_out(stage: Stage) -> None:
    await _rows(stage)


async def _row_out(stage: Stage) -> None:
    deal, _ = await stage.shared()
    stage.later()
    stage.seller.make("Microsoft_Solution__c", Opportunity__c=deal,
                      Solution_Identifier__c="SOL-20418-KQZ", Solution_Name__c="Second")  # fmt: skip


async def _accepted_here(stage: Stage) -> None:
    deal, _ = await stage.received()
    stage.edit(deal, StageName="Qualification", Amount=55)


async def _won(stage: Stage) -> None:
    deal, _ = await stage.received()
    stage.edit(deal, StageName="Closed Won")


async def _lost_there(stage: Stage) -> None:
    _, referral = await stage.shared()
    stage.update(referral, status="Closed", substatus="Lost")


async def _both_edit(stage: Stage) -> None:
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=31, Description="ours")
    stage.update(referral, details={"dealValue": 32, "closingDateTime": "2027-11-11T00:00:00Z"})


async def _becomes_co_sell(stage: Stage) -> None:
    deal, _ = await stage.shared(How_can_Microsoft_help__c=None, Referral_Visibility__c=True)
    stage.edit(deal, How_can_Microsoft_help__c="Customer Technical Architecture")


OURS = {"Account": 1, "Contact": 1, "Opportunity": 1, "Lead": 0, "OpportunityContactRole": 1,
        "Microsoft_Solution__c": 1, "ours": 1, "Microsoft's": 1}  # fmt: skip
THEIRS = {**OURS, "Microsoft's": 0}
A_LEAD = {"Account": 0, "Contact": 0, "Opportunity": 0, "Lead": 1, "OpportunityContactRole": 0,
          "Microsoft_Solution__c": 0, "ours": 1, "Microsoft's": 0}  # fmt: skip
WANTED = {"COSELL_SYNC_CO_SELL_ONLY": "No"}

STORIES = (
    Story(tells="a co-sell is shared", prepare=_share, flow=OUT, there=OURS, says={"Amount": 1000}),
    Story(tells="a seller edits", prepare=_update, flow=OUT, there=OURS,
          says={"Amount": 31, "Description": "thirty-one", "CloseDate": "2027-05-05"}),
    Story(tells="Microsoft accepts", prepare=_accepts, flow=IN, there=OURS),
    Story(tells="a referral comes in", prepare=_comes_in, flow=IN, there=THEIRS),
    Story(tells="a lead comes in", prepare=_lead_in, flow=IN, there=A_LEAD, env=WANTED),
    Story(tells="a lead is taken up", prepare=_lead_moves, flow=LEADS, there=A_LEAD, env=WANTED,
          says={"status": "Active"}),
    Story(tells="a solution goes out", prepare=_row_out, flow=ROWS,
          there={**OURS, "Microsoft_Solution__c": 2}),
    Story(tells="solutions go both ways, ours first", prepare=_rows_out, flow=ROWS,
          there={**OURS, "Microsoft_Solution__c": 3}),
    Story(tells="solutions go both ways, theirs first", prepare=_rows_out, flow=IN,
          there={**OURS, "Microsoft_Solution__c": 3}),
    Story(tells="a referral is accepted here", prepare=_accepted_here, flow=OUT, there=THEIRS,
          says={"Amount": 55, "status": "Active", "StageName": "Qualification"}),
    Story(tells="a referral is won from on hold", prepare=_won, flow=OUT, there=THEIRS,
          says={"status": "Closed", "substatus": "Won", "StageName": "Closed Won"}),
    Story(tells="Microsoft closes a deal as lost", prepare=_lost_there, flow=IN, there=OURS,
          says={"status": "Closed", "substatus": "Lost", "StageName": "Closed Lost"}),
    Story(tells="both sides edit", prepare=_both_edit, flow=OUT, there=OURS,
          says={"Amount": 32, "Description": "ours", "CloseDate": "2027-11-11"}),
    Story(tells="a shared deal becomes a co-sell", prepare=_becomes_co_sell, flow=OUT, there=OURS),
)  # fmt: skip
