"""Whatever goes wrong, a script that asked for JSON gets one document."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cosell


@pytest.mark.parametrize(
    "words",
    [
        ("bogus",),
        ("explain",),
        ("env",),
        ("run", "customize-salesforce", "--bogus"),
        ("check", "--format", "bogus"),
        ("sandbox", "--salesforce-port", "x"),
        ("serve", "--port", "99999"),
        (),
    ],
)
def test_wrong_usage_is_one_json_document_too(cosell: Cosell, words: tuple[str, ...]) -> None:
    """A command line that cannot be read answers `--json` with a document that says why."""
    said = cosell("--json", *words)

    assert (said.code, set(said.json)) == (2, {"error", "problems"})
    assert said.json["error"]["message"]
    assert "--help" in said.json["error"]["hint"]


def test_an_unknown_option_before_the_command_is_one_json_document(cosell: Cosell) -> None:
    """So does a slip before the command, where the words themselves are not yet understood."""
    said = cosell("--json", "--bogus", "flows")

    assert (said.code, "--bogus" in said.json["error"]["message"]) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("flows", "--json"),
        ("flows", "--env", "sandbox", "--json"),
        ("flows", "--json", "--env=sandbox", "--debug"),
    ],
)
def test_what_is_for_every_command_may_follow_it(cosell: Cosell, words: tuple[str, ...]) -> None:
    """People write it there."""
    said = cosell(*words)

    assert (said.code, set(said.json)) == (0, {"flows"})


def test_an_option_whose_value_is_missing_is_named(cosell: Cosell) -> None:
    """It does not take the command for its value."""
    said = cosell("flows", "--env")

    assert (said.code, "'--env' requires an argument" in said.err) == (2, True)


def test_without_json_standard_output_stays_empty(cosell: Cosell) -> None:
    """Who did not ask for JSON reads the sentence on standard error alone."""
    said = cosell("explain")

    assert (said.code, said.out, "Missing argument" in said.err) == (2, "", True)


@pytest.mark.parametrize(
    "words",
    [
        ("flows",),
        ("show", "create-referral"),
        ("check",),
        ("test", "definitions/cosell/create-referral.test.yaml"),
        ("run", "webhook-registration", "--local"),
        ("plan", "webhook-registration"),
        ("on", "--all"),
        ("off", "--all"),
        ("env", "list"),
        ("connections", "list"),
        ("records", "list"),
        ("letters", "list"),
        ("events", "list"),
        ("doctor",),
        ("setup", "salesforce"),
        ("serve", "--port", "0"),
    ],
)
def test_an_environment_that_is_not_there_is_named(cosell: Cosell, words: tuple[str, ...]) -> None:
    """Whoever mistypes an environment is told so, and does not hear of another one."""
    said = cosell("--json", "--env", "sandbx", *words)

    assert (said.code, said.json["error"]["hint"]) == (2, "did you mean 'sandbox'?")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-01T08:00:00", "2026-01-01T08:00:00+00:00"),
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T08:00:00+02:00", "2026-01-01T08:00:00+02:00"),
    ],
)
def test_a_moment_without_a_zone_is_in_utc(
    project: Path, cosell: Cosell, given: str, kept: str
) -> None:
    """As the filter `datetime` reads it; a zone that is said stays."""
    (project / "definitions" / "cosell" / "when.flow.yaml").write_text(
        "flow: v1\nid: when\nname: When\ninputs: { at: { type: datetime } }\n"
        'steps: [ { id: say, set: { at: "{{ inputs.at }}" } } ]\n'
        'outputs: { at: { type: datetime, value: "{{ steps.say.output.at }}" } }\n'
    )

    said = cosell("--json", "run", "when", "--local", "-i", f"at={given}")

    assert (said.code, said.json["outputs"]) == (0, {"at": kept})
