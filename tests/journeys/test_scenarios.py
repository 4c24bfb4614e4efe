"""The table of two-way scenarios, played through the emulators: what happens, and how both sides end.

Each row lies in tests/scenarios/*.yaml. Every row also proves two things it does not say: a plan
shows exactly what the run then writes, and once all is quiet, syncing again writes nothing.
"""

from __future__ import annotations

import asyncio
import os
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.stagehands import API, Emulated, Seller, call
from cosell_flows.ledger import open_ledger
from cosell_flows.project import init_project
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine, utc_now
from cosell_flows.running.outcomes import RunResult
from cosell_flows.syncing.records import pick

from ..scenarios.rendering import page, tables
from .changing_orgs import add_field
from .conftest import Stage
from .test_plans_and_brakes import gist

FLOWS = (
    "opportunity-to-partner-center",
    "solutions-to-partner-center",
    "partner-center-to-salesforce",
)
LEAD = {
    "type": "Independent",
    "qualification": "Direct",
    "consent": {"consentToShareReferralWithMicrosoftSellers": False},
}
MOST_ROUNDS = 6
_PERSON = ("firstName", "lastName", "email", "phoneNumber")


def rows() -> list[Any]:
    """Every scenario, by file and id; those of one file stay on one worker."""
    return [
        pytest.param(row, id=f"{name}-{row['id']}", marks=pytest.mark.xdist_group(name))
        for name, table in tables()
        for row in table["scenarios"]
    ]


@dataclass
class Playing:
    """One scenario on the stage: its records, and everything that was written since it began."""

    stage: Stage
    username: str
    deal: str | None = None
    referral: str | None = None
    lead: str | None = None
    patched: list[str] = field(default_factory=list)
    posted: int = 0
    touched: list[str] = field(default_factory=list)

    async def start(self, kind: str, fields: dict[str, Any]) -> None:
        """Bring about the state in which the scenario begins."""
        match kind:
            case "nothing":
                return
            case "deal":
                self.deal = self.stage.deal(**fields)
            case "shared":
                self.deal, self.referral = await self.stage.shared(**fields)
            case "private":
                self.deal, self.referral = await self.stage.shared(
                    How_can_Microsoft_help__c=None, **fields
                )
            case "received":
                self.deal, self.referral = await self.stage.received(**fields)
            case "accepted":
                self.deal, self.referral = await self.stage.received(**fields)
                self.stage.edit(self.deal, StageName="Qualification")
                await self.stage.sync(FLOWS[0], opportunity_ids=[self.deal])
            case "sent":
                self.referral = self.stage.emulated.microsoft("create", None, **fields)["id"]
            case "lead":
                self.referral = self.stage.emulated.microsoft("create", None, **LEAD, **fields)[
                    "id"
                ]
                await self.stage.sync(FLOWS[2], referral_ids=[self.referral])
                found = self.stage.seller.find(
                    f"SELECT Id FROM Lead WHERE Referral_Identifier__c = '{self.referral}'"
                )
                self.lead = found[0]["Id"] if found else None
        self.stage.forget()

    async def do(self, step: dict[str, Any]) -> None:
        """Let somebody do one thing, a minute after whatever was before."""
        ((who, what),) = step.items()
        if who == "sync":
            await self._run(what)
            return
        self.stage.later()
        if who == "event":
            ids = {"ours": self.referral, "microsofts": self._microsofts().get("id")}
            await self._run(FLOWS[2], referral_ids=[ids[one] for one in what])
            return
        self._acts()[who](what)

    def _acts(self) -> dict[str, Callable[[Any], object]]:
        """What people can do."""
        stage, seller = self.stage, self.stage.seller
        return {
            "seller": lambda what: seller.change("Opportunity", self._deal(), **what),
            "lead": lambda what: seller.change("Lead", str(self.lead), **what),
            "account": lambda what: seller.change(
                "Account", stage.look(self._deal())["AccountId"], **what
            ),
            "contact": lambda what: seller.change("Contact", self._contact(), **what),
            "microsoft": lambda what: stage.emulated.microsoft("update", self.referral, **what),
            "long_notes": lambda what: stage.emulated.microsoft(
                "update", self.referral, details={"notes": "So it goes. " * (what // 12)}
            ),
            "answer": lambda what: stage.emulated.microsoft(what, self.referral),
            "delete": lambda what: self._delete(what, self._deal()),
            "add_solution": lambda what: seller.make(
                "Microsoft_Solution__c", Opportunity__c=self.deal,
                Solution_Identifier__c=what, Solution_Name__c=what,
            ),
            "remove_solution": self._remove_solution,
            "make": lambda what: [seller.make(kind, **one) for kind, one in what.items()],
            "new_contact": self._new_contact,
            "wait_days": self._wait_days,
            "convert": self._convert,
            "merge_into": self._merge_into,
            "colleague_there": lambda what: seller.make(
                "Contact", AccountId=stage.look(self._deal())["AccountId"], **what
            ),
            "other_deal": lambda what: seller.make(
                "Opportunity", Name=what, StageName="Qualification", CloseDate="2027-03-31",
                AccountId=stage.look(self._deal())["AccountId"], ContactId=self._contact(),
            ),
            "owner": lambda what: seller.change(
                "Opportunity", self._deal(), OwnerId=self._user(what)
            ),
            "member": lambda what: seller.make(
                "OpportunityTeamMember", OpportunityId=self.deal, UserId=self._user(what)
            ),
            "no_member": lambda what: [
                self._delete("OpportunityTeamMember", one["Id"]) for one in self._team()
                if one["User"]["Email"] == what
            ],
            "sellers_there": lambda what: stage.emulated.microsoft(
                "update", self.referral, team=[*self._there()["team"], *({"email": one} for one in what)],
            ),
        }  # fmt: skip

    def _wait_days(self, days: int) -> None:
        """Let days pass; whoever was signed in signs in again."""
        self.stage.later(86400 * days)
        self.stage.emulated.tokens.clear()
        self.stage.seller = Seller.sign_in(self.stage.ready, self.username)

    def _remove_solution(self, name: str) -> None:
        for one in self._solutions():
            if one["Solution_Identifier__c"] == name:
                self._delete("Microsoft_Solution__c", one["Id"])

    def _new_contact(self, fields: dict[str, Any]) -> None:
        account = self.stage.look(self._deal())["AccountId"]
        contact = self.stage.seller.make("Contact", AccountId=account, **fields)
        self.stage.seller.make("OpportunityContactRole", OpportunityId=self.deal,
                               ContactId=contact, IsPrimary=True)  # fmt: skip

    async def until_quiet(self) -> None:
        """Sync until nothing is written; each flow's first run is planned before."""
        flows = (*FLOWS, "leads-to-partner-center") if self.lead else FLOWS
        for turn in range(MOST_ROUNDS):
            wrote = [await self._run(flow, planned=turn == 0) for flow in flows]
            if not any(wrote):
                return
        raise AssertionError(f"after {MOST_ROUNDS} rounds the sync still writes: {self.touched}")

    async def _run(self, flow: str, *, planned: bool = True, **inputs: Any) -> bool:
        engine = self.stage.engine
        plan = await engine.plan(flow, inputs) if planned else None
        result: RunResult = await engine.run(flow, inputs)
        if plan is not None:
            assert gist(plan.writes) == gist(result.writes), "the plan is not what the run wrote"
        self._note()
        return bool(result.writes)

    def _note(self) -> None:
        for one in self.stage.writes("partner_center"):
            if one["method"] == "PATCH" and one["status"] in (200, 204):
                self.patched += [change["path"] for change in one["body"]]
            elif one["method"] == "POST":
                self.posted += 1
        self.touched = [one["path"] for one in self.stage.writes("salesforce")]

    def _deal(self) -> str:
        assert self.deal is not None
        return self.deal

    def _contact(self) -> str:
        people = self.stage.seller.find(
            f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{self.deal}'"
        )
        return str(people[0]["ContactId"])

    def _convert(self, status: str) -> None:
        """Let the lead be converted, which REST has no call for."""
        wish = f"<convertedStatus>{status}</convertedStatus><leadId>{self.lead}</leadId>"
        self._soap(f"<convertLead><leadConverts>{wish}</leadConverts></convertLead>")

    def _merge_into(self, what: dict[str, dict[str, Any]]) -> None:
        """Let a record of the deal be merged into another one, which stays."""
        ((name, fields),) = what.items()
        master = self.stage.seller.make(name, **fields)
        here = {"Lead": lambda: self.lead, "Contact": self._contact,
                "Account": lambda: self.stage.look(self._deal())["AccountId"]}  # fmt: skip
        asked = (
            f'<masterRecord x:type="{name}"><Id>{master}</Id></masterRecord>'
            f"<recordToMergeIds>{here[name]()}</recordToMergeIds>"
        )
        self._soap(f"<merge><request>{asked}</request></merge>")

    def _soap(self, call: str) -> None:
        seller, soap = self.stage.seller, "http://schemas.xmlsoap.org/soap/envelope/"
        text = (
            f'<e:Envelope xmlns:e="{soap}" xmlns="urn:partner.soap.sforce.com" '
            'xmlns:x="http://www.w3.org/2001/XMLSchema-instance"><e:Header>'
            f"<SessionHeader><sessionId>{seller.token}</sessionId></SessionHeader></e:Header>"
            f"<e:Body>{call}</e:Body></e:Envelope>"
        )
        headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
        url = f"{seller.url}/services/Soap/u/60.0"
        request = urllib.request.Request(url, data=text.encode(), method="POST", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = answer.read()
        assert b"<success>true</success>" in told, told

    def _primary(self) -> dict[str, Any]:
        people = self.stage.seller.find(
            "SELECT ContactId FROM OpportunityContactRole "
            f"WHERE OpportunityId = '{self.deal}' AND IsPrimary = true"
        )
        return self.stage.seller.see("Contact", str(people[0]["ContactId"]))

    def _team(self) -> list[dict[str, Any]]:
        return self.stage.seller.find(
            "SELECT Id, User.Email FROM OpportunityTeamMember "
            f"WHERE OpportunityId = '{self.deal}' ORDER BY Id"
        )

    def _user(self, email: str) -> str:
        return str(self.stage.seller.find(f"SELECT Id FROM User WHERE Email = '{email}'")[0]["Id"])

    def _there(self) -> dict[str, Any]:
        return self.stage.emulated.referral(str(self.referral))

    def _solutions(self) -> list[dict[str, Any]]:
        return self.stage.seller.find(
            "SELECT Id, Solution_Identifier__c FROM Microsoft_Solution__c "
            f"WHERE Opportunity__c = '{self.deal}' ORDER BY Solution_Identifier__c"
        )

    def _delete(self, kind: str, record: str) -> None:
        seller = self.stage.seller
        call("DELETE", f"{seller.url}{API}/sobjects/{kind}/{record}", token=seller.token)

    def _microsofts(self) -> dict[str, Any]:
        if self.referral is None:
            return {}
        ours = self.stage.emulated.referral(self.referral)
        url = f"{self.stage.ready['partner_center']['url']}/referrals"
        every = call("GET", url, token=self.stage.emulated.tokens["partner_center"])["value"]
        return next(
            (one for one in every
             if one["engagementId"] == ours["engagementId"] and one["id"] != ours["id"]), {},
        )  # fmt: skip

    def found(self) -> None:
        """Look up the twin that a sync made."""
        if self.deal and not self.referral and (made := self._now().get("Referral_Identifier__c")):
            self.referral = made
        if self.referral and not self.deal:
            twins = self.stage.seller.find(
                f"SELECT Id FROM Opportunity WHERE Referral_Identifier__c = '{self.referral}'"
            )
            self.deal = twins[0]["Id"] if twins else None

    def _now(self) -> dict[str, Any]:
        rows = self.stage.seller.find(f"SELECT Id FROM Opportunity WHERE Id = '{self.deal}'")
        return self.stage.look(self._deal()) if rows else {}

    async def ending(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """How things ended, as far as the scenario says how they should."""
        self.found()
        now = self._now() if self.deal else {}
        trail = str(now.get("Audit__c") or "")
        sights = {
            "opportunity": lambda: _picked(now, wanted["opportunity"]),
            "referral": lambda: _picked(
                self.stage.emulated.referral(str(self.referral)) if self.referral else {},
                wanted["referral"],
            ),
            "microsoft": lambda: _picked(self._microsofts(), wanted["microsoft"]),
            "lead": lambda: _picked(
                self.stage.seller.see("Lead", str(self.lead)) if self.lead else {}, wanted["lead"]
            ),
            "account": lambda: _picked(
                self.stage.seller.see("Account", now["AccountId"]), wanted["account"]
            ),
            "contact": lambda: _picked(self._primary(), wanted["contact"]),
            "contacts": lambda: len(self.stage.seller.find(
                f"SELECT Id FROM Contact WHERE AccountId = '{now['AccountId']}'"
            )),
            "customer": lambda: [
                " ".join(filter(None, (one.get(name) for name in _PERSON)))
                for one in self._there()["customerProfile"]["team"]
            ],
            "team": lambda: [one["User"]["Email"] for one in self._team()],
            "sellers": lambda: [one["email"] for one in self._there()["team"]],
            "audit": lambda: [text for text in wanted["audit"] if text in trail],
            "no_audit": lambda: [text for text in wanted["no_audit"] if text not in trail],
            "mark": lambda: str(now.get("Name"))[:1],
            "sent": lambda: sorted(set(self.patched)),
            "posts": lambda: self.posted,
            "solutions": lambda: [one["Solution_Identifier__c"] for one in self._solutions()],
            "there": lambda: sorted(
                one["id"] for one in self.stage.emulated.referral(str(self.referral))
                ["details"]["requirements"]["solutions"]
            ),
            "linked": lambda: bool(self.referral and self.deal),
        }  # fmt: skip
        ended = {name: sights[name]() for name in wanted if name in sights}
        if "letters" in wanted:
            ended["letters"] = [
                one.error_class for one in await self.stage.engine.ledger.letters.list()
            ]
        if "lost" in wanted:
            changes = await self.stage.engine.ledger.history.of_record(str(self.referral))
            ended["lost"] = {
                one.field: _plain(one.loses) for one in changes if one.loses is not None
            }
        return ended


def _picked(record: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {path: _plain(pick(record, path)) for path in wanted}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


ENDINGS = (
    "opportunity", "referral", "microsoft", "lead", "account", "audit", "no_audit", "mark", "sent",
    "posts", "solutions", "there", "linked", "letters", "lost", "contact", "contacts", "customer",
    "team", "sellers",
)  # fmt: skip


@pytest.fixture(scope="session")
def engines() -> dict[tuple[Any, ...], Engine]:
    """An engine for each set of variables: definitions are read once, ledgers are always new."""
    return {}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One fresh project for all scenarios of this worker."""
    folder = tmp_path_factory.mktemp("scenarios")
    init_project(folder)
    return folder


@pytest.fixture
async def playing(
    sandbox: dict[str, Any],
    project: Path,
    engines: dict[tuple[Any, ...], Engine],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Playing]:
    """An empty stage with the variables of the scenario set."""
    row = request.getfixturevalue("row")
    emulated = Emulated(sandbox)
    for system in ("salesforce", "partner_center"):
        call("POST", f"{emulated._control(system)}/reset", {"seed": "empty"})
    for name in [name for name in os.environ if name.startswith("COSELL_")]:
        monkeypatch.delenv(name)
    values = {f"COSELL_{name}": str(value) for name, value in (row.get("env") or {}).items()}
    for name, value in {**sandbox["env"], **values}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COSELL_LEDGER_URL", "sqlite://")
    for path, told in (row.get("org") or {}).items():
        add_field(sandbox, path, **told)
    engine = await open_engine(project, "sandbox")
    known = engines.setdefault(tuple(sorted(values.items())), engine)
    if known is not engine:
        await known.ledger.aclose()
        engine = known
        engine._clients.clear()
        engine.columns.forget()
        engine.ledger = await open_ledger("sqlite://", clock=utc_now)

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    engine.sleep = at_once
    admin = Seller.sign_in(sandbox, sandbox["salesforce"]["username"])
    people = admin.find("SELECT Username FROM User WHERE UserType = 'Standard' AND IsActive = true")
    other = next(
        one["Username"] for one in people
        if one["Username"] != sandbox["salesforce"]["username"]
    )  # fmt: skip
    stage = Stage(
        ready=sandbox, engine=engine, seller=Seller.sign_in(sandbox, other), emulated=emulated,
        project=project, environment={},
    )  # fmt: skip
    yield Playing(stage, other)
    for client in engine._clients.values():
        await client.aclose()


# The whole table takes minutes; a sixth of it is played in every run of the suite.
SOME = [row if index % 6 == 0 else pytest.param(*row.values, marks=[*row.marks, pytest.mark.long], id=row.id)
        for index, row in enumerate(rows())]  # fmt: skip


@pytest.mark.journey
@pytest.mark.parametrize("row", SOME)
async def test_both_sides_end_as_the_table_says(row: dict[str, Any], playing: Playing) -> None:
    """Played from its start until all is quiet, a scenario ends as its row says."""
    unknown = set(row) - {"id", "says", "start", "with", "env", "org", "do", *ENDINGS}
    assert not unknown, f"no scenario says {unknown}"
    await playing.start(row.get("start", "nothing"), dict(row.get("with") or {}))
    for step in row.get("do") or []:
        await playing.do(step)

    await playing.until_quiet()

    wanted = {name: row[name] for name in ENDINGS if name in row}
    assert await playing.ending(wanted) == wanted


def test_the_page_shows_the_table() -> None:
    """docs/scenarios.md is what `make docs` makes of the table."""
    shown = Path(__file__).parents[2] / "docs" / "scenarios.md"

    assert shown.read_text(encoding="utf-8") == page()


def test_the_table_is_long_enough() -> None:
    """At least sixty ways that two sides can meet are written down."""
    assert len(rows()) >= 60
