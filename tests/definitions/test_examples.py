"""Whole documents: the sound ones pass, and each unsound one is told exactly what is wrong with it."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from cosell_definitions.problems import Problem
from cosell_flows.running.surveying import survey

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SOUND = sorted(EXAMPLES.glob("sound/*.yaml"))
UNSOUND = sorted(EXAMPLES.glob("unsound/*.yaml"))
PLACES = {
    "flow": "definitions/d/{}.flow.yaml",
    "map": "definitions/d/{}.map.yaml",
    "test": "definitions/d/{}.test.yaml",
    "connector": "connectors/{}/connector.yaml",
    "variables": "env/{}/variables.yaml",
    "env": "env/{}.yaml",
    "overlay": "overlays/sandbox/{}.yaml",
}
EXPECTED = re.compile(r"^# ([A-Z]\d{3} \d+:\d+.*)$", re.MULTILINE)


def problems_of(path: Path, project: Path) -> list[Problem]:
    """All problems of the project of the examples with one more document in it."""
    name, kind, _ = path.name.split(".")
    shutil.copytree(EXAMPLES / "project", project)
    target = project / PLACES[kind].format(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(path.read_bytes())
    file = target.relative_to(project).as_posix()
    found = survey(project).problems
    assert [str(it) for it in found if it.place.file != file] == []
    return list(found)


@pytest.mark.parametrize("path", SOUND, ids=lambda it: it.name)
def test_a_sound_document_has_no_problem(path: Path, tmp_path: Path) -> None:
    """Neither errors nor warnings."""
    assert [f"{it} ({it.hint})" for it in problems_of(path, tmp_path / "p")] == []


@pytest.mark.parametrize("path", UNSOUND, ids=lambda it: it.name)
def test_an_unsound_document_is_told_all_at_once(path: Path, tmp_path: Path) -> None:
    """Every problem with its code, place and hint; and none that only follows from another."""
    found = [
        f"{it.code} {it.place.line}:{it.place.column} {it.hint or ''}".rstrip()
        for it in problems_of(path, tmp_path / "p")
    ]

    assert found == EXPECTED.findall(path.read_text("utf-8"))


def test_there_are_enough_examples() -> None:
    """Of every kind of file, sound and unsound."""
    kinds = Counter(path.name.split(".")[1] for path in UNSOUND)

    assert (len(UNSOUND) >= 120, len(SOUND) >= 60) == (True, True)
    assert set(kinds) == set(PLACES) == {path.name.split(".")[1] for path in SOUND}


def test_every_example_is_unsound_in_a_way_of_its_own() -> None:
    """A name says which slip it is; none is there twice."""
    texts = Counter(EXPECTED.sub("", path.read_text("utf-8")) for path in UNSOUND)

    assert [text for text, count in texts.items() if count > 1] == []
