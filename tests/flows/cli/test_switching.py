"""`cosell on` and `cosell off`: children first, refused with the reason, remembered."""

from __future__ import annotations

from pathlib import Path

from .conftest import Cosell, edit

NINE = [
    "webhook-registration",
    "customize-salesforce",
    "create-referral",
    "referral-updates-to-salesforce",
    "partner-center-to-salesforce",
    "salesforce-to-partner-center",
    "opportunity-to-partner-center",
    "solutions-to-partner-center",
    "leads-to-partner-center",
]


def on(cosell: Cosell) -> list[str]:
    """The flows that are on."""
    return [one["id"] for one in cosell("--json", "flows").json["flows"] if one["on"]]


def test_all_are_turned_on_in_the_documented_order(cosell: Cosell) -> None:
    """C-5: the order of Microsoft's page, children first."""
    said = cosell("--json", "on", "--all")

    assert [one["id"] for one in said.json["flows"]][:9] == NINE
    assert all(one["on"] for one in said.json["flows"])


def test_a_parent_whose_child_is_off_is_refused(cosell: Cosell) -> None:
    """C-5: with the reason, and nothing is changed."""
    said = cosell("on", "create-referral")

    assert (said.code, "'create-referral' needs 'customize-salesforce'" in said.err) == (1, True)
    assert on(cosell) == []


def test_a_parent_named_with_its_child_goes_on(cosell: Cosell) -> None:
    """C-5: whatever the order in which they are named."""
    cosell("on", "create-referral", "customize-salesforce")

    assert on(cosell) == ["customize-salesforce", "create-referral"]


def test_a_child_that_is_needed_stays_on(cosell: Cosell) -> None:
    """C-5: turning off what another needs is refused."""
    cosell("on", "--all")

    said = cosell("off", "customize-salesforce")

    assert (said.code, "needs 'customize-salesforce'" in said.err) == (1, True)
    assert "customize-salesforce" in on(cosell)


def test_each_can_be_turned_off_again(cosell: Cosell) -> None:
    """C-5: one by one, or all."""
    cosell("on", "--all")
    cosell("off", "leads-to-partner-center")
    left = on(cosell)

    cosell("off", "--all")

    assert ("leads-to-partner-center" in left, on(cosell)) == (False, [])


def test_a_faulty_flow_is_not_turned_on(project: Path, cosell: Cosell) -> None:
    """What no run would begin is refused, with the place of the fault."""
    file = "definitions/cosell/leads-to-partner-center.flow.yaml"
    line = edit(project, file, "steps:", "stepps:")

    said = cosell("on", "leads-to-partner-center", "customize-salesforce")

    assert (said.code, f"{file}:{line}:" in said.err) == (1, True)


def test_a_flow_that_became_faulty_can_be_turned_off(project: Path, cosell: Cosell) -> None:
    """Stopping must always be possible."""
    cosell("on", "--all")
    edit(project, "definitions/cosell/leads-to-partner-center.flow.yaml", "steps:", "stepps:")

    said = cosell("--json", "off", "leads-to-partner-center")

    assert (said.code, said.json) == (
        0,
        {"flows": [{"id": "leads-to-partner-center", "on": False}]},
    )


def test_an_unknown_flow_is_wrong_usage(cosell: Cosell) -> None:
    """With the name that was meant."""
    said = cosell("on", "create-referal")

    assert (said.code, "did you mean 'create-referral'?" in said.err) == (2, True)


def test_no_name_is_wrong_usage(cosell: Cosell) -> None:
    """With the names there are."""
    assert (cosell("on").code, cosell("off").code) == (2, 2)


def test_a_flow_that_others_call_says_so_when_it_is_turned_off(cosell: Cosell) -> None:
    """Off means that nothing starts it; whoever calls it goes on calling it."""
    cosell("on", "--all")

    said = cosell("off", "people-of-a-deal")

    assert said.code == 0
    assert "people-of-a-deal is still called by create-referral" in said.err


def test_each_environment_has_its_own_ledger(project: Path, cosell: Cosell) -> None:
    """C-3: what is tried in staging moves nothing of production, nor of the sandbox."""
    (project / "env" / "staging.yaml").write_text("environment: v1\n", encoding="utf-8")
    cosell("--env", "staging", "on", "--all")

    assert on(cosell) == []
