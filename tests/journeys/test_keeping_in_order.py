"""An org is set up from nothing, and what keeps the sync from working is told, over real sockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.main import answer
from cosell_flows.cli.stagehands import Seller, call
from cosell_flows.project import init_project

from .conftest import Stage

pytestmark = pytest.mark.journey
RECEIVER = "http://127.0.0.1:8810/webhooks/partner-center"
REGISTER = ("run", "webhook-registration", "--local")


class Commands:
    """The command line on the stage's project, run beside the test's own event loop."""

    def __init__(self, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
        self.stage, self._capsys = stage, capsys

    async def __call__(self, *arguments: str) -> tuple[int, str]:
        whole = ["--project", str(self.stage.project), *arguments]
        code = await asyncio.to_thread(answer, whole)
        return code, self._capsys.readouterr().out

    async def json(self, *arguments: str) -> Any:
        """The JSON document of a command."""
        return json.loads((await self("--json", *arguments))[1])

    async def checks(self) -> dict[str, str]:
        """Each check of the doctor with its status."""
        return {one["id"]: one["status"] for one in (await self.json("doctor"))["checks"]}

    def strip_org(self) -> None:
        """Take everything custom out of the org, as it is before anybody prepared it."""
        control = f"{self.stage.ready['salesforce']['url']}/__sandbox__"
        call("POST", f"{control}/org", {"customized": False})


@pytest.fixture
def cosell(stage: Stage, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Runs commands on the stage."""
    return Commands(stage, capsys)


async def test_an_org_is_set_up_from_nothing(cosell: Commands) -> None:
    """C-2: what is missing is shown, then made, and then nothing is missing."""
    cosell.strip_org()
    shown = await cosell.json("setup", "salesforce")

    code, _ = await cosell("setup", "salesforce", "--apply")

    assert (len(shown["steps"]) > 10, shown["applied"], code) == (True, False, 0)
    assert (await cosell.json("setup", "salesforce"))["steps"] == []
    assert (await cosell("check", "--against", "sandbox"))[0] == 0


async def test_fields_are_made_under_the_customers_names(cosell: Commands) -> None:
    """C-2: a variable that names another field has that one made, and the sync works with it."""
    cosell.strip_org()
    await cosell("env", "set", "AUDIT_FIELD", "Microsoft_Log__c")

    await cosell("setup", "salesforce", "--apply")

    ready = cosell.stage.ready
    admin = Seller.sign_in(ready, ready["salesforce"]["username"])
    made = admin.find(
        "SELECT QualifiedApiName FROM FieldDefinition"
        " WHERE EntityDefinition.QualifiedApiName = 'Opportunity'"
    )
    assert "Microsoft_Log__c" in [one["QualifiedApiName"] for one in made]


RENAMED = {
    "SYNC_FIELD": "Share__c", "REFERRAL_ID_FIELD": "Ref_Id__c", "REFERRAL_LINK_FIELD": "Ref_Page__c",
    "HELP_FIELD": "Wish__c", "VISIBILITY_FIELD": "Seen__c", "MICROSOFT_CRM_ID_FIELD": "Msx__c",
    "AUDIT_FIELD": "Story__c", "SOLUTIONS_OBJECT": "Offer__c",
}  # fmt: skip


async def test_every_name_is_another(cosell: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-2: all fields and the object are made under the customer's names, and a deal goes both ways."""
    for name, value in RENAMED.items():
        monkeypatch.setenv(f"COSELL_{name}", value)
    cosell.strip_org()
    await cosell("setup", "salesforce", "--apply")
    stage = cosell.stage
    stage.seller = Seller.sign_in(stage.ready, stage.ready["salesforce"]["username"])
    account = stage.seller.make("Account", Name="Northwind", BillingCountry="DK")
    person = stage.seller.make("Contact", AccountId=account, LastName="Holm", Email="i@n.example")
    deal = stage.seller.make(
        "Opportunity", Name="Data", AccountId=account, ContactId=person, Amount=1000, Share__c=True,
        StageName="Qualification", CloseDate="2027-03-31", Wish__c="Quotes or Licensing",
    )  # fmt: skip
    stage.seller.make("Offer__c", Opportunity__c=deal, Solution_Identifier__c="SOL-1",
                      Solution_Name__c="Lakehouse")  # fmt: skip
    await stage.reopen()

    await stage.full_sync()

    now = stage.look(deal)
    stage.update(now["Ref_Id__c"], details={"dealValue": 77})
    stage.seller.make("Offer__c", Opportunity__c=deal, Solution_Identifier__c="SOL-2",
                      Solution_Name__c="Two")  # fmt: skip
    await stage.full_sync()
    there = stage.emulated.referral(now["Ref_Id__c"])["details"]["requirements"]["solutions"]
    assert (now["Name"][:1], stage.look(deal)["Amount"]) == ("✔", 77)
    assert sorted(one["id"] for one in there) == ["SOL-1", "SOL-2"]


async def test_setting_up_again_changes_nothing(cosell: Commands) -> None:
    """C-2: a second run finds nothing to do, and sends no deployment."""
    cosell.strip_org()
    await cosell("setup", "salesforce", "--apply")
    cosell.stage.emulated.writes("salesforce")

    await cosell("setup", "salesforce", "--apply")

    assert cosell.stage.emulated.writes("salesforce") == []


async def test_a_ready_project_has_only_the_webhook_left(cosell: Commands) -> None:
    """C-1: with the sandbox as it comes, only the registration is missing."""
    await cosell("on", "--all")

    checks = await cosell.checks()

    assert [name for name, status in checks.items() if status == "failed"] == ["webhook"]


async def test_the_doctor_is_satisfied_once_registered(cosell: Commands) -> None:
    """C-1, C-6: after the registration the doctor ends with 0."""
    await cosell("on", "--all")
    await cosell(*REGISTER, "-i", f"http_trigger_endpoint={RECEIVER}")

    code, said = await cosell("doctor")

    assert code == 0, said


async def test_another_registrant_is_noticed(cosell: Commands, tmp_path: Path) -> None:
    """C-6: whoever takes the webhook over is named."""
    await cosell(*REGISTER, "-i", f"http_trigger_endpoint={RECEIVER}")
    init_project(tmp_path / "other")
    await cosell("--project", str(tmp_path / "other"), *REGISTER,
                 "-i", "http_trigger_endpoint=http://127.0.0.1:9/else",
                 "-i", "overwrite_existing_trigger_endpoints=yes")  # fmt: skip

    code, said = await cosell("doctor")

    assert (code, "took the webhook over" in said) == (1, True), said


async def test_slips_in_the_environment_are_found_in_the_org(cosell: Commands) -> None:
    """A stage and a field that the org does not have are told before anything runs."""
    await cosell("env", "set", "ACTIVE_STAGE", "Qualificaton")
    await cosell("env", "set", "DEAL_VALUE_FIELD", "Amuont")

    checks = await cosell.checks()

    assert (
        checks["salesforce.stage:ACTIVE_STAGE"],
        checks["salesforce.field:Opportunity.Amuont"],
    ) == ("failed", "failed")


async def test_a_system_that_is_away_is_told(
    cosell: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead server is a sentence, not a traceback, and exit code 3."""
    monkeypatch.setenv("COSELL_CONNECTION_SALESFORCE_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("COSELL_CONNECTION_SALESFORCE_TOKEN_URL", "http://127.0.0.1:9/token")

    code, said = await cosell("doctor")

    assert (code, "connection.salesforce" in said) == (3, True)
