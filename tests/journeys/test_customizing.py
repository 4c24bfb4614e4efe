"""People who write no Python change what the sync does: by a variable, by a row, by an input."""

from __future__ import annotations

import pytest

from cosell_flows.cli.stagehands import call
from cosell_flows.running.opening import open_engine

from .changing_orgs import add_field
from .conftest import Stage

pytestmark = pytest.mark.journey
LEAD = {
    "type": "Independent",
    "qualification": "Direct",
    "consent": {"consentToShareReferralWithMicrosoftSellers": False},
}
HOOK = "http://127.0.0.1:9/webhooks/partner-center"


async def reopened(stage: Stage) -> None:
    """Read the project again, as the next command would."""
    await stage.reopen()


async def test_another_field_holds_the_deal_value(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DEAL_VALUE_FIELD names another field: that one is sent, and Amount is not."""
    monkeypatch.setenv("COSELL_DEAL_VALUE_FIELD", "TotalOpportunityQuantity")
    await reopened(stage)
    deal = stage.deal(TotalOpportunityQuantity=42)

    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    assert stage.writes("partner_center")[0]["body"]["details"]["dealValue"] == 42


async def test_a_calculated_deal_value_travels_out_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its row says: it is sent, and a referral comes in without it."""
    add_field(stage.ready, "Opportunity.Net__c", "Currency", formula="Amount * 0.8")
    monkeypatch.setenv("COSELL_DEAL_VALUE_FIELD", "Net__c")
    path = stage.project / "definitions/cosell/referral-opportunity.map.yaml"
    text = path.read_text(encoding="utf-8")
    row = "skip_when: zero_or_blank, label: Deal value"
    path.write_text(text.replace(row, f"direction: right_to_left, {row}"), encoding="utf-8")
    await reopened(stage)

    _, referral = await stage.shared(Amount=1000)
    received, _ = await stage.received(details={"dealValue": 77})

    assert stage.emulated.referral(referral)["details"]["dealValue"] == 800
    assert stage.look(received)["Net__c"] == 0  # of an amount that nobody filled in yet


async def test_no_marks_where_they_are_not_wanted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DISPLAY_CHECK_MARK is No: names stay as they are."""
    monkeypatch.setenv("COSELL_DISPLAY_CHECK_MARK", "No")
    await reopened(stage)

    deal, _ = await stage.shared()

    assert stage.look(deal)["Name"] == "Northwind data platform"


async def test_a_row_taken_out_of_the_mapping_no_longer_travels(stage: Stage) -> None:
    """Without its row, the notes of a deal are not sent."""
    path = stage.project / "definitions/cosell/referral-opportunity.map.yaml"
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(row for row in rows if "details.notes" not in row), encoding="utf-8")
    await reopened(stage)
    deal, _ = await stage.shared()
    stage.edit(deal, Description="for us alone", Amount=2)

    await stage.sync("opportunity-to-partner-center")

    assert list(stage.patched()) == ["/details/dealValue"]


async def test_leads_stay_out_unless_they_are_wanted(stage: Stage) -> None:
    """SYNC_CO_SELL_ONLY is Yes: a lead does not come in."""
    lead = stage.emulated.microsoft("create", None, **LEAD)

    await stage.sync("partner-center-to-salesforce", referral_ids=[lead["id"]])

    assert stage.writes("salesforce") == []


async def test_leads_come_in_when_they_are_wanted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SYNC_CO_SELL_ONLY is No: a lead becomes a lead, and its status travels back."""
    monkeypatch.setenv("COSELL_SYNC_CO_SELL_ONLY", "No")
    await reopened(stage)
    referral = stage.emulated.microsoft("create", None, **LEAD)
    await stage.sync("partner-center-to-salesforce", referral_ids=[referral["id"]])
    (lead,) = stage.seller.find(
        f"SELECT Id, Status FROM Lead WHERE Referral_Identifier__c = '{referral['id']}'"
    )
    stage.later()
    stage.seller.change("Lead", lead["Id"], Status="Working - Contacted")

    await stage.sync("leads-to-partner-center")

    now = stage.emulated.referral(referral["id"])
    assert (lead["Status"], now["status"]) == ("Open - Not Contacted", "Active")


def registered(stage: Stage) -> dict[str, object]:
    """The webhook registration that Partner Center holds."""
    there = stage.ready["partner_center"]
    form = {"grant_type": "refresh_token", "client_id": there["client_id"],
            "client_secret": there["client_secret"], "refresh_token": there["refresh_token"],
            "resource": "https://api.partnercenter.microsoft.com"}  # fmt: skip
    token = call("POST", there["token_url"], form, form=True)["access_token"]
    return dict(call("GET", f"{there['webhooks_url']}/registration", token=token))


async def test_the_webhook_is_registered_for_all_four_events(stage: Stage) -> None:
    """With nothing chosen, all four referral events are registered."""
    await stage.sync("webhook-registration", http_trigger_endpoint=HOOK)

    now = registered(stage)
    assert (now["WebhookUrl"], len(now["WebhookEvents"])) == (HOOK, 4)  # type: ignore[arg-type]


async def test_registering_again_changes_nothing(stage: Stage) -> None:
    """The same address and events: the run is skipped, and nothing is written."""
    await stage.sync("webhook-registration", http_trigger_endpoint=HOOK)
    stage.forget()

    result = await stage.sync("webhook-registration", http_trigger_endpoint=HOOK)

    assert (result.status, stage.writes("partner_center")) == ("skipped", [])


@pytest.mark.parametrize(("yes", "wins"), [(False, HOOK), (True, HOOK + "/new")])
async def test_another_address_is_replaced_only_with_a_yes(
    stage: Stage, yes: bool, wins: str
) -> None:
    """Without the yes the run fails and says who is registered; with it the address is replaced."""
    await stage.sync("webhook-registration", http_trigger_endpoint=HOOK)

    await stage.sync(
        "webhook-registration", http_trigger_endpoint=HOOK + "/new",
        overwrite_existing_trigger_endpoints=yes,
    )  # fmt: skip

    assert registered(stage)["WebhookUrl"] == wins


async def test_two_accounts_of_one_name_are_never_merged_silently(stage: Stage) -> None:
    """An ambiguous customer becomes a dead letter that names the candidates."""
    twins = {stage.seller.make("Account", Name="Twin Corp", BillingPostalCode="1") for _ in "ab"}
    referral = stage.emulated.microsoft(
        "create", None, customerProfile={"name": "Twin Corp", "address": {"postalCode": "1"}}
    )

    await stage.sync("partner-center-to-salesforce", referral_ids=[referral["id"]])

    (letter,) = await stage.engine.ledger.letters.list()
    assert (letter.referral_id, {one for one in twins if one in letter.message}) == (
        referral["id"], twins,
    )  # fmt: skip


async def test_overlays_reach_into_the_portions_of_shipped_flows(stage: Stage) -> None:
    """A step is named by its id however deep it stands; the flow does what it did, but for ours."""
    overlay = stage.project / "overlays" / "sandbox" / "ours.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(
        "overlay: v1\nflow: partner-center-to-salesforce\nwhy: Deals of ours are kept out.\n"
        "steps:\n  each_referral: { concurrency: 1 }\n  bring_in:\n    before:\n"
        "      - id: kept_out\n        when: steps.referral.output.it.name == 'Deal b'\n"
        "        stop: { item: skipped, reason: kept out }\n"
    )
    engine = await open_engine(stage.project, "sandbox")
    sent = [stage.emulated.microsoft("create", None, name=f"Deal {one}")["id"] for one in "ab"]

    result = await engine.run("partner-center-to-salesforce", {"referral_ids": sent})

    await engine.aclose()
    reasons = [one["reason"] for one in result.records if one["status"] == "skipped"]
    assert (result.counts["created"], reasons) == (1, ["kept out"])
    assert stage.twin_of(sent[0])
