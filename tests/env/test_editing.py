"""Write a current value into an environment file, leaving everything else as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosell_definitions.parsing import load_environment, load_variables
from cosell_definitions.problems import Unsound
from cosell_definitions.settings import Declaration
from cosell_env.editing import edited, set_variable

DECLARED = """\
variables: v1
declare:
  STAGE: { display_name: Stage, type: stage, default: Prospecting }
  SYNC_ONLY: { display_name: Sync only, type: boolean, default: "Yes" }
"""

FILE = """\
# Ours
environment: v1  # the first


variables:   # what differs
    OTHER: x # kept
    STAGE: "On hold"   # said Anna, 2026

# Where we go
connections:
  salesforce:
    hosts:
    - a
    client_secret: {from_env: X}   # rotated in May
"""


def change(text: str, value: str, name: str = "STAGE") -> str:
    return edited(text, name, value, file="env/staging.yaml")


def declaration(name: str) -> Declaration:
    found, _ = load_variables(DECLARED, file="env/cosell/variables.yaml")
    assert found is not None
    return next(one for one in found if one.name == name)


def test_only_the_value_changes() -> None:
    """One value is replaced; no comment, space or quote beside it is touched."""
    assert change(FILE, "Parked") == FILE.replace('"On hold"', "Parked")


def test_a_new_value_goes_below_the_last() -> None:
    """A variable that had no current value gets a line of its own, indented as its neighbours."""
    line = '    STAGE: "On hold"   # said Anna, 2026\n'

    assert change(FILE, "No", "SYNC_ONLY") == FILE.replace(line, f"{line}    SYNC_ONLY: No\n")


HEAD = "# Current values of this environment, and what its connections are bound to.\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{HEAD}environment: v1\nvariables:\n  STAGE: x\n"),
        ("environment: v1\n", "environment: v1\nvariables:\n  STAGE: x\n"),
        ("environment: v1", "environment: v1\nvariables:\n  STAGE: x"),
        (
            "environment: v1\nvariables: {} # none\n",
            "environment: v1\nvariables: # none\n  STAGE: x\n",
        ),
        (
            "environment: v1\nvariables: {A: b}\n",
            "environment: v1\nvariables: {A: b, STAGE: x}\n",
        ),
        (
            "environment: v1\nvariables: {STAGE: b, C: d}\n",
            "environment: v1\nvariables: {STAGE: x, C: d}\n",
        ),
        (
            "\ufeffenvironment: v1\r\nvariables:\r\n  STAGE: b\r\n",
            "\ufeffenvironment: v1\r\nvariables:\r\n  STAGE: x\r\n",
        ),
    ],
    ids=["no file", "no variables", "no line end", "empty", "braces", "in braces", "Windows"],
)
def test_any_way_of_writing_is_kept(before: str, after: str) -> None:
    """Braces stay braces, line ends stay line ends, a missing block is made."""
    assert change(before, "x") == after


def test_a_value_over_several_lines_is_replaced_whole() -> None:
    """A block of text makes way for the new value, and what follows stays."""
    text = "environment: v1\nvariables:\n  STAGE: |\n    On\n    hold\n  OTHER: y # kept\n"

    after = change(text, "x")

    assert ("hold" in after, after.endswith("x\n  OTHER: y # kept\n")) == (False, True)


@pytest.mark.parametrize(
    "value",
    ["No", "006", "+39", "a: b", "{{ x }}", "x # y", " x ", 'say "x"', "it's", "✔", "null", "a\nb"],
)
def test_what_is_written_reads_back(value: str) -> None:
    """Whatever the value looks like, it is the same text when it is read."""
    file, _ = load_environment(change(FILE, value), file="env/staging.yaml")

    assert file is not None
    assert file.variables["STAGE"][0] == value


def test_a_value_of_the_wrong_type_is_not_written(tmp_path: Path) -> None:
    """The file is as it was when the value does not fit."""
    path = tmp_path / "staging.yaml"
    path.write_text(FILE)

    with pytest.raises(Unsound, match="Yes or No is needed"):
        set_variable(path, "SYNC_ONLY", "Perhaps", declaration("SYNC_ONLY"))

    assert path.read_text() == FILE


def test_a_file_with_problems_is_not_touched(tmp_path: Path) -> None:
    """What cannot be read is not written over."""
    path = tmp_path / "staging.yaml"
    path.write_text("environment: v1\nvariables:\n  A: x\n  A: y\n")

    with pytest.raises(Unsound):
        set_variable(path, "SYNC_ONLY", "No", declaration("SYNC_ONLY"))

    assert path.read_text().count("A:") == 2


def test_a_missing_file_is_made(tmp_path: Path) -> None:
    """Setting the first value of an environment makes its file."""
    path = tmp_path / "env" / "staging.yaml"

    set_variable(path, "SYNC_ONLY", "No", declaration("SYNC_ONLY"))

    assert path.read_text().endswith("variables:\n  SYNC_ONLY: No\n")


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The file is replaced in one step, and no half of it lies beside it."""
    path = tmp_path / "staging.yaml"
    path.write_text(FILE)
    path.chmod(0o640)

    set_variable(path, "STAGE", "Parked", declaration("STAGE"))

    assert ([one.name for one in tmp_path.iterdir()], path.stat().st_mode & 0o777) == (
        ["staging.yaml"],
        0o640,
    )
