"""`cosell fmt`: what it changes, what it only lists, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cosell_definitions.problems import Place
from cosell_flows.cli.main import answer
from cosell_flows.project import read_documents

from .conftest import Cosell

FLOW = "definitions/cosell/leads-to-partner-center.flow.yaml"
MESSY = b"environment: v1   \nvariables:\n     ON_HOLD_STAGE:   Prospecting # why\n\n\n\n"
TIDY = b"environment: v1\nvariables:\n  ON_HOLD_STAGE: Prospecting # why\n"


def test_a_new_project_is_in_canonical_form(cosell: Cosell) -> None:
    """Nothing is to be done in a project as it was made."""
    said = cosell("--json", "fmt", "--check")

    assert (said.code, said.json["changed"], said.json["problems"]) == (0, [], [])


def test_a_file_is_laid_out(project: Path, cosell: Cosell) -> None:
    """The file is written anew, with its comments, and named."""
    path = project / "env/staging.yaml"
    path.write_bytes(MESSY)

    said = cosell("--json", "fmt")

    assert (said.code, said.json["changed"]) == (0, ["env/staging.yaml"])
    assert path.read_bytes() == TIDY


def test_check_changes_nothing_and_ends_with_one(project: Path, cosell: Cosell) -> None:
    """In a pipeline the form is asked for, not made."""
    path = project / "env/staging.yaml"
    path.write_bytes(MESSY)

    said = cosell("fmt", "--check")

    assert said.code == 1
    assert "env/staging.yaml: would change" in said.out
    assert path.read_bytes() == MESSY


def test_the_rights_of_a_file_stay(project: Path, cosell: Cosell) -> None:
    """A file that only its owner may read stays so, and nothing else is left behind."""
    path = project / "env/staging.yaml"
    path.write_bytes(MESSY)
    path.chmod(0o600)

    cosell("fmt", str(path))

    assert path.stat().st_mode & 0o777 == 0o600
    assert [it.name for it in path.parent.iterdir() if it.name.startswith(".")] == []


def test_a_link_stays_a_link(project: Path, tmp_path: Path, cosell: Cosell) -> None:
    """What a link leads to is laid out; the link is not replaced by a file."""
    target = tmp_path / "elsewhere.yaml"
    target.write_bytes(MESSY)
    link = project / "env/staging.yaml"
    link.symlink_to(target)

    cosell("fmt")

    assert link.is_symlink()
    assert target.read_bytes() == TIDY


def test_a_file_that_cannot_be_read_is_told_of_and_left(project: Path, cosell: Cosell) -> None:
    """Its problem is shown as the check shows it, and the other files are laid out."""
    broken, fine = project / "env/broken.yaml", project / "env/staging.yaml"
    broken.write_bytes(b"environment: v1\nvariables: { A: 'b }\n")
    fine.write_bytes(MESSY)

    said = cosell("--json", "fmt")

    assert said.code == 1
    assert [(it["code"], it["line"]) for it in said.json["problems"]] == [("Y010", 2)]
    assert broken.read_bytes() == b"environment: v1\nvariables: { A: 'b }\n"
    assert fine.read_bytes() == TIDY


def test_without_fix_slips_are_left(project: Path, cosell: Cosell) -> None:
    """Slips are mended on request only."""
    path = project / "env/staging.yaml"
    path.write_bytes(b"environment: v1\nvariables:\n\tA: {{ b }}\n")

    said = cosell("--json", "fmt", str(path))

    assert (said.code, {it["code"] for it in said.json["problems"]}) == (1, {"Y001", "Y004"})


def test_fix_mends_and_lays_out(project: Path, cosell: Cosell) -> None:
    """Braces get their quotes, bare expressions lose their braces, tabs become spaces."""
    path = project / FLOW
    sound = path.read_text("utf-8")
    slips = sound.replace(
        "steps:\n", 'steps:\n  - id: wait_a_bit\n\t\twhen: "{{ 1 == 1 }}"\n\t\twait: 1s\n', 1
    )
    path.write_text(slips, "utf-8")

    said = cosell("fmt", "--fix", str(path))

    assert said.code == 0
    added = "steps:\n  - id: wait_a_bit\n    when: 1 == 1\n    wait: 1s\n"
    assert path.read_text("utf-8") == sound.replace("steps:\n", added, 1)


def test_fix_does_what_it_can(project: Path, cosell: Cosell) -> None:
    """Where something is left to do, the rest is mended all the same."""
    path = project / "env/staging.yaml"
    path.write_bytes(b"environment: v1\nvariables:\n  A: {{ b }}\n  A: c\n")

    said = cosell("--json", "fmt", "--fix", str(path))

    assert (said.code, [it["code"] for it in said.json["problems"]]) == (1, ["Y002"])
    assert path.read_bytes() == b'environment: v1\nvariables:\n  A: "{{ b }}"\n  A: c\n'


def test_a_file_outside_of_a_project_is_laid_out(tmp_path: Path) -> None:
    """A file that is named needs no project around it."""
    path = tmp_path / "a.yaml"
    path.write_bytes(MESSY)

    assert answer(["--project", str(tmp_path), "fmt", str(path)]) == 0
    assert path.read_bytes() == TIDY


def test_a_path_that_is_not_there_is_wrong_usage(cosell: Cosell) -> None:
    """A name that was mistyped is said, not passed over."""
    assert cosell("fmt", "nowhere.yaml").code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="this user may write everywhere")
def test_a_file_that_may_not_be_written_is_told_of(project: Path, cosell: Cosell) -> None:
    """Without the right to write, the file is named."""
    path = project / "env/staging.yaml"
    path.write_bytes(MESSY)
    path.parent.chmod(0o500)

    said = cosell("fmt")

    path.parent.chmod(0o700)
    assert said.code == 1
    assert "env/staging.yaml cannot be written" in said.err


def bare(value: Any) -> Any:
    """A parsed value without the places and digests that a layout changes."""
    if isinstance(value, Place):
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = {"content_hash", "turns"}
        fields = [one.name for one in dataclasses.fields(value) if one.name not in own]
        return type(value).__name__, [(name, bare(getattr(value, name))) for name in fields]
    if isinstance(value, Mapping):
        return [(name, bare(one)) for name, one in value.items()]
    if isinstance(value, list | tuple):
        return [bare(one) for one in value]
    return value


def test_what_a_project_means_is_the_same_before_and_after(project: Path, cosell: Cosell) -> None:
    """Flows, mappings, connectors and values are parsed to the same objects in any layout."""

    def meaning() -> object:
        read = read_documents(project)
        assert read.problems == ()
        return bare([read.flows, read.mappings, read.connectors, read.environments])

    for path in [*project.glob("definitions/cosell/*.yaml"), *project.glob("connectors/*/*.yaml")]:
        text = path.read_text("utf-8").replace("{ ", "{").replace(" }", "}").replace(", ", ",   ")
        path.write_text(text.replace(":\n", ":   # here\n\n\n"), "utf-8")
    before = meaning()

    said = cosell("--json", "fmt")

    assert len(said.json["changed"]) >= 10
    assert meaning() == before
