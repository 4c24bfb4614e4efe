"""`cosell check --format sarif`: what code scanning reads, judged by the standard's own schema."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from .conftest import Cosell, edit

HOUSE = Path(__file__).resolve().parents[3]
PACKAGE = "pydantic-sarif==0.1.1"  # the models that a generator made of the OASIS schema
JUDGE = HOUSE / ".judges" / PACKAGE  # git ignores it
# Microsoft's own tool for such logs; of its package only the standard's schema is kept.
TOOL = "@microsoft/sarif-multitool-linux@5.7.0"
SCHEMA = HOUSE / ".judges" / "sarif-multitool-5.7.0" / "sarif-2.1.0.json"
MAP = "definitions/cosell/referral-opportunity.map.yaml"
VERDICT = """
import json, sys
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log
Log.model_validate(json.load(sys.stdin))
"""


@pytest.fixture(scope="session")
def judge() -> Path:
    """The folder of the models; installed once, where there is an index of packages."""
    if not (JUDGE / "pydantic_sarif").is_dir():
        installed = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--target",
                str(JUDGE),
                PACKAGE,
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if installed.returncode != 0:
            pytest.skip(f"{PACKAGE} cannot be installed here")
    return JUDGE


@pytest.fixture(scope="session")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The JSON Schema of SARIF 2.1.0, as Microsoft ships it."""
    if not SCHEMA.is_file():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed, so the schema of SARIF cannot be fetched")
        folder = tmp_path_factory.mktemp("sarif")
        packed = subprocess.run(
            ["npm", "pack", "--silent", TOOL],
            check=False,
            cwd=folder,
            capture_output=True,
            timeout=300,
        )
        if packed.returncode != 0:
            pytest.skip(f"{TOOL} cannot be fetched here")
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as opened:
            member = opened.extractfile("package/sarif-2.1.0.json")
            assert member is not None
            SCHEMA.parent.mkdir(parents=True, exist_ok=True)
            SCHEMA.write_bytes(member.read())
    return json.loads(SCHEMA.read_text("utf-8-sig"))


@pytest.fixture
def log(project: Path, cosell: Cosell) -> Any:
    """The log of a project with an error, a warning, and a file whose name has a blank."""
    edit(project, MAP, "mapping: v1", "mapping: v1\nmaping: 1")
    (project / "env/our own.yaml").write_text(
        "environment: v1\nconnections: { salesforce: { base_ulr: https://a.example } }\n", "utf-8"
    )
    said = cosell("check", "--format", "sarif")
    assert said.code == 1
    return json.loads(said.out)


def test_the_log_is_what_the_standard_asks_for(log: Any, judge: Path) -> None:
    """The schema of the standard, which bears no key that it does not know, finds nothing."""
    judged = subprocess.run(
        [sys.executable, "-c", VERDICT],
        input=json.dumps(log),
        env={"PYTHONPATH": str(judge)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (judged.returncode, judged.stderr) == (0, "")


@pytest.mark.long  # its package is forty megabytes
def test_the_standards_own_schema_finds_nothing(log: Any, standard: Any) -> None:
    """Word for word as the standard says it, without a generator in between."""
    found = validator_for(standard)(standard).iter_errors(log)

    assert [error.message for error in found] == []


def test_every_result_has_its_rule_its_level_and_its_place(log: Any) -> None:
    """What is shown in a pull request is what the check says."""
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]

    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("M001", "error"),
        ("V023", "warning"),
    ]
    assert [rules[one["ruleIndex"]] for one in run["results"]] == ["M001", "V023"]
    assert places[0]["region"] == {
        "startLine": places[0]["region"]["startLine"],
        "startColumn": 1,
        "endColumn": 7,
    }
    assert places[1]["artifactLocation"]["uri"].endswith("env/our%20own.yaml")
    assert run["columnKind"] == "unicodeCodePoints"


def test_files_are_named_from_the_checkout(
    project: Path, cosell: Cosell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project in a folder of a repository is found by code scanning."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    edit(project, MAP, "mapping: v1", "mapping: v1\nmaping: 1")

    log = json.loads(cosell("check", "--format", "sarif").out)

    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"{project.name}/{MAP}"


def test_a_sound_project_has_an_empty_log(cosell: Cosell) -> None:
    """Code scanning closes what it had open when nothing is reported."""
    said = cosell("check", "--format", "sarif")

    assert (said.code, json.loads(said.out)["runs"][0]["results"]) == (0, [])
