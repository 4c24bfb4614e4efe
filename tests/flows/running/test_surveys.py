"""A project without a problem is not looked at twice, and whatever could change that is noticed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cosell_definitions.problems import Place, Problem
from cosell_flows.running.surveys import Seal, Survey

CLEAN = Survey(problems=(), files=("definitions/a.flow.yaml",))
FLOW = "definitions/a.flow.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that was checked and had no problem."""
    (tmp_path / "definitions").mkdir()
    (tmp_path / FLOW).write_text("flow: v1\n", "utf-8")
    time.sleep(0.15)
    Seal(tmp_path).put(CLEAN)
    return tmp_path


def test_what_had_no_problem_is_known(root: Path) -> None:
    """The files are told, as the first check told them."""
    assert Seal(root).unbroken() == CLEAN


def _edit(root: Path) -> None:
    (root / FLOW).write_text("flow: v2\n", "utf-8")


def _edit_and_set_the_time_back(root: Path) -> None:
    before = (root / FLOW).stat()
    _edit(root)
    os.utime(root / FLOW, ns=(before.st_atime_ns, before.st_mtime_ns))


def _add(root: Path) -> None:
    (root / "definitions" / "b.flow.yaml").write_text("", "utf-8")


def _add_where_nobody_looks(root: Path) -> None:
    (root / "definitions" / ".drafts").mkdir()
    (root / "definitions" / ".drafts" / "b.flow.yaml").write_text("", "utf-8")


def _rename(root: Path) -> None:
    (root / FLOW).rename(root / "definitions" / "c.flow.yaml")


def _link(root: Path) -> None:
    (root / "definitions" / "more").symlink_to(root.parent)


def _garble(root: Path) -> None:
    (root / ".cosell" / "checked.json").write_text("[", "utf-8")


@pytest.mark.parametrize(
    "change",
    [_edit, _edit_and_set_the_time_back, _add, _add_where_nobody_looks, _rename, _link, _garble],
)
def test_a_change_breaks_the_seal(root: Path, change: Callable[[Path], None]) -> None:
    """An edit of equal length, a time set back, a new file, a link: all is looked at again."""
    change(root)

    assert Seal(root).unbroken() is None


def test_a_problem_is_never_kept(root: Path) -> None:
    """Only *no problem* is; problems are found and shown anew each time."""
    slip = Problem(code="F001", place=Place(file=FLOW), message="a slip")
    (root / ".cosell" / "checked.json").unlink()
    Seal(root).put(Survey(problems=(slip,), files=CLEAN.files))

    assert Seal(root).unbroken() is None


def test_what_is_being_written_is_not_trusted(root: Path) -> None:
    """Another write in the same tick of the clock would not be seen."""
    _edit(root)
    Seal(root).put(CLEAN)

    assert Seal(root).unbroken() is None
