"""Why a field has its value, the value that lost brought back, and a failing record corrected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cosell_flows.cli.main import answer

from .changing_orgs import add_field
from .conftest import Stage

pytestmark = pytest.mark.journey
OUT = "opportunity-to-partner-center"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which is one JSON document."""
        return json.loads(self.out)


Cosell = Callable[..., Awaitable[Said]]


@pytest.fixture
def cosell(stage: Stage, capsys: pytest.CaptureFixture[str]) -> Cosell:
    """Runs a command in the stage's project, as another process would."""

    async def run(*arguments: str) -> Said:
        code = await asyncio.to_thread(answer, ["--project", str(stage.project), *arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
async def fought_over(stage: Stage) -> tuple[str, str]:
    """A deal whose value was changed on both sides; Microsoft was later, and 12 lost."""
    deal, referral = await stage.shared()
    stage.edit(deal, Amount=12)
    stage.update(referral, details={"dealValue": 99})
    await stage.sync("partner-center-to-salesforce", referral_ids=[referral])
    stage.forget()
    return deal, referral


async def test_explain_says_who_when_by_which_rule_and_what_lost(
    stage: Stage, cosell: Cosell, fought_over: tuple[str, str]
) -> None:
    """In a sentence: the side that won, the run, the flow's version, the rule, the losing value."""
    said = await cosell("--json", "records", "explain", fought_over[0], "Amount")

    why = said.json["why"]
    wanted = ("Deal value is 99 in Salesforce", "Partner Center said so", "version",
              "referral-opportunity.map.yaml:", "newest wins: 12 lost")  # fmt: skip
    assert [one for one in wanted if one not in why] == [], why


async def test_explain_knows_a_field_by_each_of_its_names(
    stage: Stage, cosell: Cosell, fought_over: tuple[str, str]
) -> None:
    """The name in either system and the label, asked by either id, give the same."""
    deal, referral = fought_over
    asked = [(deal, "amount"), (referral, "details.dealValue"), (deal[:15], "Deal value")]

    said = [(await cosell("--json", "records", "explain", *one)).json["changes"] for one in asked]

    assert said[0] == said[1] == said[2] != []


async def test_explain_guesses_what_was_meant(
    stage: Stage, cosell: Cosell, fought_over: tuple[str, str]
) -> None:
    """A slip in the field ends with exit 1 and the field that was meant."""
    said = await cosell("records", "explain", fought_over[0], "Amuont")

    assert (said.code, "did you mean 'Amount'?" in said.err) == (1, True)


async def test_restore_brings_the_losing_value_back_on_both_sides(
    stage: Stage, cosell: Cosell, fought_over: tuple[str, str]
) -> None:
    """12 is in Salesforce and in Partner Center again, and the audit says that it was by hand."""
    deal, referral = fought_over

    said = await cosell("--json", "records", "restore", deal, "Amount", "--yes")

    now = stage.look(deal)
    assert (
        said.code, now["Amount"], stage.emulated.referral(referral)["details"]["dealValue"],
        "Deal value was restored by hand" in now["Audit__c"],
    ) == (0, 12, 12, True), said.err  # fmt: skip


async def test_after_a_restore_the_sync_has_nothing_to_do(
    stage: Stage, cosell: Cosell, fought_over: tuple[str, str]
) -> None:
    """The ledger agrees with what was restored."""
    await cosell("records", "restore", fought_over[0], "Amount", "--yes")
    stage.forget()

    await stage.full_sync()

    assert (stage.writes("partner_center"), stage.writes("salesforce")) == ([], [])


async def test_a_restore_is_explained_like_any_other_write(
    stage: Stage, cosell: Cosell, fought_over: tuple[str, str]
) -> None:
    """The newest value stands with the command that wrote it."""
    await cosell("records", "restore", fought_over[0], "Amount", "--yes")

    said = await cosell("records", "explain", fought_over[0], "Amount")

    assert "somebody set it by hand" in said.out, said.out


async def test_restore_asks_before_it_writes(
    stage: Stage, cosell: Cosell, fought_over: tuple[str, str]
) -> None:
    """Where nobody can be asked and --yes was not said, nothing is written."""
    said = await cosell("records", "restore", fought_over[0], "Amount")

    assert (said.code, "--yes" in said.err, stage.writes("salesforce")) == (2, True, [])


async def test_a_stage_is_read_back_from_the_states_it_stood_for(
    stage: Stage, cosell: Cosell
) -> None:
    """What accepting replaced was on hold, which the rules do not let come back."""
    deal, _ = await stage.received()
    stage.edit(deal, StageName="Needs Analysis")
    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])

    said = await cosell("records", "restore", deal, "StageName", "--yes")

    assert (said.code, "cannot be set to 'Prospecting'" in said.err) == (1, True)


async def test_a_field_that_computes_itself_is_not_set_by_hand(
    stage: Stage, cosell: Cosell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Salesforce would refuse it; the command says why, and writes nothing."""
    add_field(stage.ready, "Opportunity.Net__c", "Currency", formula="Amount * 0.8")
    monkeypatch.setenv("COSELL_DEAL_VALUE_FIELD", "Net__c")
    await stage.reopen()
    deal, _ = await stage.shared()
    stage.edit(deal, Amount=500)
    await stage.sync("opportunity-to-partner-center", opportunity_ids=[deal])
    stage.forget()

    said = await cosell("records", "restore", deal, "Deal value", "--yes")

    assert (said.code, stage.writes("salesforce")) == (1, [])
    assert "computes itself in Salesforce" in said.err


async def test_what_the_rules_would_put_back_is_not_restored(stage: Stage, cosell: Cosell) -> None:
    """Help once asked for cannot be taken back: the refusal says so, and nothing is written."""
    deal, _ = await stage.shared()
    stage.forget()

    said = await cosell("records", "restore", deal, "Referral identifier", "--yes")

    assert (said.code, "comes from Partner Center" in said.err, stage.writes("salesforce")) == (
        1, True, [],
    )  # fmt: skip


async def test_a_failing_record_is_corrected_and_tried_again(stage: Stage, cosell: Cosell) -> None:
    """The country goes into the account, and the next run shares the deal."""
    deal = stage.deal(country="Denmark")
    await stage.sync(OUT)
    letter = (await cosell("--json", "letters", "list")).json["letters"][0]

    said = await cosell("--json", "letters", "retry", letter["id"], "--set", "Country=dk", "--yes")
    await stage.sync(OUT)

    left = (await cosell("--json", "letters", "list")).json["letters"]
    now = stage.look(deal)
    account = stage.seller.see("Account", now["AccountId"])["BillingCountry"]
    assert (said.code, account, bool(now["Referral_Identifier__c"]), left) == (0, "DK", True, [])
    assert "Country was set by hand" in now["Audit__c"]


async def test_a_value_that_cannot_be_is_refused_before_it_is_written(
    stage: Stage, cosell: Cosell
) -> None:
    """A country of three letters is no country."""
    stage.deal(country="Denmark")
    await stage.sync(OUT)
    stage.forget()

    said = await cosell("letters", "retry", "1", "--set", "Country=DNK", "--yes")

    assert (said.code, "two-letter country code" in said.err, stage.writes("salesforce")) == (
        1, True, [],
    )  # fmt: skip


async def test_a_letter_says_where_to_look(stage: Stage, cosell: Cosell) -> None:
    """With the addresses of its records, the place of the rule, and what happens next."""
    deal = stage.deal(country="Denmark")
    await stage.sync(OUT)

    said = await cosell("letters", "show", "1")

    wanted = (f"{stage.ready['salesforce']['url']}/{deal}", "create-referral.flow.yaml:", "1 try",
              "cosell letters retry 1")  # fmt: skip
    assert [one for one in wanted if one not in said.out] == [], said.out
