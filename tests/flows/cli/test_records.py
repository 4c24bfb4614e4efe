"""`cosell records`: links, the story of a record, and why a field has its value."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cosell_flows.ledger import Change, Ledger, Link

from .conftest import NOON, Cosell, Remember

DEAL, REFERRAL = "006000000000001AAA", "4111fffc-f9ee-4d53-bba6-569135228642"
RULE = "definitions/cosell/referral-opportunity.map.yaml"


def _change(field: str, old: object, new: object, *, at: int = 0, **more: object) -> Change:
    values = {
        "run_id": f"run-{at}", "flow": "partner-center-to-salesforce", "flow_hash": "abc",
        "mapping": "referral-opportunity", "left_id": REFERRAL, "right_id": DEAL, "record_id": DEAL,
        "system": "salesforce", "object": "Opportunity", "operation": "update",
        "rule_file": RULE, "rule_line": 17, "at": NOON + timedelta(minutes=at), **more,
    }  # fmt: skip
    return Change(field=field, old=old, new=new, **values)  # type: ignore[arg-type]


@pytest.fixture
def known(remember: Remember) -> None:
    """A linked deal whose amount was written three times, in both systems."""

    async def work(ledger: Ledger) -> None:
        await ledger.links.save(
            Link(
                mapping="referral-opportunity",
                left_id=REFERRAL,
                right_id=DEAL,
                base_left={"details.notes": "hello"},
                base_right={"details.notes": "hello"},
            )
        )
        await ledger.history.record([
            _change("Amount", None, 5, at=1),
            _change("details.dealValue", 5, 7, at=2, system="partner_center", object="Referral",
                    record_id=REFERRAL, flow="opportunity-to-partner-center"),
            _change("Amount", 8, 9, at=3, loses=8),
        ])  # fmt: skip

    remember(work)


def test_the_story_begins_with_what_was_last(cosell: Cosell, known: None) -> None:
    """`show` is newest first."""
    changes = cosell("--json", "records", "show", DEAL).json["changes"]

    assert [one["new"] for one in changes] == [9, 7, 5]


def test_explain_knows_what_a_step_wrote(cosell: Cosell, remember: Remember) -> None:
    """A field that no row carries, such as the sales team, has the step of its flow for a rule."""

    async def work(ledger: Ledger) -> None:
        await ledger.history.record([
            _change("team", [], ["a"], system="partner_center", object="Referral", record_id=REFERRAL,
                    rule_file="definitions/cosell/people-of-a-deal.flow.yaml", rule_line=9),
        ])  # fmt: skip

    remember(work)

    told = cosell("--json", "records", "explain", DEAL, "team").json

    assert told["rule"] == {"file": "definitions/cosell/people-of-a-deal.flow.yaml", "line": 9}


def test_explain_shows_both_directions(cosell: Cosell, known: None) -> None:
    """What was written into either system, numbered, newest first."""
    changes = cosell("--json", "records", "explain", DEAL, "Deal value").json["changes"]

    assert [(one["number"], one["system"], one["new"]) for one in changes] == [
        (1, "salesforce", 9), (2, "partner_center", 7), (3, "salesforce", 5),
    ]  # fmt: skip


def test_explain_in_json_names_rule_and_loser(cosell: Cosell, known: None) -> None:
    """For scripts: the run, the flow's version, the rule, what lost."""
    newest = cosell("--json", "records", "explain", DEAL, "Amount").json["changes"][0]

    assert (newest["run_id"], newest["flow_version"], newest["rule"], newest["loses"]) == (
        "run-3", "abc", {"file": RULE, "line": 17}, 8,
    )  # fmt: skip


def test_a_field_that_was_never_written_is_explained_too(cosell: Cosell, known: None) -> None:
    """Both sides agreed from the beginning."""
    said = cosell("records", "explain", REFERRAL, "Notes")

    assert (said.code, "has never written Notes" in said.out, "hello" in said.out) == (
        0, True, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("show", "006000000000009AAA"), 1, "knows no record"),
        (("show", "4111fffc-f9ee-4d53-bba6-569135228643"), 1, f"did you mean '{REFERRAL}'?"),
        (("explain", DEAL, "Amuont"), 1, "did you mean 'Amount'?"),
        (("explain", DEAL), 2, "FIELD"),
        (("restore", DEAL, "Notes", "--yes"), 1, "has never written Notes"),
        (("restore", DEAL, "Amount", "--to", "9", "--yes"), 1, "there is no value 9"),
        (("restore", DEAL, "Amount", "--to", "nope", "--yes"), 1, "these did: run-3"),
        (("list", "--state", "lost"), 2, "lost"),
    ],
)
def test_wrong_usage(
    cosell: Cosell, known: None, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """A sentence, and the exit code of a question asked wrongly or of a no."""
    said = cosell("records", *arguments)

    assert (said.code, told in said.err) == (code, True), said.err
