"""An upgrade keeps what the customer changed, and says where both changed the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_flows.operating.blocks import blocks_of, merged
from cosell_flows.operating.upgrading import apply, drifted, upgrades
from cosell_flows.project import init_project, shipped, shipped_files

FILE = "definitions/cosell/partner-center-to-salesforce.flow.yaml"
BASE = """\
flow: v1
id: example
name: Example
timeout: 1h

steps:
  # what changed
  - id: first
    set: { a: 1 }
  - id: loop
    foreach: "[1, 2]"
    as: it
    steps:
      - id: inner # kept simple
        set: { b: 2 }
      - id: other
        set: { c: 3 }
  - id: last
    set: { d: 4 }
"""


def changed(text: str, before: str, after: str) -> str:
    assert before in text
    return text.replace(before, after, 1)


def both(ours: str, theirs: str) -> tuple[str, list[str]]:
    text, clashes = merged(BASE, ours, theirs, file="example.flow.yaml")
    return text, [one.name[-1] for one in clashes]


@pytest.mark.parametrize("file", shipped_files())
def test_blocks_lose_no_letter(file: str) -> None:
    """The blocks of a file, one after the other, are the file."""
    text = (shipped() / file).read_text(encoding="utf-8")

    assert "".join(block.text for block in blocks_of(text, file=file)) == text


def test_both_changes_are_kept() -> None:
    """We changed one step, they another, inside the same loop."""
    ours = changed(BASE, "{ b: 2 }", "{ b: 20 }")
    theirs = changed(BASE, "{ c: 3 }", "{ c: 30 }")

    assert both(ours, theirs) == (changed(ours, "{ c: 3 }", "{ c: 30 }"), [])


def test_their_new_step_comes_with_our_change() -> None:
    """A step that comes with the new version lands at its place."""
    ours = changed(BASE, "timeout: 1h", "timeout: 2h")
    theirs = changed(BASE, "  - id: last", "  # news\n  - id: new\n    set: { n: 1 }\n  - id: last")

    assert both(ours, theirs) == (changed(theirs, "timeout: 1h", "timeout: 2h"), [])


def test_our_new_step_survives() -> None:
    """A step of ours stays behind the one it stood behind."""
    ours = changed(BASE, "  - id: last", "  - id: mine\n    set: { m: 1 }\n  - id: last")
    theirs = changed(BASE, "{ a: 1 }", "{ a: 10 }")

    assert both(ours, theirs) == (changed(ours, "{ a: 1 }", "{ a: 10 }"), [])


def test_a_step_we_deleted_stays_deleted() -> None:
    """What the customer took out does not come back with an upgrade."""
    ours = changed(BASE, "      - id: other\n        set: { c: 3 }\n", "")
    theirs = changed(BASE, "{ a: 1 }", "{ a: 10 }")

    assert both(ours, theirs) == (changed(ours, "{ a: 1 }", "{ a: 10 }"), [])


def test_the_same_step_changed_twice_is_said() -> None:
    """Where both changed one step, ours stays and the step is named."""
    ours = changed(BASE, "{ b: 2 }", "{ b: 20 }")
    theirs = changed(BASE, "{ b: 2 }", "{ b: 200 }")

    assert both(ours, theirs) == (ours, ["id=inner"])


LINES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=3, max_size=3)


def document(values: list[str]) -> str:
    return "flow: v1\nsteps:\n" + "".join(
        f"  - id: s{index}\n    set: {{ x: {value} }}\n" for index, value in enumerate(values)
    )


@given(base=LINES, ours=LINES, theirs=LINES)
def test_a_merge_takes_nobodys_change_away(
    base: list[str], ours: list[str], theirs: list[str]
) -> None:
    """Step by step: what only one changed is changed; what both changed is ours, and is said."""
    text, clashes = merged(document(base), document(ours), document(theirs), file="x.flow.yaml")

    wanted = [
        here if here != was else there for was, here, there in zip(base, ours, theirs, strict=True)
    ]
    clashing = [
        was != here != there != was for was, here, there in zip(base, ours, theirs, strict=True)
    ]
    assert (text, len(clashes)) == (document(wanted), sum(clashing))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    init_project(tmp_path)
    return tmp_path


def as_if_older(project: Path, file: str, before: str, after: str) -> None:
    """Make the project one of a version that shipped *after* where this one ships *before*."""
    for path in (project / file, project / ".shipped" / file):
        path.write_text(changed(path.read_text("utf-8"), before, after), encoding="utf-8")


def states(project: Path) -> dict[str, str]:
    return {one.file: one.state for one in upgrades(project) if one.state != "same"}


def test_a_new_project_has_nothing_to_upgrade(project: Path) -> None:
    """What was just made is of this version."""
    assert states(project) == {}


def test_an_untouched_file_is_replaced(project: Path) -> None:
    """A file that nobody changed becomes this version's."""
    as_if_older(project, FILE, "timeout: 2h", "timeout: 1h")

    apply(project, list(upgrades(project)))

    assert (project / FILE).read_text("utf-8") == (shipped() / FILE).read_text("utf-8")


def test_a_changed_file_is_merged(project: Path) -> None:
    """The customer's change and this version's are both in the file afterwards."""
    as_if_older(project, FILE, "timeout: 2h", "timeout: 1h")
    path = project / FILE
    path.write_text(changed(path.read_text("utf-8"), "concurrency: 8", "concurrency: 3"), "utf-8")

    apply(project, list(upgrades(project)))

    wanted = changed((shipped() / FILE).read_text("utf-8"), "concurrency: 8", "concurrency: 3")
    assert (path.read_text("utf-8"), states(project)) == (wanted, {FILE: "kept"})


def test_a_clash_leaves_the_customers_file_alone(project: Path) -> None:
    """Where both changed the same, nothing is written, and it is told again the next time."""
    as_if_older(project, FILE, "timeout: 2h", "timeout: 1h")
    path = project / FILE
    mine = changed(path.read_text("utf-8"), "timeout: 1h", "timeout: 9h")
    path.write_text(mine, encoding="utf-8")

    apply(project, list(upgrades(project)))

    assert (path.read_text("utf-8"), states(project)) == (mine, {FILE: "clash"})


def test_an_edited_shipped_flow_is_noticed(project: Path) -> None:
    """C-33: a shipped flow that was edited in place is named; line ends do not count."""
    path = project / FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    other = project / "definitions/cosell/create-referral.flow.yaml"
    other.write_text(other.read_text("utf-8") + "# mine\n", encoding="utf-8")

    assert [(one.file, one.state) for one in drifted(project)] == [
        ("definitions/cosell/create-referral.flow.yaml", "edited")
    ]


def test_what_is_the_customers_may_be_edited(project: Path) -> None:
    """The [Customize] flow, mappings and environments are there to be edited."""
    for file in (
        "definitions/cosell/customize-salesforce.flow.yaml",
        "definitions/cosell/referral-opportunity.map.yaml",
        "env/sandbox.yaml",
    ):
        path = project / file
        path.write_text(path.read_text("utf-8") + "# mine\n", encoding="utf-8")

    assert list(drifted(project)) == []
