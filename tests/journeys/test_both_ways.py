"""The main job over real HTTP: what one side says reaches the other, and nothing else does."""

from __future__ import annotations

import pytest

from .conftest import Stage

pytestmark = pytest.mark.journey


async def test_a_shared_deal_becomes_two_referrals_of_one_engagement(stage: Stage) -> None:
    """A deal with help is posted twice: our referral, then Microsoft's, with one engagementId."""
    deal = stage.deal()

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    ours, theirs = (one["body"] for one in stage.writes("partner_center"))
    referral = stage.emulated.referral(stage.look(deal)["Referral_Identifier__c"])
    assert (ours["externalReferenceId"], theirs["engagementId"], theirs["target"][0]["id"]) == (
        deal, referral["engagementId"], "msft",
    )  # fmt: skip


async def test_deals_shared_at_once_each_have_microsofts_half(stage: Stage) -> None:
    """Twelve deals go out side by side; no engagement takes another's half for its own."""
    deals = [stage.deal() for _ in range(12)]

    await stage.sync("opportunity-to-partner-center", opportunity_ids=deals)

    halves = [one["body"] for one in stage.writes("partner_center")]
    assert len({one["engagementId"] for one in halves if one["target"][0]["id"] == "msft"}) == 12


async def test_what_was_shared_is_written_back(stage: Stage) -> None:
    """Identifier, link, audit line and check mark reach the opportunity."""
    deal, referral = await stage.shared()

    now = stage.look(deal)

    assert (
        now["Name"], referral in now["Referral_Link__c"], "Shared with Microsoft" in now["Audit__c"],
        now["Referral_Visibility__c"],
    ) == ("✔ Northwind data platform", True, True, True)  # fmt: skip


async def test_only_what_changed_is_sent(stage: Stage) -> None:
    """Deal value, currency and closing date are patched, and nothing else."""
    deal, _ = await stage.shared()
    stage.edit(deal, Amount=2500.5, CurrencyIsoCode="EUR", CloseDate="2027-04-30")

    await stage.sync("opportunity-to-partner-center")

    assert stage.patched() == {
        "/details/dealValue": 2500.5, "/details/currency": "EUR",
        "/details/closingDateTime": "2027-04-30T00:00:00Z",
    }  # fmt: skip


async def test_microsofts_acceptance_reaches_the_opportunity(stage: Stage) -> None:
    """Its CRM identifier is filled, and the audit says that Microsoft accepted."""
    deal, referral = await stage.shared()
    stage.emulated.microsoft("accept", referral)

    await stage.sync("partner-center-to-salesforce")

    now = stage.look(deal)
    assert (bool(now["Microsoft_CRM_Identifier__c"]), "Microsoft accepted" in now["Audit__c"]) == (
        True, True,
    )  # fmt: skip


async def test_microsoft_declining_closes_nothing_of_ours(stage: Stage) -> None:
    """The deal goes on, and the audit says so."""
    deal, referral = await stage.shared()
    stage.emulated.microsoft("decline", referral)

    await stage.sync("partner-center-to-salesforce")

    now = stage.look(deal)
    assert (now["StageName"], "declined" in now["Audit__c"]) == ("Qualification", True)


async def test_a_referral_arrives_on_hold(stage: Stage) -> None:
    """Account, contact, solution and opportunity are made, in the on-hold stage, with the mark."""
    deal, _ = await stage.received()

    now = stage.look(deal)
    people = stage.seller.find(
        f"SELECT IsPrimary FROM OpportunityContactRole WHERE OpportunityId = '{deal}'"
    )
    solutions = stage.seller.find(
        f"SELECT Id FROM Microsoft_Solution__c WHERE Opportunity__c = '{deal}'"
    )
    assert (
        now["StageName"], now["Sync_with_Partner_Center__c"], now["Name"][:2], bool(now["AccountId"]),
        len(people), len(solutions) > 0,
    ) == ("Prospecting", True, "✔ ", True, 1, True)  # fmt: skip


async def test_a_new_referral_is_not_written_to(stage: Stage) -> None:
    """Bringing a referral in sends nothing back, now or at the next run."""
    await stage.received()

    await stage.full_sync()

    assert stage.writes("partner_center") == []


async def test_edits_on_hold_wait_and_go_with_the_acceptance(stage: Stage) -> None:
    """On hold nothing is sent; moving the stage accepts, and sends what was edited before."""
    deal, referral = await stage.received()
    stage.edit(deal, Amount=777)
    await stage.sync("opportunity-to-partner-center")
    on_hold = stage.patched()
    stage.edit(deal, StageName="Qualification")

    await stage.sync("opportunity-to-partner-center")

    now = stage.emulated.referral(referral)
    assert (on_hold, now["status"], now["substatus"], now["details"]["dealValue"]) == (
        {}, "Active", "Accepted", 777,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "state"),
    [
        (["Closed Lost"], ("Closed", "Declined")),
        (["Closed Won"], ("Closed", "Won")),
        (["Needs Analysis"], ("Active", "Accepted")),
        (["Qualification", "Closed Lost"], ("Closed", "Lost")),
        (["Qualification", "Closed Won"], ("Closed", "Won")),
    ],
)
async def test_the_stage_decides_the_state(
    stage: Stage, stages: list[str], state: tuple[str, str]
) -> None:
    """From on hold: lost declines, won accepts and wins, any other stage accepts."""
    deal, referral = await stage.received()
    for name in stages:
        stage.edit(deal, StageName=name)
        await stage.sync("opportunity-to-partner-center")

    now = stage.emulated.referral(referral)

    assert (now["status"], now["substatus"]) == state


@pytest.mark.parametrize(("substatus", "name"), [("Won", "Closed Won"), ("Lost", "Closed Lost")])
async def test_our_referral_closed_there_closes_here(
    stage: Stage, substatus: str, name: str
) -> None:
    """A referral closed in Partner Center closes the opportunity, with the reason in the audit."""
    deal, referral = await stage.shared()
    stage.update(referral, status="Closed", substatus=substatus)

    await stage.sync("partner-center-to-salesforce")

    now = stage.look(deal)
    assert (now["StageName"], substatus in now["Audit__c"]) == (name, True)


async def test_an_expired_referral_closes_here(stage: Stage) -> None:
    """Fourteen days without an answer: the opportunity is lost, and the audit says why."""
    deal, referral = await stage.received()
    stage.emulated.microsoft("expire", referral)

    await stage.sync("partner-center-to-salesforce")

    now = stage.look(deal)
    assert (now["StageName"], "Expired" in now["Audit__c"]) == ("Closed Lost", True)


async def test_a_closed_referral_is_never_written_again(stage: Stage) -> None:
    """A seller's edit after the close stays in Salesforce."""
    deal, _ = await stage.shared()
    stage.edit(deal, StageName="Closed Won")
    await stage.sync("opportunity-to-partner-center")
    stage.forget()
    stage.edit(deal, Amount=5, StageName="Needs Analysis")

    await stage.sync("opportunity-to-partner-center")

    assert stage.writes("partner_center") == []


async def test_both_edits_survive(stage: Stage) -> None:
    """Different fields edited on both sides: each reaches the other."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=4321)
    stage.update(referral, details={"notes": "They want a pilot."})

    await stage.full_sync()

    now, twin = stage.look(deal), stage.emulated.referral(referral)
    assert (now["Amount"], now["Description"]) == (
        twin["details"]["dealValue"], twin["details"]["notes"],
    ) == (4321, "They want a pilot.")  # fmt: skip


@pytest.mark.parametrize("seller_last", [True, False])
async def test_the_newest_edit_of_one_field_wins(stage: Stage, seller_last: bool) -> None:
    """Both sides edited the deal value: the later one counts, on both sides."""
    deal, referral = await stage.shared()
    if seller_last:
        stage.update(referral, details={"dealValue": 10})
        stage.edit(deal, Amount=20)
    else:
        stage.edit(deal, Amount=20)
        stage.update(referral, details={"dealValue": 10})

    await stage.full_sync()

    now, twin = stage.look(deal), stage.emulated.referral(referral)
    wanted = 20 if seller_last else 10
    assert (now["Amount"], twin["details"]["dealValue"]) == (wanted, wanted)


async def test_the_same_again_writes_nothing(stage: Stage) -> None:
    """With nothing changed, a full sync makes no write on either side."""
    await stage.shared()
    await stage.received()
    await stage.full_sync()
    stage.forget()

    await stage.full_sync()

    assert stage.writes("partner_center") + stage.writes("salesforce") == []


@pytest.mark.parametrize(
    ("lacks", "word"),
    [
        ({"solution": None}, "solution"),
        ({"country": "Denmark"}, "country"),
        ({"contact": False}, "contact"),
    ],
)
async def test_what_is_missing_is_said_to_the_seller(
    stage: Stage, lacks: dict[str, object], word: str
) -> None:
    """The audit names what to add, the name gets a cross, and nothing is made on the other side."""
    deal = stage.deal(**lacks)

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    now = stage.look(deal)
    assert (word in now["Audit__c"], now["Name"][:2], stage.writes("partner_center")) == (
        True, "✘ ", [],
    )  # fmt: skip


async def test_a_failing_record_says_so_once(stage: Stage) -> None:
    """Tried again with nothing changed, it repeats no audit line."""
    deal = stage.deal(solution=None)
    for _ in range(3):
        await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    lines = stage.look(deal)["Audit__c"].splitlines()

    assert len(lines) == 1


async def test_a_failing_record_mends_itself(stage: Stage) -> None:
    """Once the solution is there it is shared, the cross becomes a check mark, the letter closes."""
    deal = stage.deal(solution=None)
    await stage.sync("opportunity-to-partner-center")
    stage.later()
    stage.seller.make("Microsoft_Solution__c", Opportunity__c=deal,
                      Solution_Identifier__c="SOL-1", Solution_Name__c="One")  # fmt: skip

    await stage.sync("opportunity-to-partner-center")

    letters = await stage.engine.ledger.letters.list()
    assert (stage.look(deal)["Name"][:2], letters) == ("✔ ", [])


async def test_a_deal_without_help_stays_private(stage: Stage) -> None:
    """No help and not visible: one POST, Independent, not shared with Microsoft's sellers."""
    deal = stage.deal(How_can_Microsoft_help__c=None)

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    (write,) = stage.writes("partner_center")
    consent = write["body"]["consent"]["consentToShareReferralWithMicrosoftSellers"]
    assert (write["body"]["type"], consent) == ("Independent", False)


async def test_a_deal_becomes_a_co_sell_later(stage: Stage) -> None:
    """Help asked for after the deal was shared: Microsoft's referral of the same engagement is made."""
    deal, referral = await stage.shared(How_can_Microsoft_help__c=None)
    stage.edit(deal, How_can_Microsoft_help__c="Quotes or Licensing")

    await stage.sync("opportunity-to-partner-center")

    posts = [one["body"] for one in stage.writes("partner_center") if one["method"] == "POST"]
    engagement = stage.emulated.referral(referral)["engagementId"]
    assert [(one["engagementId"], one["target"][0]["id"]) for one in posts] == [
        (engagement, "msft")
    ]


async def test_help_and_visibility_cannot_be_taken_back(stage: Stage) -> None:
    """Emptied help and visibility are put back, and the audit says so."""
    deal, _ = await stage.shared()
    stage.edit(deal, How_can_Microsoft_help__c=None, Referral_Visibility__c=False)

    await stage.sync("opportunity-to-partner-center")

    now = stage.look(deal)
    assert (
        now["How_can_Microsoft_help__c"], now["Referral_Visibility__c"], now["Audit__c"].count("put back"),
    ) == ("Customer Technical Architecture", True, 2)  # fmt: skip


async def test_a_blank_is_filled_again(stage: Stage) -> None:
    """A seller empties the notes: they come back from the other side."""
    deal, _ = await stage.shared(Description="Wants a pilot")
    stage.edit(deal, Description=None)

    await stage.sync("opportunity-to-partner-center")

    assert stage.look(deal)["Description"] == "Wants a pilot"


@pytest.mark.parametrize("nothing", [0, None])
async def test_a_deal_value_of_zero_does_not_travel(stage: Stage, nothing: int | None) -> None:
    """Zero or empty is not sent and not refilled, and the audit says so."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=nothing)

    await stage.full_sync()

    now = stage.look(deal)
    value = stage.emulated.referral(referral)["details"]["dealValue"]
    assert (now["Amount"], value, "Deal value" in now["Audit__c"]) == (nothing, 1000, True)


async def test_a_sellers_renaming_stays(stage: Stage) -> None:
    """The name travels once: a later renaming is neither sent nor undone."""
    deal, referral = await stage.shared()
    stage.edit(deal, Name="✔ Northwind phase two")

    await stage.full_sync()

    names = (stage.look(deal)["Name"], stage.emulated.referral(referral)["name"])
    assert names == ("✔ Northwind phase two", "Northwind data platform")


async def test_a_deleted_opportunity_is_not_made_again(stage: Stage) -> None:
    """The referral is left alone, and a dead letter of class deleted says so."""
    deal, referral = await stage.shared()
    stage.later()
    call_delete(stage, deal)
    await stage.sync("opportunity-to-partner-center")
    stage.update(referral, details={"dealValue": 5})

    await stage.sync("partner-center-to-salesforce")

    letters = [one.error_class for one in await stage.engine.ledger.letters.list()]
    rows = stage.seller.find(
        f"SELECT Id FROM Opportunity WHERE Referral_Identifier__c = '{referral}'"
    )
    assert (letters, rows, stage.writes("partner_center")) == (["deleted"], [], [])


def call_delete(stage: Stage, deal: str) -> None:
    """Let the seller delete an opportunity."""
    from cosell_flows.cli.stagehands import API, call

    call("DELETE", f"{stage.seller.url}{API}/sobjects/Opportunity/{deal}", token=stage.seller.token)


async def test_solutions_added_here_reach_the_referral(stage: Stage) -> None:
    """A row added on the opportunity is added to the referral's list, whose entries stay as they are."""
    deal, referral = await stage.shared()
    before = stage.emulated.referral(referral)["details"]["requirements"]["solutions"]
    stage.later()
    stage.seller.make("Microsoft_Solution__c", Opportunity__c=deal,
                      Solution_Identifier__c="SOL-2", Solution_Name__c="Two")  # fmt: skip

    await stage.sync("solutions-to-partner-center")

    after = stage.emulated.referral(referral)["details"]["requirements"]["solutions"]
    assert (after[:1], [one["id"] for one in after]) == (before, ["SOL-20417-KQZ", "SOL-2"])


async def test_the_last_solution_is_kept_there(stage: Stage) -> None:
    """Removing the only solution is not sent; the audit says that one is needed."""
    deal, _ = await stage.shared()
    rows = stage.seller.find(
        f"SELECT Id FROM Microsoft_Solution__c WHERE Opportunity__c = '{deal}'"
    )
    stage.later()
    from cosell_flows.cli.stagehands import API, call

    call("DELETE", f"{stage.seller.url}{API}/sobjects/Microsoft_Solution__c/{rows[0]['Id']}",
         token=stage.seller.token)  # fmt: skip

    await stage.sync("solutions-to-partner-center")

    assert (stage.writes("partner_center"), "solution" in stage.look(deal)["Audit__c"].splitlines()[0]) == (
        [], True,
    )  # fmt: skip
