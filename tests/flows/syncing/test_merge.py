"""Who wins, field by field."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cosell_flows.syncing.echo import caught, outdated
from cosell_flows.syncing.errors import BadValue, NoTranslation, TooLong
from cosell_flows.syncing.mirror import Mirror
from cosell_flows.syncing.pairs import PairPlan, plan_pair
from cosell_flows.syncing.standing import PRINT, print_of

from .conftest import NOW, in_step, opportunity, referral, with_row

LATER, LATEST = "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"


def merged(
    mirror: Mirror, left: dict[str, Any], right: dict[str, Any], *, left_at: str = LATER,
    right_at: str = LATEST, base: tuple[dict[str, Any], dict[str, Any]] | None = None,
) -> PairPlan:  # fmt: skip
    """The plan for two records that both moved since they were in step; the right one last."""
    link = in_step(mirror, *(base or (referral(), opportunity())))
    left = left if left == referral() else {**left, "eTag": "2", "updatedDateTime": left_at}
    right = right if right == opportunity() else {**right, "SystemModstamp": right_at}
    return plan_pair(mirror, link, left, right, now=NOW)


def to(plan: PairPlan, side: str) -> dict[str, Any]:
    """What a plan writes on one side, but for what is ours."""
    writes = plan.to_left if side == "left" else plan.to_right
    return {write.field: write.new for write in writes}


def test_an_edit_on_the_right_goes_left(mirror: Mirror) -> None:
    """One side moved, the other follows."""
    plan = merged(mirror, referral(), opportunity(Amount=5))

    assert (to(plan, "left"), to(plan, "right")) == ({"details.dealValue": Decimal(5)}, {})


def test_the_newer_of_two_edits_wins_and_the_loser_is_kept(mirror: Mirror) -> None:
    """Both moved: the later counts."""
    plan = merged(mirror, referral(value=7), opportunity(Amount=5))

    assert [(one.field, one.new, one.loses) for one in plan.to_left] == [
        ("details.dealValue", Decimal(5), "7")
    ]


def test_what_computes_itself_is_never_written(mirror: Mirror) -> None:
    """The left value stays where it is, a note says so, and every other field goes on."""
    left = referral(value=7)
    left["details"] = {**left["details"], "notes": "new"}

    plan = merged(mirror.computing({"Amount"}), left, opportunity())

    assert to(plan, "left") == {}
    assert to(plan, "right") == {"Description": "new"}
    assert "Deal value computes itself in Salesforce" in " ".join(plan.notes)


def test_what_computes_itself_counts_over_a_later_edit(mirror: Mirror) -> None:
    """Both moved, the left one later: it cannot be written, so the right one is sent."""
    plan = merged(
        mirror.computing({"Amount"}), referral(value=7), opportunity(Amount=5),
        left_at=LATEST, right_at=LATER,
    )  # fmt: skip

    assert [(one.field, one.new, one.loses) for one in plan.to_left] == [
        ("details.dealValue", Decimal(5), "7")
    ]


def test_that_a_value_was_not_taken_is_said_once(mirror: Mirror) -> None:
    """The next sync of the same two records has nothing to say."""
    computing = mirror.computing({"Amount"})
    first = merged(computing, referral(value=7), opportunity())
    link = replace(
        in_step(mirror, referral(), opportunity()),
        base_left=first.base_left, base_right=first.base_right,
    )  # fmt: skip

    again = plan_pair(computing, link, referral(value=7), opportunity(), now=NOW)

    assert (first.notes != (), again.notes) == (True, ())


def test_our_own_write_never_wins_by_being_newer(mirror: Mirror) -> None:
    """The right record is newer, by our hand alone; the left edit counts."""
    link = replace(
        in_step(mirror, referral(), opportunity()),
        right_version=LATEST, pending_right=None,
    )  # fmt: skip
    left = referral(value=7, eTag="2", updatedDateTime=LATER)
    right = opportunity(Amount=5, SystemModstamp=LATEST)

    plan = plan_pair(mirror, link, left, right, now=NOW)

    assert to(plan, "right") == {"Amount": Decimal(7)}


@pytest.mark.parametrize("right_says", [10, Decimal("10.00"), "10"])
def test_what_a_run_that_was_cut_off_wrote_is_its_own(mirror: Mirror, right_says: object) -> None:
    """It wrote 10 and died before it noted so: Microsoft's 20, written before, still counts."""
    link = replace(in_step(mirror, referral(), opportunity()), pending_right={"Amount": 10})
    left = referral(value=20, eTag="2", updatedDateTime=LATER)
    right = opportunity(Amount=right_says, SystemModstamp=LATEST)

    plan = plan_pair(mirror, link, left, right, now=NOW)

    assert to(plan, "right") == {"Amount": Decimal(20)}


@pytest.mark.parametrize(
    ("conflict", "left", "right"),
    [("left", {}, {"Amount": Decimal(7)}), ("right", {"details.dealValue": Decimal(5)}, {}),
     ("max", {}, {"Amount": Decimal(7)}), ("ask", {}, {})],
)  # fmt: skip
def test_the_rule_of_the_row_decides(
    mirror: Mirror, conflict: str, left: dict[str, Any], right: dict[str, Any]
) -> None:
    """left, right, the larger one, or nobody."""
    asked = with_row(mirror, "details.dealValue", conflict=conflict)

    plan = merged(asked, referral(value=7), opportunity(Amount=5))

    assert (to(plan, "left"), to(plan, "right")) == (left, right)


def test_a_person_is_asked_once(mirror: Mirror) -> None:
    """`ask`: the audit says so, and says no more until something moves."""
    asked = with_row(mirror, "details.dealValue", conflict="ask")
    plan = merged(asked, referral(value=7), opportunity(Amount=5))
    (line,) = [write.new for write in plan.own if write.field == "Audit__c"]

    again = merged(asked, referral(value=7), opportunity(Amount=5, Audit__c=line))

    assert ("changed on both sides" in line, again.is_empty) == (True, True)


def test_a_blank_clears_where_the_row_says_so(mirror: Mirror) -> None:
    """`blank: clear`: an emptied field empties the other side."""
    clearing = with_row(mirror, "details.notes", blank="clear")
    base = (referral(notes="x"), opportunity(Description="x"))

    plan = merged(clearing, referral(notes="x"), opportunity(Description=None), base=base)

    assert to(plan, "left") == {"details.notes": None}


def test_a_blank_is_filled_again(mirror: Mirror) -> None:
    """`blank: ignore`: an emptied field comes back from the other side."""
    base = (referral(notes="x"), opportunity(Description="x"))

    plan = merged(mirror, referral(notes="x"), opportunity(Description=None), base=base)

    assert (to(plan, "left"), to(plan, "right")) == ({}, {"Description": "x"})


def test_a_yes_no_field_without_a_latch_may_go_back(mirror: Mirror) -> None:
    """No is a value, not a blank."""
    free = with_row(mirror, "consent.consentToShareReferralWithMicrosoftSellers", latch=False)
    base = (referral(visible=True), opportunity(Referral_Visibility__c=True))

    plan = merged(free, referral(visible=True), opportunity(), base=base)

    assert to(plan, "left") == {"consent.consentToShareReferralWithMicrosoftSellers": False}


def test_a_latch_is_put_back_and_said(mirror: Mirror) -> None:
    """Visible once, visible for good."""
    base = (referral(visible=True), opportunity(Referral_Visibility__c=True))

    plan = merged(mirror, referral(visible=True), opportunity(), base=base)

    assert (to(plan, "left"), to(plan, "right"), "put back" in plan.notes[0]) == (
        {}, {"Referral_Visibility__c": True}, True,
    )  # fmt: skip


@pytest.mark.parametrize(("left", "right"), [(None, False), (False, None)])
def test_no_value_is_not_ticked(mirror: Mirror, left: object, right: object) -> None:
    """A missing yes/no and a No say the same."""
    plan = merged(
        mirror,
        referral(consent={"consentToShareReferralWithMicrosoftSellers": left}),
        opportunity(Referral_Visibility__c=right),
    )

    assert plan.is_empty


def test_a_state_that_may_not_follow_is_never_sent(mirror: Mirror) -> None:
    """An accepted deal does not go back on hold: the stage it had is put back."""
    base = (referral(), opportunity(StageName="Needs Analysis"))

    plan = merged(mirror, referral(), opportunity(StageName="Prospecting"), base=base)

    assert (to(plan, "left"), to(plan, "right")) == ({}, {"StageName": "Needs Analysis"})


def test_won_from_new_goes_through_accepted(mirror: Mirror) -> None:
    """Partner Center wants a deal accepted before it is won."""
    base = (referral(status="New", substatus="Pending"), opportunity(StageName="Prospecting"))
    link = in_step(mirror, *base)

    plan = plan_pair(
        mirror, link, base[0],
        opportunity(StageName="Closed Won", SystemModstamp=LATER), now=NOW,
    )  # fmt: skip

    assert ([one.new for one in plan.to_left_first], to(plan, "left")) == (
        ["Active", "Accepted"], {"status": "Closed", "substatus": "Won"},
    )  # fmt: skip


def test_text_that_was_cut_is_no_edit(mirror: Mirror) -> None:
    """The right side holds as much as it can; the next sync finds nothing to do."""
    short = with_row(mirror, "details.notes", max_length=10)
    plan = merged(short, referral(notes="far too long a text"), opportunity())
    cut = to(plan, "right")["Description"]

    again = merged(short, referral(notes="far too long a text"), opportunity(Description=cut))

    assert (cut, to(again, "left"), to(again, "right")) == ("far too l…", {}, {})


def test_text_too_long_is_refused_where_the_row_says_so(mirror: Mirror) -> None:
    """`too_long: refuse`: the sync says what to shorten."""
    strict = with_row(mirror, "details.notes", max_length=10, too_long="refuse")

    with pytest.raises(TooLong, match="19 characters"):
        merged(strict, referral(notes="far too long a text"), opportunity())


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"CurrencyIsoCode": "Euro"}, BadValue), ({"Amount": "a lot"}, BadValue),
     ({"CloseDate": "soon"}, BadValue), ({"How_can_Microsoft_help__c": "Please"}, NoTranslation)],
)  # fmt: skip
def test_what_cannot_be_understood_is_said(
    mirror: Mirror, fields: dict[str, Any], error: type[Exception]
) -> None:
    """A value that is not of its type, or that no table translates."""
    with pytest.raises(error):
        merged(mirror, referral(), opportunity(**fields))


def test_amount_and_currency_from_two_sides_ask_for_a_look(mirror: Mirror) -> None:
    """Both survive; the audit says that the amount may be in the other currency."""
    plan = merged(mirror, referral(currency="EUR"), opportunity(Amount=5))

    assert any("check the amount" in note for note in plan.notes)


def test_every_write_names_its_rule(mirror: Mirror) -> None:
    """File and line of the row that decided."""
    plan = merged(mirror, referral(), opportunity(Amount=5))

    rule = plan.to_left[0].rule
    assert rule is not None
    assert (rule.file, rule.line > 0) == ("definitions/cosell/referral-opportunity.map.yaml", True)


@pytest.mark.parametrize(("read", "old"), [(LATER, "yes"), (LATEST, "no")])
def test_a_record_read_before_another_run_wrote_it_is_outdated(
    mirror: Mirror, read: str, old: str
) -> None:
    """The base is newer than the record: merging them would take back what that run wrote."""
    link = replace(in_step(mirror, referral(), opportunity()), right_version=LATEST)

    assert outdated(mirror, link, opportunity(SystemModstamp=read)) == old


@pytest.mark.parametrize(("amount", "old"), [(1000, "no"), (5, "perhaps")])
def test_within_one_second_what_a_record_says_tells_whether_it_is_outdated(
    mirror: Mirror, amount: int, old: str
) -> None:
    """Its version counts seconds: the same version with other values is looked at again."""
    left = {PRINT: print_of(mirror, opportunity(Amount=1000))}
    link = replace(
        in_step(mirror, referral(), opportunity()), right_version=LATEST, notes=left
    )  # fmt: skip

    assert outdated(mirror, link, opportunity(SystemModstamp=LATEST, Amount=amount)) == old


def test_an_edit_in_the_second_of_our_own_write_is_not_ours(mirror: Mirror) -> None:
    """The version is the one we left, the values are not: it is the seller's hand."""
    left = {PRINT: print_of(mirror, opportunity())}
    link = replace(
        in_step(mirror, referral(), opportunity()), right_version=LATEST, notes=left
    )  # fmt: skip

    assert caught(mirror, link, opportunity(SystemModstamp=LATEST, Amount=5), "right") is None
