"""What holds for every merge, whatever two people did to a pair of records."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosell_flows.syncing import tables
from cosell_flows.syncing.decisions import values_of
from cosell_flows.syncing.mirror import Mirror
from cosell_flows.syncing.pairs import PairPlan, plan_pair
from cosell_flows.syncing.records import pick
from cosell_flows.syncing.values import is_zero_or_blank, plain, same

from .conftest import NOW, in_step, linked, opportunity, referral, written

STATES = st.sampled_from([("New", "Pending"), ("Active", "Accepted"), ("Closed", "Won"),
                          ("Closed", "Lost"), ("Closed", "Declined"), ("Closed", "Expired")])  # fmt: skip
STAGES = st.sampled_from(["Prospecting", "Qualification", "Needs Analysis", "Negotiation/Review",
                          "Closed Won", "Closed Lost"])  # fmt: skip
AMOUNTS = st.one_of(st.none(), st.just(0), st.decimals(0, 10**9, places=3))
TEXT = st.one_of(st.none(), st.text("abc é", max_size=12).map(str.strip))
DAYS = st.dates(date(2001, 1, 1), date(2099, 12, 31)).map(lambda day: day.isoformat())
CURRENCIES = st.sampled_from(["DKK", "EUR", "USD"])
MINUTES = st.integers(0, 50)

LEFTS = st.fixed_dictionaries({
    "state": STATES, "value": AMOUNTS, "currency": CURRENCIES, "notes": TEXT, "visible": st.booleans(),
    "closing": DAYS.map(lambda day: f"{day}T00:00:00Z"), "msx": TEXT,
})  # fmt: skip
RIGHTS = st.fixed_dictionaries({
    "StageName": STAGES, "Amount": AMOUNTS, "CurrencyIsoCode": CURRENCIES, "Description": TEXT,
    "Referral_Visibility__c": st.booleans(), "CloseDate": DAYS,
})  # fmt: skip
PAIRS = st.tuples(LEFTS, RIGHTS, MINUTES, MINUTES)
QUICK = settings(max_examples=200, deadline=None,
                 suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip


def edited(mirror: Mirror, pair: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """A pair that was in step before both sides were edited: its link, left, right."""
    lefts, rights, left_at, right_at = pair
    begun = (referral(status="New", substatus="Pending"), opportunity(StageName="Prospecting"))
    link = in_step(mirror, *begun)
    status, substatus = lefts["state"]
    left = referral(
        **{k: v for k, v in lefts.items() if k != "state"}, status=status, substatus=substatus,
        eTag="2", updatedDateTime=f"2026-03-02T09:{left_at:02}:00Z",
    )  # fmt: skip
    right = opportunity(**rights, SystemModstamp=f"2026-03-02T09:{right_at:02}:00Z")
    return link, left, right


def synced(mirror: Mirror, link: Any, left: Any, right: Any) -> tuple[PairPlan, Any, Any, Any]:
    """One sync: its plan, and the link and records after it."""
    plan = plan_pair(mirror, link, left, right, now=NOW)
    left = {**written(left, (*plan.to_left_first, *plan.to_left)), "eTag": "3"}
    right = {
        **written(right, (*plan.to_right, *plan.own)),
        "SystemModstamp": "2026-03-02T11:00:00Z",
    }
    link = replace(linked(plan, link), left_version="3", right_version="2026-03-02T11:00:00Z")
    return plan, link, left, right


@QUICK
@given(pair=PAIRS)
def test_syncing_again_writes_nothing(mirror: Mirror, pair: Any) -> None:
    """Once synced, and synced again where a state had moved, there is nothing left to write."""
    link, left, right = edited(mirror, pair)
    for _ in range(2):
        _, link, left, right = synced(mirror, link, left, right)

    plan = plan_pair(mirror, link, left, right, now=NOW)

    assert plan.is_empty, (plan.to_left, plan.to_right, plan.notes)


@QUICK
@given(pair=PAIRS)
def test_both_sides_agree(mirror: Mirror, pair: Any) -> None:
    """Of an open deal every two-way field says the same on both sides, or has no value on one."""
    link, left, right = edited(mirror, pair)
    for _ in range(2):
        _, link, left, right = synced(mirror, link, left, right)
    if left["status"] != "Active":
        return  # what is on hold waits, and what is closed stays

    for row in mirror.rows:
        if row.field.when == "create" or row.field.value is not None or not row.left:
            continue
        here, there = values_of(row, right, "right"), values_of(row, left, "left")
        if row.table:
            assert tables.agree(row.table, there, here), row.label
        elif row.field.skip_when and (is_zero_or_blank(here) or is_zero_or_blank(there)):
            continue
        elif row.field.direction == "both" and not row.left_fixed:
            assert same(row.field, there, here), row.label


@QUICK
@given(pair=PAIRS)
def test_no_edit_is_lost_unseen(mirror: Mirror, pair: Any) -> None:
    """A value somebody put in stands somewhere afterwards, or is kept as what was overwritten."""
    link, left, right = edited(mirror, pair)
    base_left, base_right = link.base_left, link.base_right

    plan, _, _, _ = synced(mirror, link, left, right)

    for write in (*plan.to_left, *plan.to_right):
        row = next((one for one in mirror.rows if write.field in (*one.left, *one.right)), None)
        if row is None or row.field.value is not None:
            continue
        side = "left" if write in plan.to_left else "right"
        base = base_left if side == "left" else base_right
        before = plain(values_of(row, left if side == "left" else right, side))
        was_edited = row.field.id in base and base[row.field.id] != before
        if was_edited and before not in (None, False, "0", [None, None]):
            assert write.loses is not None, (row.label, before, write)


@QUICK
@given(pair=PAIRS)
def test_a_latch_never_goes_back(mirror: Mirror, pair: Any) -> None:
    """Whoever could see the deal still can."""
    link, left, right = edited(mirror, pair)
    visible = "consent.consentToShareReferralWithMicrosoftSellers"

    plan, _, _, _ = synced(mirror, link, left, right)

    assert all(one.new is not False for one in plan.to_left if one.field == visible)
    assert all(
        one.new is not False for one in plan.to_right if one.field == "Referral_Visibility__c"
    )


@QUICK
@given(pair=PAIRS)
def test_no_illegal_state_is_sent(mirror: Mirror, pair: Any) -> None:
    """Every state we send may follow the one before, and nothing is sent to a closed referral."""
    link, left, right = edited(mirror, pair)
    guarded = mirror.guarded()
    assert guarded is not None

    plan, _, _, _ = synced(mirror, link, left, right)

    state = (left["status"], left["substatus"])
    for writes in (plan.to_left_first, plan.to_left):
        sent = {one.field: one.new for one in writes}
        following = (sent.get("status", state[0]), sent.get("substatus", state[1]))
        if following != state:
            assert tables.may_go(guarded.guard, state, following), (state, following)
        state = following
    assert left["status"] != "Closed" or not plan.to_left


@QUICK
@given(pair=PAIRS)
def test_the_same_two_records_give_the_same_plan(mirror: Mirror, pair: Any) -> None:
    """A plan shows what the run will do: nothing in it depends on chance, or on the clock."""
    link, left, right = edited(mirror, pair)

    one = plan_pair(mirror, link, left, right, now=NOW)
    other = plan_pair(mirror, link, left, right, now=NOW + timedelta(seconds=30))

    assert (one.to_left, one.to_right) == (other.to_left, other.to_right)
    assert pick(left, "id") == one.left_id
