"""The example flows beside the connectors: sound in a project, and their own tests pass."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

CONNECTORS = Path(__file__).parents[3] / "connectors"
EXAMPLES = sorted(CONNECTORS.glob("*/*.flow.yaml"))
TESTED = sorted(CONNECTORS.glob("*/*.test.yaml"))


@pytest.fixture
def examples(project: Path) -> Path:
    """All examples, copied to where their first line says."""
    folder = project / "definitions" / "examples"
    folder.mkdir()
    for file in (*EXAMPLES, *TESTED):
        shutil.copy(file, folder)
    return folder


def test_the_examples_are_sound(cosell: Any, examples: Path) -> None:
    """Whoever copies one gets no problem with it."""
    done = cosell("check", str(examples))

    assert done.code == 0, done.out


def test_the_examples_pass_their_tests(cosell: Any, examples: Path) -> None:
    """Every case of every test beside them."""
    done = cosell("--json", "test", str(examples))

    assert (done.code, done.json["failed"]) == (0, 0), done.out
