"""`cosell schema`: what it lists, prints and writes, and that the files of a project find it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cosell_definitions.shaping import LETTERS
from cosell_flows.cli.main import answer

from .conftest import Cosell

HOUSE = Path(__file__).parents[3]
LINE = re.compile(r"^# yaml-language-server: \$schema=(.+)$", re.MULTILINE)


def test_without_a_kind_the_kinds_are_listed(cosell: Cosell) -> None:
    """One line for each kind of file."""
    listed = cosell("--json", "schema").json["kinds"]

    assert {one["kind"] for one in listed} == set(LETTERS)


@pytest.mark.parametrize("kind", LETTERS)
def test_every_schema_is_one(cosell: Cosell, kind: str) -> None:
    """Standard output holds a JSON Schema and nothing else."""
    said = cosell("schema", kind)

    Draft202012Validator.check_schema(said.json)
    assert said.code == 0


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"id": "z", "wiat": "1s"}, "Additional properties are not allowed ('wiat' was unexpected)"),
        ({"id": "z", "wait": "1s", "tmeout": "1s"},
         "Additional properties are not allowed ('tmeout' was unexpected)"),
        ({"id": "z", "foreach": "inputs.x", "as": "x", "concurrency": "many",
          "steps": [{"id": "y", "wait": "1s"}]},
         "'many' is not of type 'integer'"),
        ({"id": "z", "wait": "1s"}, None),
    ],
)  # fmt: skip
def test_a_slip_deep_inside_is_told_as_what_it_is(
    cosell: Cosell, step: dict[str, object], said: str | None
) -> None:
    """A standard validator follows the keywords of the steps, and says one thing of one slip."""
    for level in range(12):
        step = {"id": f"s{level}", "foreach": "inputs.x", "as": "x", "steps": [step]}
    flow = {"flow": "v1", "id": "deep", "name": "Deep", "steps": [step]}

    found = list(Draft202012Validator(cosell("schema", "flow").json).iter_errors(flow))

    assert [one.message for one in found] == ([said] if said else [])


def test_a_new_operation_is_in_the_schema(cosell: Cosell, project: Path) -> None:
    """What the project has is named: here, an operation of a connector of one's own."""
    cosell("new", "connector", "parcels")

    flow = json.dumps(cosell("schema", "flow").json)

    assert "parcels.change_item" in flow
    assert "Names and new values." in flow


def test_fields_that_a_connector_declares_are_offered(cosell: Cosell) -> None:
    """Also those that no mapping names yet."""
    schema = cosell("schema", "mapping").json

    assert '"customerProfile.address.city"' in json.dumps(schema["$defs"]["field"]["properties"])


def test_schemas_are_written_where_the_files_look(cosell: Cosell, tmp_path: Path) -> None:
    """All kinds, or the one that was asked for."""
    everything = cosell("--json", "schema", "--out", str(tmp_path / "all")).json["files"]
    cosell("schema", "flow", "--out", str(tmp_path / "one"))

    assert len(everything) == len(LETTERS)
    assert [it.name for it in (tmp_path / "one").iterdir()] == ["flow.v1.json"]


def test_an_unknown_kind_is_wrong_usage(cosell: Cosell) -> None:
    """With the one that was probably meant."""
    said = cosell("schema", "flwo")

    assert (said.code, "did you mean 'flow'?" in said.err) == (2, True)


def test_every_file_of_a_new_project_finds_its_schema(tmp_path: Path) -> None:
    """Whoever opens a file in an editor has names completed at once."""
    folder = tmp_path / "project"
    answer(["--json", "init", str(folder)])
    files = [it for it in folder.rglob("*.yaml") if ".shipped" not in it.parts]

    lost = [it for it in files if not _finds(it)]

    assert files
    assert lost == []


def test_every_shipped_file_finds_its_schema() -> None:
    """In a clone as well: this repository is the first example project."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    listed = subprocess.run(
        ["git", "ls-files", "definitions/*.yaml", "connectors/*.yaml", "env/*.yaml"],
        cwd=HOUSE, check=False, capture_output=True, text=True,
    )  # fmt: skip
    named = [it for it in listed.stdout.split() if "cosell_" not in it]

    assert [it for it in named if not _finds(HOUSE / it)] == []


def _finds(path: Path) -> bool:
    line = LINE.search(path.read_text("utf-8"))
    return line is not None and (path.parent / line[1]).is_file()
