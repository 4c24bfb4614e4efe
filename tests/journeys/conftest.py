"""The stage of the journeys: both emulators on real sockets, a fresh project, and people at work."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cosell_emulators.sandbox import Sandbox
from cosell_flows.cli.stagehands import Emulated, Seller, call
from cosell_flows.project import init_project
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine
from cosell_flows.running.outcomes import RunResult

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[dict[str, Any]]:
    """Both emulators, for all journeys of this worker."""
    with Sandbox(seed="empty") as ready:
        yield dict(ready)


@dataclass
class Stage:
    """Everybody and everything a journey needs."""

    ready: dict[str, Any]
    engine: Engine
    seller: Seller
    emulated: Emulated
    project: Path
    environment: dict[str, str]

    async def sync(self, flow: str, **inputs: Any) -> RunResult:
        """Run a flow to its end in this process, a moment after whatever was before.

        Of a record of this very second the engine waits for the next one.
        """
        self.later(2)
        return await self.engine.run(flow, inputs)

    async def reopen(self) -> None:
        """Begin with the project's files and variables as they are now."""
        await self.engine.aclose()
        self.engine = await open_engine(self.project, "sandbox")

    async def full_sync(self) -> None:
        """Run the three flows of a full sync until none writes."""
        for _ in range(6):
            results = [
                await self.sync(flow)
                for flow in (
                    "opportunity-to-partner-center",
                    "solutions-to-partner-center",
                    "partner-center-to-salesforce",
                )
            ]
            if not any(result.writes for result in results):
                return
        raise AssertionError("six turns, and the sync still writes")

    def deal(self, **fields: Any) -> str:
        """A deal that a seller may share: account, contact, country, solution."""
        account = self.seller.make(
            "Account", Name="Northwind Traders", BillingCountry=fields.pop("country", "DK"),
            BillingPostalCode="1058", BillingCity="Aarhus", BillingStreet="Havnegade 1",
        )  # fmt: skip
        if fields.pop("contact", True):
            fields["ContactId"] = self.seller.make(
                "Contact", AccountId=account, FirstName="Ida", LastName="Holm",
                Email="ida.holm@northwind.example", Phone="+4533112233",
            )  # fmt: skip
        solution = fields.pop("solution", "SOL-20417-KQZ")
        deal = self.seller.make(
            "Opportunity",
            **{
                "Name": "Northwind data platform", "AccountId": account, "Amount": 1000,
                "StageName": "Qualification", "CloseDate": "2027-03-31", "CurrencyIsoCode": "DKK",
                "Sync_with_Partner_Center__c": True,
                "How_can_Microsoft_help__c": "Customer Technical Architecture", **fields,
            },
        )  # fmt: skip
        if solution:
            self.seller.make("Microsoft_Solution__c", Opportunity__c=deal,
                             Solution_Identifier__c=solution, Solution_Name__c="Lakehouse")  # fmt: skip
        return deal

    async def shared(self, **fields: Any) -> tuple[str, str]:
        """A deal that is shared already; its id, and its referral's."""
        deal = self.deal(**fields)
        await self.sync("opportunity-to-partner-center", opportunity_ids=[deal])
        referral = self.look(deal)["Referral_Identifier__c"]
        assert referral, self.look(deal)["Audit__c"]
        self.forget()
        return deal, referral

    async def received(self, **fields: Any) -> tuple[str, str]:
        """A deal that Microsoft sent; the opportunity's id, and the referral's."""
        referral = self.emulated.microsoft("create", None, **fields)["id"]
        await self.sync("partner-center-to-salesforce", referral_ids=[referral])
        self.forget()
        return self.twin_of(referral), referral

    def twin_of(self, referral: str) -> str:
        """The id of the opportunity of a referral."""
        rows = self.seller.find(
            f"SELECT Id FROM Opportunity WHERE Referral_Identifier__c = '{referral}'"
        )
        assert len(rows) == 1, rows
        return str(rows[0]["Id"])

    def look(self, deal: str) -> dict[str, Any]:
        """An opportunity as it is now."""
        return self.seller.see("Opportunity", deal)

    def edit(self, deal: str, **fields: Any) -> None:
        """Let the seller change an opportunity, a moment later than whatever was before."""
        self.later()
        self.seller.change("Opportunity", deal, **fields)

    def later(self, seconds: int = 60) -> None:
        """Let time pass in both systems; Salesforce knows whole seconds only."""
        for system in ("salesforce", "partner_center"):
            call("POST", f"{self.emulated._control(system)}/clock", {"advance_s": seconds})

    def update(self, referral: str, **fields: Any) -> None:
        """Let Microsoft change our referral."""
        self.later()
        self.emulated.microsoft("update", referral, **fields)

    def writes(self, system: str) -> list[dict[str, Any]]:
        """What was written on one side since it was asked last."""
        return self.emulated.writes(system)

    def forget(self) -> None:
        """Begin to watch for writes now."""
        self.writes("salesforce")
        self.writes("partner_center")

    def patched(self) -> dict[str, Any]:
        """Path and value of everything that was patched in Partner Center."""
        return {
            one["path"]: one["value"]
            for write in self.writes("partner_center")
            if write["method"] == "PATCH"
            for one in write["body"]
        }


@pytest.fixture
async def stage(
    sandbox: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """An empty org, an empty Partner Center, and a fresh project that is bound to both."""
    emulated = Emulated(sandbox)
    for system in ("salesforce", "partner_center"):
        call("POST", f"{emulated._control(system)}/reset", {"seed": "empty"})
    for name in [name for name in os.environ if name.startswith("COSELL_")]:
        monkeypatch.delenv(name)
    for name, value in sandbox["env"].items():
        monkeypatch.setenv(name, value)
    init_project(tmp_path)
    engine = await open_engine(tmp_path, "sandbox")
    own = sandbox["salesforce"]["username"]
    admin = Seller.sign_in(sandbox, own)
    people = admin.find("SELECT Username FROM User WHERE UserType = 'Standard' AND IsActive = true")
    seller = next(one["Username"] for one in people if one["Username"] != own)
    made = Stage(
        ready=sandbox,
        engine=engine,
        seller=Seller.sign_in(sandbox, seller),
        emulated=emulated,
        project=tmp_path,
        environment=dict(sandbox["env"]),
    )
    yield made
    await made.engine.aclose()
