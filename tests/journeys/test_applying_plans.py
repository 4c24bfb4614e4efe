"""A plan that was kept is applied exactly as it says, or refused with the reason."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.main import answer

from .conftest import Stage
from .test_plans_and_brakes import gist, many

pytestmark = pytest.mark.journey
__all__ = ["many"]
OUT = "opportunity-to-partner-center"
IN = "partner-center-to-salesforce"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    json: Any


Cosell = Callable[..., Awaitable[Said]]


@pytest.fixture
def cosell(stage: Stage, capsys: pytest.CaptureFixture[str]) -> Cosell:
    """Runs a command in the stage's project, as another process would."""

    async def run(*arguments: str) -> Said:
        whole = ["--project", str(stage.project), "--json", *arguments]
        code = await asyncio.to_thread(answer, whole)
        return Said(code, json.loads(capsys.readouterr().out))

    return run


def rows_of(stage: Stage) -> dict[str, list[Any]]:
    """Every row of the ledger."""
    ledger = sqlite3.connect(stage.project / ".cosell" / "ledger.db")
    names = [
        name for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    return {name: ledger.execute(f"SELECT * FROM {name}").fetchall() for name in names}


async def test_planning_leaves_the_ledger_byte_for_byte_as_it_was(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """A deal that is updated, one that is new, one that fails: no row is added or changed."""
    deal, _ = await stage.shared()
    stage.edit(deal, Amount=12)
    stage.deal()
    stage.deal(country="Denmark")
    stage.emulated.microsoft("create", None)
    before = rows_of(stage)
    stage.forget()

    for flow in (OUT, IN, "solutions-to-partner-center"):
        await cosell("plan", flow, "--out", str(tmp_path / "plan.json"))

    assert (rows_of(stage), stage.writes("salesforce"), stage.writes("partner_center")) == (
        before, [], [],
    )  # fmt: skip


async def test_applying_an_update_writes_what_the_plan_says(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """Both sides of a deal that was edited on both."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=12, CloseDate="2027-06-30")
    stage.update(referral, details={"notes": "hello"})
    file = str(tmp_path / "plan.json")
    planned = await cosell("plan", OUT, "--out", file)

    done = await cosell("apply", file)

    assert (done.code, gist(done.json["writes"])) == (0, gist(planned.json["changes"]))


async def test_applying_makes_what_is_not_there_yet(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """Account, contact, opportunity and solutions of a new referral, whose ids no plan can know."""
    stage.emulated.microsoft("create", None)
    file = str(tmp_path / "plan.json")
    planned = await cosell("plan", IN, "--out", file)

    done = await cosell("apply", file)

    assert (done.code, gist(done.json["writes"])) == (0, gist(planned.json["changes"]))


async def test_applying_makes_once_what_two_records_need(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """Two referrals of one new customer: one account, whichever of the two makes it."""
    for name in ("First deal", "Second deal"):
        stage.emulated.microsoft("create", None, name=name)
    file = str(tmp_path / "plan.json")
    planned = await cosell("plan", IN, "--out", file)

    done = await cosell("apply", file)

    accounts = stage.seller.find("SELECT Id FROM Account")
    assert (done.code, gist(done.json["writes"]), len(accounts)) == (
        0, gist(planned.json["changes"]), 1,
    ), done.json["error"]  # fmt: skip


async def test_applying_shares_a_deal_with_both_posts(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """Our referral and Microsoft's, and what is written back."""
    stage.deal()
    file = str(tmp_path / "plan.json")
    planned = await cosell("plan", OUT, "--out", file)

    done = await cosell("apply", file)

    assert (done.code, gist(done.json["writes"])) == (0, gist(planned.json["changes"]))


async def test_after_applying_nothing_is_left_to_do(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """The ledger knows what was applied: the next full sync writes nothing."""
    stage.deal()
    file = str(tmp_path / "plan.json")
    await cosell("plan", OUT, "--out", file)
    await cosell("apply", file)
    stage.forget()

    await stage.full_sync()

    assert (stage.writes("partner_center"), stage.writes("salesforce")) == ([], [])


async def test_a_plan_whose_record_moved_is_refused(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """It says which record, which field and who; and nothing is written."""
    deal, _ = await stage.shared()
    stage.edit(deal, Amount=12)
    file = str(tmp_path / "plan.json")
    await cosell("plan", OUT, "--out", file)
    stage.edit(deal, Amount=13)
    stage.forget()

    done = await cosell("apply", file)

    told = done.json["error"]["message"]
    assert (
        done.code, done.json["error"]["code"], deal in told, "(Amount)" in told, " by " in told,
        stage.writes("partner_center") + stage.writes("salesforce"),
    ) == (1, "stale", True, True, True, []), told  # fmt: skip


async def test_a_plan_whose_referral_moved_is_refused(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """What Microsoft changed since is seen too."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=12)
    file = str(tmp_path / "plan.json")
    await cosell("plan", OUT, "--out", file)
    stage.update(referral, details={"notes": "wait"})

    done = await cosell("apply", file)

    told = done.json["error"]["message"]
    assert (done.code, referral in told, "details.notes" in told) == (1, True, True), told


async def test_a_plan_is_applied_once(stage: Stage, cosell: Cosell, tmp_path: Path) -> None:
    """The second time it is refused, and nothing is written."""
    stage.deal()
    file = str(tmp_path / "plan.json")
    await cosell("plan", OUT, "--out", file)
    await cosell("apply", file)
    stage.forget()

    again = await cosell("apply", file)

    told = again.json["error"]["message"]
    assert (again.code, "applied already" in told, stage.writes("partner_center")) == (1, True, [])


async def test_a_plan_made_by_other_rules_is_refused(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """A mapping that was edited since is named."""
    stage.deal()
    file = str(tmp_path / "plan.json")
    await cosell("plan", OUT, "--out", file)
    path = stage.project / "definitions/cosell/referral-opportunity.map.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")

    done = await cosell("apply", file)

    assert (done.code, "referral-opportunity.map.yaml" in done.json["error"]["message"]) == (
        1,
        True,
    )


async def test_a_plan_made_with_other_values_is_refused(
    stage: Stage, cosell: Cosell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that was changed since is named."""
    stage.deal()
    file = str(tmp_path / "plan.json")
    await cosell("plan", OUT, "--out", file)
    monkeypatch.setenv("COSELL_ACTIVE_STAGE", "Proposal/Price Quote")

    done = await cosell("apply", file)

    assert (done.code, "ACTIVE_STAGE" in done.json["error"]["message"]) == (1, True)


async def test_a_plan_that_was_altered_is_refused(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """Not even another number in it."""
    deal, _ = await stage.shared()
    stage.edit(deal, Amount=12)
    file = tmp_path / "plan.json"
    await cosell("plan", OUT, "--out", str(file))
    file.write_text(file.read_text(encoding="utf-8").replace('"new": 12', '"new": 99'), "utf-8")

    done = await cosell("apply", str(file))

    assert (done.code, "altered" in done.json["error"]["message"]) == (1, True)


async def test_another_record_that_changed_is_left_for_the_next_run(
    stage: Stage, cosell: Cosell, tmp_path: Path
) -> None:
    """Only what the plan is about is written; the cursor stays, so the other is not forgotten."""
    one, _ = await stage.shared()
    other, referral = await stage.shared(Name="Another")
    await stage.full_sync()
    stage.edit(one, Amount=12)
    file = str(tmp_path / "plan.json")
    await cosell("plan", OUT, "--out", file)
    stage.edit(other, Amount=13)
    stage.forget()

    done = await cosell("apply", file)
    only_one = stage.patched()
    await stage.sync(OUT)

    now = stage.emulated.referral(referral)["details"]["dealValue"]
    assert (done.code, only_one["/details/dealValue"], now) == (0, 12, 13)


async def test_a_braked_plan_can_be_applied(
    stage: Stage, many: list[str], cosell: Cosell, tmp_path: Path
) -> None:
    """A run is stopped; whoever applies the plan has seen it."""
    stage.later()
    for deal in many[:6]:
        stage.seller.change("Opportunity", deal, StageName="Qualification")
    file = str(tmp_path / "plan.json")
    planned = await cosell("plan", OUT, "--out", file)

    done = await cosell("apply", file)

    assert (planned.json["braked"], planned.code, done.code, done.json["counts"]["updated"]) == (
        True, 0, 0, 6,
    )  # fmt: skip


async def test_a_plan_holds_no_secret(stage: Stage, cosell: Cosell, tmp_path: Path) -> None:
    """It can be sent to anybody who may see the deals."""
    stage.deal()
    file = tmp_path / "plan.json"

    await cosell("plan", OUT, "--out", str(file))

    text = file.read_text(encoding="utf-8")
    secrets = [
        value for name, value in stage.environment.items() if "SECRET" in name or "TOKEN" in name
    ]
    assert [one for one in secrets if len(one) > 6 and "://" not in one and one in text] == []
