"""Whatever two people, two clocks and a bad network do: once all is quiet, both sides agree.

A few minutes of it run in `make test-long`; a short one in `make test`.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from cosell_emulators.sandbox import Sandbox
from cosell_flows.cli.stagehands import Emulated, Seller, StoryBroke, call
from cosell_flows.ledger import open_ledger
from cosell_flows.project import init_project
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine, utc_now

from .conftest import Stage

MINUTES = float(os.environ.get("COSELL_TEST_MINUTES") or 0)
FLOWS = (
    "opportunity-to-partner-center",
    "solutions-to-partner-center",
    "partner-center-to-salesforce",
)
FAULTS = (
    {"status": 503}, {"status": 429, "headers": {"Retry-After": "1"}}, {"drop": "after"},
    {"drop": "before"}, {"status": 412, "body": {"error": {"code": "preconditionFailed"}}},
)  # fmt: skip
WRITES = (
    ("partner_center", "POST", "/referrals$"), ("partner_center", "PATCH", "/referrals/"),
    ("partner_center", "GET", "/referrals"), ("salesforce", "PATCH", "/sobjects/"),
    ("salesforce", "POST", "/sobjects/"), ("salesforce", "GET", "/query"),
)  # fmt: skip


class Household:
    """What all examples share: the emulators, one project, one engine whose ledger is new each time."""

    ready: dict[str, Any]
    engine: Engine
    loop: asyncio.AbstractEventLoop
    project: Path
    turn: int = 0
    judged: int = 0  # examples that came to their end, and were looked at there


class TwoSides(RuleBasedStateMachine):
    """A deal of ours and one of Microsoft's, and everything that may happen to them."""

    home: Household

    @initialize()
    def begin(self) -> None:
        """An empty world, a deal of ours that is to be shared, and one that Microsoft sent."""
        home, emulated = self.home, Emulated(self.home.ready)
        for system in ("salesforce", "partner_center"):
            call("POST", f"{emulated._control(system)}/reset", {"seed": "empty"})
        self._await(self._fresh_ledger())
        own = home.ready["salesforce"]["username"]
        people = Seller.sign_in(home.ready, own).find(
            "SELECT Username FROM User WHERE UserType = 'Standard' AND IsActive = true"
        )
        self.username = next(one["Username"] for one in people if one["Username"] != own)
        self.stage = Stage(
            ready=home.ready, engine=home.engine, emulated=emulated, project=home.project,
            seller=Seller.sign_in(home.ready, self.username), environment={},
        )  # fmt: skip
        self.ours = self.stage.deal()
        self.theirs = str(emulated.microsoft("create", None)["id"])
        self.refused: list[dict[str, Any]] = []

    async def _fresh_ledger(self) -> None:
        # A file, not memory: a connection that is cut off takes a database in memory with it.
        self.home.turn += 1
        await self.home.engine.ledger.aclose()
        self.home.engine.ledger = await open_ledger(
            f"sqlite:///{self.home.project}/ledger-{self.home.turn}.db", clock=utc_now
        )

    def _await(self, work: Any) -> Any:
        return self.home.loop.run_until_complete(work)

    # -- what may happen

    @rule(amount=st.sampled_from([None, 0, 10, 99.5, 1000]), which=st.booleans())
    def seller_values(self, amount: float | None, which: bool) -> None:
        """The seller changes the deal value."""
        self._seller(which, Amount=amount)

    @rule(notes=st.sampled_from([None, "one", "two", "{{ three }}"]), which=st.booleans())
    def seller_writes(self, notes: str | None, which: bool) -> None:
        """The seller writes notes, and moves the date."""
        self._seller(which, Description=notes, CloseDate="2027-09-09")

    @rule(name=st.sampled_from(["Prospecting", "Qualification", "Needs Analysis", "Closed Lost",
                                "Closed Won"]), which=st.booleans())  # fmt: skip
    def seller_moves(self, name: str, which: bool) -> None:
        """The seller moves the stage."""
        self._seller(which, StageName=name)

    @rule(which=st.booleans())
    def seller_hides(self, which: bool) -> None:
        """The seller takes visibility and help back."""
        self._seller(which, Referral_Visibility__c=False, How_can_Microsoft_help__c=None)

    @rule(fields=st.sampled_from([
        {"details": {"dealValue": 7}}, {"details": {"dealValue": 0}}, {"details": {"notes": "theirs"}},
        {"details": {"currency": "EUR"}}, {"details": {"closingDateTime": "2027-12-12T00:00:00Z"}},
        {"status": "Active", "substatus": "Accepted"}, {"status": "Closed", "substatus": "Lost"},
    ]), which=st.booleans())  # fmt: skip
    def microsoft_edits(self, fields: dict[str, Any], which: bool) -> None:
        """Microsoft changes our referral, as far as its rules allow."""
        self._microsoft("update", which, fields)

    @rule(act=st.sampled_from(["accept", "decline"]))
    def microsoft_answers(self, act: str) -> None:
        """Microsoft answers our co-sell."""
        self._microsoft(act, True, {})

    @rule(where=st.sampled_from(WRITES), then=st.sampled_from(FAULTS), after=st.integers(0, 3))
    def network_fails(self, where: tuple[str, str, str], then: dict[str, Any], after: int) -> None:
        """One of the next requests goes wrong, before or after it was done."""
        system, method, path = where
        call("POST", f"{self.stage.emulated._control(system)}/faults",
             {"match": {"method": method, "path": path}, "then": then, "after": after})  # fmt: skip

    @rule(hours=st.sampled_from([1, 3, 30]))
    def time_passes(self, hours: int) -> None:
        """Both clocks jump; tokens expire."""
        self.stage.later(3600 * hours)
        self.stage.emulated.tokens.clear()
        self.stage.seller = Seller.sign_in(self.home.ready, self.username)

    @rule(flow=st.sampled_from(FLOWS))
    def sync_runs(self, flow: str) -> None:
        """A flow runs."""
        self._await(self.home.engine.run(flow, {}))

    @rule(flow=st.sampled_from(FLOWS), after=st.sampled_from([0.02, 0.1, 0.3]))
    def sync_is_cut_off(self, flow: str, after: float) -> None:
        """A flow is cut off in the middle of its work."""

        async def cut() -> None:
            running = asyncio.ensure_future(self.home.engine.run(flow, {}))
            await asyncio.wait([running], timeout=after)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        self._await(cut())

    def _seller(self, which: bool, **fields: Any) -> None:
        deal = self.ours if which else self._twin(self.theirs)
        if deal is not None:
            self.stage.edit(deal, **fields)

    def _microsoft(self, act: str, which: bool, fields: dict[str, Any]) -> None:
        referral = self.stage.look(self.ours)["Referral_Identifier__c"] if which else self.theirs
        if referral is None:
            return
        self.stage.later()
        try:
            self.stage.emulated.microsoft(act, referral, **fields)
        except StoryBroke:
            return  # its own rules forbid it

    def _twin(self, referral: str) -> str | None:
        found = self.stage.seller.find(
            f"SELECT Id FROM Opportunity WHERE Referral_Identifier__c = '{referral}'"
        )
        assert len(found) <= 1, f"{len(found)} opportunities of one referral"
        return str(found[0]["Id"]) if found else None

    # -- what must hold in the end

    def teardown(self) -> None:
        """Once the network is well and all is quiet, both sides agree, and nothing is there twice."""
        if not hasattr(self, "stage"):
            return
        for system in ("salesforce", "partner_center"):
            call("DELETE", f"{self.stage.emulated._control(system)}/faults")
        self._until_quiet()
        referral = self.stage.look(self.ours)["Referral_Identifier__c"]
        assert referral, self.stage.look(self.ours)["Audit__c"]
        theirs = self._twin(self.theirs)
        assert theirs, "Microsoft's deal did not come in"
        every = self._referrals()
        halves = sorted(one["organizationName"] == "Microsoft" for one in every)
        assert halves == [False, False, True], [one["name"] for one in every]
        for deal, twin in ((self.ours, referral), (theirs, self.theirs)):
            self._agree(self.stage.look(deal), self.stage.emulated.referral(twin))
        self._nothing_illegal_was_sent()
        self.home.judged += 1

    def _until_quiet(self) -> None:
        for turn in range(10):
            self._await(self._retry_all())
            ids = {"opportunity_ids": [self.ours]} if turn == 0 else {}
            wrote = [
                self._await(self.home.engine.run(flow, ids if flow == FLOWS[0] else {})).writes
                for flow in FLOWS
            ]
            if turn and not any(wrote):
                return
        raise AssertionError(f"it never comes to rest: {wrote}")

    async def _retry_all(self) -> None:
        letters = self.home.engine.ledger.letters
        await letters.mark_for_retry(
            [one.id for one in await letters.list() if one.error_class != "paused"]
        )

    def _referrals(self) -> list[dict[str, Any]]:
        self.stage.emulated.referral(self.theirs)
        url = f"{self.home.ready['partner_center']['url']}/referrals"
        return list(call("GET", url, token=self.stage.emulated.tokens["partner_center"])["value"])

    def _agree(self, here: dict[str, Any], there: dict[str, Any]) -> None:
        paused = "back and forth" in str(here["Audit__c"])
        if there["status"] != "Active" or paused:
            return  # what is on hold waits, what is closed stays
        details = there["details"]
        if here["Amount"] and details["dealValue"]:
            assert round(float(here["Amount"]), 2) == round(float(details["dealValue"]), 2)
        assert (here["Description"] or None, here["CurrencyIsoCode"], here["CloseDate"]) == (
            details["notes"] or None, details["currency"], details["closingDateTime"][:10],
        )  # fmt: skip
        assert here["StageName"] not in ("Prospecting", "Closed Won", "Closed Lost")
        visible = there["consent"]["consentToShareReferralWithMicrosoftSellers"]
        assert bool(visible) == here["Referral_Visibility__c"]

    def _nothing_illegal_was_sent(self) -> None:
        seen = call("GET", f"{self.stage.emulated._control('partner_center')}/requests")["requests"]
        refused = [
            (one["body"], one["status"]) for one in seen
            if one["method"] == "PATCH" and one["status"] == 400 and one["fault"] is None
        ]  # fmt: skip
        assert refused == []


@pytest.mark.journey
@pytest.mark.xdist_group("state machine")
def test_both_sides_agree_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random edits on both sides, faults, lost answers, runs cut off, clocks that jump."""
    with Sandbox(seed="empty") as ready, tempfile.TemporaryDirectory() as folder:
        for name in [name for name in os.environ if name.startswith("COSELL_")]:
            monkeypatch.delenv(name)
        for name, value in {**ready["env"], "COSELL_LEDGER_URL": "sqlite://"}.items():
            monkeypatch.setenv(name, value)
        home = Household()
        home.ready, home.project = dict(ready), Path(folder)
        init_project(home.project)
        home.loop = asyncio.new_event_loop()
        home.engine = home.loop.run_until_complete(open_engine(home.project, "sandbox"))
        home.engine.sleep = lambda _: asyncio.sleep(0)
        machine = type("TheseTwoSides", (TwoSides,), {"home": home})
        try:
            _play(machine)
        finally:
            home.loop.run_until_complete(home.engine.aclose())
            home.loop.close()
    assert home.judged > 0, "no example came to its end"


def _play(machine: type[TwoSides]) -> None:
    """A few examples, or as many as fit into the minutes that COSELL_TEST_MINUTES allows."""
    quick = settings(
        max_examples=2 if MINUTES else 3, stateful_step_count=20 if MINUTES else 10, deadline=None,
        suppress_health_check=list(HealthCheck), database=None,
        phases=(Phase.generate,) if not MINUTES else (Phase.generate, Phase.shrink),
    )  # fmt: skip
    end, turn = time.monotonic() + 60 * MINUTES, 0
    while True:
        seeded = seed(7919 * (turn + 3))(type(f"Turn{turn}", (machine,), {}))
        run_state_machine_as_test(seeded, settings=quick)  # type: ignore[no-untyped-call]
        turn += 1
        if time.monotonic() >= end:
            return
