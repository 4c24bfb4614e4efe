"""The partner channel on the emulated org: partners, their users, leads shared out and claimed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from cosell_flows.cli.stagehands import Seller, call, until
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine
from cosell_flows.running.outcomes import Question, RunResult

from .conftest import Stage

pytestmark = pytest.mark.journey
QUEUES = ("North", "South", "East")
MANAGER = "maya.manager@cosell.example.com"


@dataclass
class Channel:
    """A vendor's org, and the flows of the channel."""

    stage: Stage

    async def run(self, flow: str, *, engine: Engine | None = None, **inputs: Any) -> RunResult:
        """Run a flow."""
        return await (engine or self.stage.engine).run(flow, inputs)

    def control(self, what: str, body: Any = None) -> Any:
        """Tell the emulated org something, or ask it."""
        method = "GET" if body is None else "POST"
        return call(method, f"{self.stage.emulated._control('salesforce')}/{what}", body)

    def go_wrong(self, method: str, path: str, **then: Any) -> None:
        """Let the next call of a kind go wrong."""
        self.control("faults", {"match": {"method": method, "path": path}, "then": then})

    def asked(self, method: str, path: str) -> int:
        """How often something was asked."""
        told = self.control("requests")["requests"]
        return sum(one["method"] == method and path in one["path"] for one in told)

    async def killed(self, flow: str, method: str, path: str, **inputs: Any) -> None:
        """Let a process of its own run a flow, and kill it while an answer is on its way."""
        self.go_wrong(method, path, delay_ms=3000)
        words = [
            part for name, value in inputs.items() for part in ("-i", f"{name}={_typed(value)}")
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(self.stage.project),
             "run", flow, *words, "--local"],
            env={**os.environ, **self.stage.environment}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        await asyncio.to_thread(
            until, lambda: self.asked(method, path) or process.poll() is not None, "the request",
            patience=60,
        )  # fmt: skip
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was over before it could be killed"
        await asyncio.sleep(3.5)  # until the org has done what it was asked for

    def mails(self, kind: str) -> list[str]:
        """Who got a mail of a kind."""
        return [one["to"] for one in self.control("mails")["mails"] if one["kind"] == kind]

    async def partner(self, name: str = "Nordlys", *, signs_in: bool = True) -> str:
        """A partner with one user, made by the flows; gives the user's name."""
        made = await self.run("partner-account", name=name, owner=MANAGER)
        return await self.person(made.outputs["account_id"], name.lower(), signs_in=signs_in)

    async def person(self, account: str, name: str, *, signs_in: bool = True) -> str:
        """One more user of a partner; gives the user's name."""
        email = f"{name}@partner.example"
        told = await self.run("partner-user", account_id=account, email=email, last_name=name)
        assert told.error is None, told.error
        if signs_in:
            Seller.sign_in(self.stage.ready, email)
        return email

    def user(self, user_name: str) -> dict[str, Any]:
        """A user as they are."""
        return self.stage.seller.find(
            f"SELECT Id, AccountId, UserType FROM User WHERE Username = '{user_name}'"
        )[0]

    def queue(self, name: str, *members: str) -> str:
        """A queue of leads."""
        admin = Seller.sign_in(self.stage.ready, self.stage.ready["salesforce"]["username"])
        queue = admin.make("Group", Type="Queue", Name=name)
        admin.make("QueueSobject", QueueId=queue, SobjectType="Lead")
        for member in members:
            admin.make("GroupMember", GroupId=queue, UserOrGroupId=self.user(member)["Id"])
        return queue

    def leads(self, many: int, **fields: Any) -> list[str]:
        """New leads."""
        return [
            self.stage.seller.make("Lead", LastName=f"Lee {at}", Company=f"Company {at}", **fields)
            for at in range(many)
        ]

    def owner(self, lead: str) -> str:
        """Whose a lead is."""
        return str(self.stage.seller.see("Lead", lead)["OwnerId"])

    async def setting(self, monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
        """Set variables, and begin with them."""
        for name, value in values.items():
            monkeypatch.setenv(f"COSELL_{name}", value)
        await self.stage.reopen()


def _typed(value: Any) -> str:
    """An input as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture
async def channel(stage: Stage) -> AsyncIterator[Channel]:
    """An org with a channel manager."""
    yield Channel(stage)
    call("DELETE", f"{stage.emulated._control('salesforce')}/faults")


@pytest.fixture
async def other(channel: Channel) -> AsyncIterator[Engine]:
    """Another process at work in the same project."""
    engine = await open_engine(channel.stage.project, "sandbox")
    yield engine
    await engine.aclose()


# -- partners and their users


async def test_a_partner_is_made_once(channel: Channel) -> None:
    """Account enabled and owned by the channel manager, contact, user, one welcome mail."""
    user = await channel.partner()
    again = [
        await channel.run("partner-account", name="Nordlys", owner=MANAGER),
        await channel.run(
            "partner-user",
            account_id=channel.user(user)["AccountId"],
            email=user,
            last_name="nordlys",
        ),
    ]

    account = channel.stage.seller.see("Account", channel.user(user)["AccountId"])
    assert (account["IsPartner"], account["OwnerId"]) == (True, channel.user(MANAGER)["Id"])
    assert (channel.user(user)["UserType"], channel.mails("welcome")) == ("PowerPartner", [user])
    assert [(one.status, one.writes) for one in again] == [("succeeded", []), ("skipped", [])]


@pytest.mark.parametrize("drop", ["after", pytest.param("before", marks=pytest.mark.long)])
@pytest.mark.parametrize("path", ["sobjects/Contact", "/Soap/u/"])
async def test_a_lost_answer_makes_no_second_user(channel: Channel, path: str, drop: str) -> None:
    """The contact, or the user with the mail: it is looked for again before it is made."""
    made = await channel.run("partner-account", name="Nordlys", owner=MANAGER)
    channel.go_wrong("POST", path, drop=drop)

    user = await channel.person(made.outputs["account_id"], "lars")

    contacts = channel.stage.seller.find("SELECT Id FROM Contact")
    assert (len(contacts), channel.mails("welcome")) == (1, [user])


async def test_an_account_without_partners_has_no_partner_users(channel: Channel) -> None:
    """It is said which flow enables it, and nobody is made."""
    account = channel.stage.seller.make("Account", Name="Customer")

    told = await channel.run("partner-user", account_id=account, email="a@b.example", last_name="A")

    assert told.error is not None
    assert "run partner-account" in told.error["message"]
    assert channel.stage.seller.find("SELECT Id FROM Contact") == []


@pytest.mark.long
@pytest.mark.parametrize("path", ["sobjects/Contact", "/Soap/u/"])
async def test_a_killed_process_leaves_no_second_user(channel: Channel, path: str) -> None:
    """Killed while the answer is on its way: the next run finds what was made, and goes on."""
    made = await channel.run("partner-account", name="Nordlys", owner=MANAGER)
    account = made.outputs["account_id"]
    given = {"account_id": account, "email": "lars@partner.example", "last_name": "lars"}
    await channel.killed("partner-user", "POST", path, **given)

    user = await channel.person(account, "lars")

    contacts = channel.stage.seller.find("SELECT Id FROM Contact")
    assert (len(contacts), channel.mails("welcome")) == (1, [user])


# -- giving leads


async def test_leads_are_assigned_with_a_mail_and_once(channel: Channel) -> None:
    """All have the new owner, who is told of each; the second run changes and tells nothing."""
    user = await channel.partner()
    leads = channel.leads(3)

    first = await channel.run("assign-leads", lead_ids=leads, owner=user, notify=True)
    second = await channel.run("assign-leads", lead_ids=leads, owner=user, notify=True)

    assert {channel.owner(lead) for lead in leads} == {channel.user(user)["Id"]}
    assert (first.status, first.outputs, channel.mails("owner")) == (
        "succeeded", {"assigned": 3}, [user] * 3,
    )  # fmt: skip
    assert (second.status, second.writes, second.outputs) == ("succeeded", [], {"assigned": 0})


async def test_a_partner_who_never_signed_in_gets_no_lead(channel: Channel) -> None:
    """By name, and before anything is written; after the first sign-in it works."""
    user = await channel.partner(signs_in=False)
    lead = channel.leads(1)[0]

    refused = await channel.run("assign-leads", lead_ids=[lead], owner=user)
    Seller.sign_in(channel.stage.ready, user)
    given = await channel.run("assign-leads", lead_ids=[lead], owner=user)

    assert refused.error is not None
    assert (user in refused.error["message"], "signed in" in refused.error["message"]) == (
        True, True,
    )  # fmt: skip
    assert (refused.writes, given.status) == ([], "succeeded")


async def test_an_assignment_rule_decides(channel: Channel) -> None:
    """Named by its name; what a rule gave to somebody who never signed in is said."""
    user = await channel.partner(signs_in=False)
    queue = channel.queue("North")
    fits = [({"City": "Oslo"}, queue), ({"City": "Turku"}, channel.user(user)["Id"])]
    channel.control("org", {"assignment_entries": [{"fits": f, "owner": o} for f, o in fits]})
    rule = channel.stage.seller.find("SELECT Name FROM AssignmentRule")[0]["Name"]
    oslo, turku = channel.leads(1, City="Oslo")[0], channel.leads(1, City="Turku")[0]

    told = await channel.run("assign-leads", lead_ids=[oslo, turku], rule=rule)

    assert (told.status, channel.owner(oslo)) == ("partial", queue)
    failed = [one["reason"] for one in told.records if one["status"] == "failed"]
    assert ["never signed in" in one for one in failed] == [True]


async def test_two_runs_at_once_share_leads_evenly(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred leads and three queues: 34, 33, 33, and none is given twice."""
    intake, queues = channel.queue("Intake"), [channel.queue(name) for name in QUEUES]
    await channel.setting(
        monkeypatch, LEAD_INTAKE_QUEUE="Intake", LEADS_SHARED_AMONG="North, South, East"
    )
    leads = channel.leads(100, OwnerId=intake)
    other = await open_engine(channel.stage.project, "sandbox")

    results = await asyncio.gather(
        channel.run("route-leads"), channel.run("route-leads", engine=other)
    )

    await other.aclose()
    given = Counter(channel.owner(lead) for lead in leads)
    assert [one.status for one in results] == ["succeeded", "succeeded"]
    assert sorted(given) == sorted(queues)
    assert max(given.values()) - min(given.values()) <= 1
    assert channel.asked("PATCH", "/sobjects/Lead/") == 100


async def test_leads_go_on_evenly_after_a_run_that_was_cut_off(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to a write is lost, or the write itself: the next run takes no second turn."""
    intake, queues = channel.queue("Intake"), [channel.queue(name) for name in QUEUES]
    await channel.setting(
        monkeypatch, LEAD_INTAKE_QUEUE="Intake", LEADS_SHARED_AMONG="North, South, East"
    )
    leads = channel.leads(9, OwnerId=intake)
    fault = {"match": {"method": "PATCH", "path": "sobjects/Lead"}, "after": 2, "times": 30}
    channel.control("faults", {**fault, "then": {"status": 400, "body": [{
        "errorCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "message": "a trigger",
    }]}})  # fmt: skip
    first = await channel.run("route-leads")
    call("DELETE", f"{channel.stage.emulated._control('salesforce')}/faults")

    second = await channel.run("route-leads")

    assert (first.status, second.status) == ("partial", "succeeded")
    assert Counter(map(channel.owner, leads)) == dict.fromkeys(queues, 3)


@pytest.mark.long
async def test_leads_stay_even_after_a_process_that_was_killed(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while a lead is being given: whoever had it coming gets it, and nobody twice."""
    intake, queues = channel.queue("Intake"), [channel.queue(name) for name in QUEUES]
    await channel.setting(
        monkeypatch, LEAD_INTAKE_QUEUE="Intake", LEADS_SHARED_AMONG="North, South, East"
    )
    leads = channel.leads(12, OwnerId=intake)
    await channel.killed("route-leads", "PATCH", "sobjects/Lead")

    told = await channel.run("route-leads")

    assert told.status == "succeeded", told.error
    assert Counter(map(channel.owner, leads)) == dict.fromkeys(queues, 4)


@pytest.mark.long
async def test_leads_are_assigned_by_the_hundred(channel: Channel) -> None:
    """Two hundred in a call, and every one of them has the new owner."""
    queue, leads = channel.queue("North"), channel.leads(450)

    told = await channel.run("assign-leads", lead_ids=leads, owner="North")

    assert (told.outputs, channel.asked("PATCH", "/composite/sobjects")) == ({"assigned": 450}, 3)
    assert Counter(map(channel.owner, leads)) == {queue: 450}


async def test_a_rule_comes_before_the_turns(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of the table that is edited: its leads go where it says, the others round."""
    intake, queues = channel.queue("Intake"), [channel.queue(name) for name in QUEUES]
    file = channel.stage.project / "definitions/channel/lead-rules.flow.yaml"
    row = 'rules: [{ fits: { Country: [DK, "NO"] }, to: South }]'
    file.write_text(file.read_text("utf-8").replace("rules: []", row), "utf-8")
    await channel.setting(
        monkeypatch, LEAD_INTAKE_QUEUE="Intake", LEADS_SHARED_AMONG="North", TELL_LEAD_OWNER="Yes"
    )
    nordic = channel.leads(2, OwnerId=intake, Country="NO")
    others = channel.leads(2, OwnerId=intake, Country="IT")

    told = await channel.run("route-leads")

    assert told.status == "succeeded", told.error
    assert [channel.owner(lead) for lead in (*nordic, *others)] == [
        queues[1], queues[1], queues[0], queues[0],
    ]  # fmt: skip


async def test_without_an_intake_nothing_is_even_asked(channel: Channel) -> None:
    """As it ships: the schedule runs, and there is no request."""
    channel.stage.forget()

    told = await channel.run("route-leads")

    assert (told.status, channel.control("requests")["requests"]) == ("skipped", [])


# -- the partner's side


async def test_one_of_two_partners_gets_the_lead(channel: Channel, other: Engine) -> None:
    """Both claim in the same instant; the other is told who has it."""
    users = [await channel.partner(name) for name in ("Nordlys", "Sakura")]
    lead = channel.leads(1, OwnerId=channel.queue("Partners", *users))[0]
    channel.stage.later()

    results = await asyncio.gather(
        channel.run("claim-lead", lead_id=lead, user=users[0]),
        channel.run("claim-lead", lead_id=lead, user=users[1], engine=other),
    )

    got = [one for one in results if one.status == "succeeded"]
    lost = [one for one in results if one.status == "failed"]
    assert (len(got), len(lost)) == (1, 1)
    assert channel.owner(lead) == got[0].outputs["owner_id"]
    assert lost[0].error is not None
    assert f"{got[0].outputs['owner']} has it" in lost[0].error["message"]


async def test_a_claim_whose_answer_was_lost_is_a_claim(channel: Channel) -> None:
    """It is looked whose the lead is now; nobody is told that they were too late for their own."""
    user = await channel.partner()
    lead = channel.leads(1, OwnerId=channel.queue("Partners", user))[0]
    channel.stage.later()
    channel.go_wrong("PATCH", "sobjects/Lead", drop="after")

    told = await channel.run("claim-lead", lead_id=lead, user=user)

    assert (told.error, channel.owner(lead)) == (None, told.outputs["owner_id"])


async def test_one_partner_keeps_to_the_limit_with_two_claims_at_once(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two users of one account, two leads, and room for one."""
    one = await channel.partner()
    two = await channel.person(channel.user(one)["AccountId"], "anna")
    leads = channel.leads(3, OwnerId=channel.queue("Partners", one, two))
    channel.stage.later()
    await channel.setting(monkeypatch, LEAD_CLAIM_LIMIT="2")
    other = await open_engine(channel.stage.project, "sandbox")
    first = await channel.run("claim-lead", lead_id=leads[0], user=one)

    results = await asyncio.gather(
        channel.run("claim-lead", lead_id=leads[1], user=one),
        channel.run("claim-lead", lead_id=leads[2], user=two, engine=other),
    )

    await other.aclose()
    assert first.status == "succeeded"
    assert sorted(told.status for told in results) == ["failed", "succeeded"]
    errors = [told.error["message"] for told in results if told.error]
    assert ["Open leads of Nordlys: 2, and 2 is the most" in told for told in errors] == [True]


async def test_a_partner_works_a_lead_to_an_opportunity(channel: Channel) -> None:
    """Seen, claimed, changed, converted; then it is among the opportunities, and changed there."""
    user = await channel.partner()
    lead = channel.leads(1, OwnerId=channel.queue("Partners", user))[0]
    channel.stage.later()
    me = channel.user(user)["Id"]
    before = await channel.run("my-leads", user=user)
    await channel.run("claim-lead", lead_id=lead, user=user)
    after = await channel.run("my-leads", user=user)
    status = {"Status": "Working - Contacted"}
    changed = [
        await channel.run("update-lead", lead_id=lead, user=user, fields=status) for _ in range(2)
    ]
    await channel.run("convert-lead", lead_id=lead, owner_id=me)
    deals = (await channel.run("my-opportunities", user=user)).outputs["opportunities"]
    await channel.run(
        "update-opportunity", opportunity_id=deals[0]["Id"], user=user, fields={"NextStep": "Call"}
    )

    seen = Seller.sign_in(channel.stage.ready, MANAGER).see("Opportunity", deals[0]["Id"])
    shown = [[len(one.outputs[what]) for what in ("mine", "to_claim")] for one in (before, after)]
    assert (shown, [one.status for one in changed]) == ([[0, 1], [1, 0]], ["succeeded", "skipped"])
    assert (len(deals), seen["NextStep"]) == (1, "Call")


async def test_somebody_elses_lead_is_not_changed(channel: Channel) -> None:
    """Who says for whom they act changes their own only."""
    user = await channel.partner()
    lead = channel.leads(1)[0]

    told = await channel.run("update-lead", lead_id=lead, user=user, fields={"City": "Oslo"})

    assert told.error is not None
    assert (told.error["class"], told.writes) == ("forbidden", [])


# -- the org


async def test_partner_management_is_looked_at_before_it_is_turned_on(channel: Channel) -> None:
    """Looking changes nothing, and names what partners would see; it is turned on once."""
    channel.control("org", {"partner_management": False})
    rule = {"fullName": "All_deals", "label": "All deals", "accessLevel": "Read"}
    shared = {"sharedFrom": {"role": "CEO"}, "sharedTo": {"roleAndSubordinates": "CEO"}}
    client = await channel.stage.engine.client("salesforce")
    piece = {"fullName": "Opportunity", "sharingOwnerRules": [{**rule, **shared}]}
    await client.collect("update_metadata", {"type": "SharingRules", "pieces": [piece]})
    looked = await channel.run("enable-partner-relationship-management")
    before = channel.control("org", {})["partner_management"]
    enabled = await channel.run("enable-partner-relationship-management", what="enable")
    again = await channel.run("enable-partner-relationship-management", what="enable")

    assert (looked.status, looked.writes, before) == ("skipped", [], False)
    assert looked.outputs == {
        "objects_to_review": ["Lead"],
        "rules_to_review": ["Opportunity: All_deals (Read to roleAndSubordinates)"],
    }
    assert (enabled.status, again.status, again.writes) == ("succeeded", "skipped", [])
    assert channel.control("org", {})["partner_management"]


@pytest.mark.parametrize("yes", [True, False])
async def test_a_person_decides_whether_partner_management_is_turned_on(
    channel: Channel, *, yes: bool
) -> None:
    """The question says what partners would see; a no changes nothing."""
    channel.control("org", {"partner_management": False})
    asked: list[Question] = []

    async def ask(question: Question) -> Mapping[str, Any]:
        asked.append(question)
        return {"turn_on": yes}

    told = await channel.stage.engine.run(
        "enable-partner-relationship-management", {"what": "ask"}, ask=ask
    )

    assert "cannot be undone" in asked[0].message
    assert "see by default: Lead" in asked[0].message
    assert (told.status, channel.control("org", {})["partner_management"]) == (
        "succeeded" if yes else "skipped", yes,
    )  # fmt: skip


async def test_a_production_org_is_refused_until_it_was_tried(channel: Channel) -> None:
    """Refused in words; after a try elsewhere in this project, it goes."""
    production = {"IsSandbox": False, "OrganizationType": "Enterprise Edition"}
    channel.control("org", {"partner_management": False, "organization": production})
    refused = await channel.run("enable-partner-relationship-management", what="enable")
    channel.control("org", {"organization": {**production, "IsSandbox": True}})
    await channel.run("enable-partner-relationship-management", what="enable")
    channel.control("org", {"partner_management": False, "organization": production})

    enabled = await channel.run("enable-partner-relationship-management", what="enable")

    assert refused.error is not None
    assert (refused.error["class"], refused.writes) == ("forbidden", [])
    assert enabled.status == "succeeded"


async def test_account_teams_are_set_up_once(channel: Channel) -> None:
    """Turned on, listed on the page that is named, with one more role; the second run does nothing."""
    channel.control("org", {"account_teams": False})
    given = {"layouts": ["Account Layout"], "roles": ["Channel Manager", "Solution Architect"]}

    first = await channel.run("enable-account-teams", **given)
    second = await channel.run("enable-account-teams", **given)

    assert (first.status, first.outputs) == (
        "succeeded", {"turned_on": True, "roles_added": ["Solution Architect"]},
    )  # fmt: skip
    assert (second.status, second.writes) == ("succeeded", [])


@pytest.mark.parametrize("drop", ["after", pytest.param("before", marks=pytest.mark.long)])
async def test_a_team_has_everybody_once(channel: Channel, drop: str) -> None:
    """Also where the answer to one of them is lost; a second run changes what differs only."""
    account = channel.stage.seller.make("Account", Name="Acme")
    people = channel.stage.seller.find(
        "SELECT Username FROM User WHERE UserType = 'Standard' AND IsActive = true"
    )
    role = {"role": "Sales Rep", "opportunities": "Edit"}
    members = [{"user": one["Username"], **role} for one in people]
    channel.go_wrong("POST", "sobjects/AccountTeamMember", drop=drop)

    first = await channel.run("account-team", account_id=account, members=members)
    members[0] = {**members[0], "role": "Sales Manager"}
    second = await channel.run("account-team", account_id=account, members=members)

    team = channel.stage.seller.find(
        f"SELECT UserId, TeamMemberRole FROM AccountTeamMember WHERE AccountId = '{account}'"
    )
    assert (first.status, len(team), len({one["UserId"] for one in team})) == (
        "succeeded", len(people), len(people),
    )  # fmt: skip
    assert [one["operation"] for one in second.writes] == ["update"]


@pytest.mark.long
async def test_a_killed_process_leaves_everybody_in_the_team_once(channel: Channel) -> None:
    """Killed while one is being added: the next run adds those who are missing."""
    account = channel.stage.seller.make("Account", Name="Acme")
    people = channel.stage.seller.find("SELECT Username FROM User WHERE UserType = 'Standard'")
    members = [{"user": one["Username"], "opportunities": "Edit"} for one in people]
    given = {"account_id": account, "members": members}
    await channel.killed("account-team", "POST", "AccountTeamMember", **given)

    told = await channel.run("account-team", **given)

    team = channel.stage.seller.find("SELECT UserId FROM AccountTeamMember")
    assert (told.status, len(team)) == ("succeeded", len(people)), told.error


async def test_a_member_must_get_more_than_everybody(channel: Channel) -> None:
    """Said by name before Salesforce refuses it; the others are added."""
    account = channel.stage.seller.make("Account", Name="Acme")
    channel.control("org", {"default_access": {"Account": "Read"}})
    members = [{"user": MANAGER, "account": "Read"}, {"user": "Sara Lindholm", "account": "Edit"}]

    told = await channel.run("account-team", account_id=account, members=members)

    failed = [one["reason"] for one in told.records if one["status"] == "failed"]
    assert (told.status, len(failed), "Maya Okafor would get no more" in failed[0]) == (
        "partial", 1, True,
    )  # fmt: skip
