"""The flow by which the language is explained: the shipped solution takes it in place of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cosell_flows.cli.main import answer

LANGUAGE = Path(__file__).parents[2] / "examples" / "language"
REPLACED = "definitions/cosell/partner-center-to-salesforce"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project, in which the example stands for the shipped flow, with its own tests."""
    folder = tmp_path / "project"
    assert answer(["init", str(folder)]) == 0
    for kind in ("flow", "test"):
        shutil.copy(
            LANGUAGE / f"partner-center-to-salesforce.{kind}.yaml", folder / "definitions/cosell"
        )
    (folder / "definitions/own").mkdir()
    shutil.copy(LANGUAGE / "shapes.flow.yaml", folder / "definitions/own")
    return folder


def test_the_example_of_the_language_is_sound(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names operations, parameters and a child that are there; every settled shape, too."""
    capsys.readouterr()
    files = [f"{REPLACED}.flow.yaml", f"{REPLACED}.test.yaml", "definitions/own/shapes.flow.yaml"]

    code = answer(
        ["--project", str(project), "--json", "check", *(str(project / one) for one in files)]
    )

    assert (code, json.loads(capsys.readouterr().out)["problems"]) == (0, [])


def test_the_example_of_the_language_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event names a referral; it alone is read, and what changed of it is written, at the second try."""
    capsys.readouterr()

    code = answer(
        ["--project", str(project), "--json", "test", str(project / f"{REPLACED}.test.yaml")]
    )

    told = json.loads(capsys.readouterr().out)
    assert (code, told["passed"], told["failed"]) == (0, 1, 0)
