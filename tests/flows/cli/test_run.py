"""`cosell run`, for people: what came of it, why it was passed over, and what it gives out."""

from __future__ import annotations

from pathlib import Path

from .conftest import Cosell

LONG = """\
flow: v1
id: long
name: long
steps: [{ id: all, set: { numbers: "{{ range(60) | list }}" } }]
outputs:
  numbers: { type: array, value: "{{ steps.all.output.numbers }}" }
  none: { type: array, value: "{{ [] }}" }
  word: { type: string, value: "hello" }
"""


def test_a_flow_that_is_skipped_says_why(cosell: Cosell) -> None:
    """As it ships, leads are not routed; no connection is even bound here."""
    said = cosell("run", "route-leads", "--local")

    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "route-leads: skipped",
        "  No queue is named that leads come into: set LEAD_INTAKE_QUEUE",
    ]


def test_what_a_flow_gives_out_is_shown(cosell: Cosell, project: Path) -> None:
    """Each output by its name; of a list, each item on a line, and not without end."""
    own = project / "definitions" / "own"
    own.mkdir()
    (own / "long.flow.yaml").write_text(LONG, "utf-8")

    said = cosell("run", "long", "--local")

    lines = said.out.splitlines()
    assert lines[:3] == ["long: succeeded", "  numbers:", "    - 0"]
    assert lines[-3:] == ["    … and 10 more; --json tells all", "  none: []", "  word: hello"]
