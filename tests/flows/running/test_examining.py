"""What was seen in a project's documents is seen once, as long as they are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosell_flows.project import init_project, read_documents
from cosell_flows.running.examining import EXAMINATIONS, KEPT, Examination

FLOW = "definitions/cosell/create-referral.flow.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The shipped solution."""
    init_project(tmp_path)
    return tmp_path


def examined(root: Path) -> Examination:
    """What is known of the project as it is now."""
    return EXAMINATIONS.of(root, read_documents(root))


def test_a_project_that_did_not_change_is_examined_once(root: Path) -> None:
    """Every run opens it anew, and finds what the first one saw."""
    assert examined(root).flow("create-referral") is examined(root).flow("create-referral")


@pytest.mark.parametrize(
    "file", [FLOW, "env/cosell/variables.yaml", "connectors/salesforce/connector.yaml"]
)
def test_after_any_edit_it_is_examined_anew(root: Path, file: str) -> None:
    """Whatever file it was."""
    before = examined(root)
    (root / file).write_text((root / file).read_text("utf-8") + "# edited\n", "utf-8")

    assert examined(root) is not before


def test_with_problems_it_is_always_examined_anew(root: Path) -> None:
    """Then what is seen comes from the files themselves."""
    (root / FLOW).write_text("flow: v1\n", "utf-8")

    assert examined(root) is not examined(root)


def test_only_the_latest_are_kept(root: Path) -> None:
    """A process that serves for months does not keep every state of its project."""
    before = examined(root)
    text = (root / FLOW).read_text("utf-8")
    for number in range(KEPT):
        (root / FLOW).write_text(f"{text}# {number}\n", "utf-8")
        examined(root)
    (root / FLOW).write_text(text, "utf-8")

    assert examined(root) is not before
