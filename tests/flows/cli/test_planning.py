"""`cosell plan` and `cosell apply`: what is refused before anything is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cosell


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "is not JSON"),
        ("[]", "is not a plan"),
        ('{"plan_id": "x", "braked": false, "changes": []}', "is not a plan"),
        ('{"plan": "v9", "digest": "x"}', "this cosell knows v1"),
        ('{"plan": "v1", "digest": "x"}', "was altered"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(
    cosell: Cosell, tmp_path: Path, text: str, told: str
) -> None:
    """With exit 1, in a sentence."""
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")

    said = cosell("apply", str(file))

    assert (said.code, told in said.err, "hint:" in said.err) == (1, True, True), said.err


def test_a_file_that_is_not_there(cosell: Cosell) -> None:
    """Wrong usage, and how plans are made."""
    said = cosell("apply", "nowhere.json")

    assert (said.code, "cosell plan FLOW --out FILE" in said.err) == (2, True)


def test_a_plan_of_a_flow_that_is_not_there(cosell: Cosell) -> None:
    """The flow that was meant is named."""
    said = cosell("plan", "opportunity-to-partner-centre")

    assert (said.code, "did you mean 'opportunity-to-partner-center'?" in said.err) == (2, True)


@pytest.mark.parametrize("command", ["plan", "apply", "run", "records", "letters", "events"])
def test_help_teaches_with_examples(cosell: Cosell, command: str) -> None:
    """Each command's help shows how it is called."""
    said = cosell(command, "--help")

    assert f"  cosell {command} " in said.out, said.out
