"""`cosell promote` and `cosell upgrade`, as a person runs them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import Cosell, edit


@pytest.fixture(autouse=True)
def environments(project: Path, cosell: Cosell) -> None:
    """A staging environment with a stage of its own, and a production without."""
    for name in ("staging", "production"):
        shutil.copyfile(project / "env/sandbox.yaml", project / f"env/{name}.yaml")
    cosell("--env", "staging", "env", "set", "ACTIVE_STAGE", "In Progress")


def test_what_differs_is_shown_before_anything_is_written(project: Path, cosell: Cosell) -> None:
    """C-3: the difference first."""
    before = (project / "env/production.yaml").read_text("utf-8")

    said = cosell("promote", "staging", "production")

    assert (said.code, "ACTIVE_STAGE: Qualification → In Progress" in said.out) == (0, True)
    assert (project / "env/production.yaml").read_text("utf-8") == before


def test_values_are_promoted(cosell: Cosell) -> None:
    """With --apply, the one environment says what the other says."""
    said = cosell("--json", "promote", "staging", "production", "--apply")

    assert (said.json["applied"], [one["new"] for one in said.json["changes"]]) == (
        True,
        ["In Progress"],
    )
    assert cosell("--json", "promote", "staging", "production").json["changes"] == []


def test_a_value_goes_back_to_the_default(project: Path, cosell: Cosell) -> None:
    """What is a default in the one becomes the default in the other: the line goes."""
    cosell("promote", "production", "staging", "--apply")

    assert "ACTIVE_STAGE" not in (project / "env/staging.yaml").read_text("utf-8")


def test_only_what_is_named_is_promoted(cosell: Cosell) -> None:
    """--only leaves the other variables alone."""
    cosell("--env", "staging", "env", "set", "ON_HOLD_STAGE", "Parked")

    cosell("promote", "staging", "production", "--only", "ON_HOLD_STAGE", "--apply")

    left = cosell("--json", "promote", "staging", "production").json["changes"]
    assert [one["name"] for one in left] == ["ACTIVE_STAGE"]


def test_overlays_go_along(project: Path, cosell: Cosell) -> None:
    """A customer's change of a flow is tried in staging, and promoted with the values."""
    overlay = project / "overlays/staging/mine.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("overlay: v1\nflow: create-referral\nset: { timeout: 5m }\n", "utf-8")

    cosell("promote", "staging", "production", "--apply")

    copied = project / "overlays/production/mine.yaml"
    assert copied.read_text("utf-8") == overlay.read_text("utf-8")


def test_an_unknown_environment_is_named(cosell: Cosell) -> None:
    """A slip in a name is told with the name that was meant."""
    said = cosell("promote", "staging", "producton")

    assert (said.code, "did you mean 'production'?" in said.err) == (2, True)


def test_upgrade_says_what_clashes(project: Path, cosell: Cosell) -> None:
    """Where both changed the same step, both are shown, the exit code is 1, and nothing is lost."""
    file = "definitions/cosell/create-referral.flow.yaml"
    step = "when: steps.read.output.opportunity is none"
    edit(project, f".shipped/{file}", step, f"{step} # older")
    edit(project, file, step, f"{step} # mine")

    said = cosell("upgrade", "--apply")

    assert (said.code, "# mine" in said.err, "hint:" in said.err) == (1, True, True)
    assert "# mine" in (project / file).read_text("utf-8")


def test_a_project_of_this_version_needs_no_upgrade(cosell: Cosell) -> None:
    """A new project is of this version."""
    assert cosell("--json", "upgrade").json == {"files": [], "applied": False}


def test_an_overlay_changes_one_environment_only(project: Path, cosell: Cosell) -> None:
    """The flow is as shipped where there is no overlay."""
    overlay = project / "overlays/staging/mine.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("overlay: v1\nflow: create-referral\nsteps: { nowhere: { remove: true } }\n")

    said = cosell("--json", "check")

    assert [(one["code"], one["file"], one["line"]) for one in said.json["problems"]] == [
        ("O011", "overlays/staging/mine.yaml", 3)
    ]
