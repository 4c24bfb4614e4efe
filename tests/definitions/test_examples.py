"""Whole documents: the sound ones pass, and each unsound one is told exactly what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cosell_definitions.parsing import load_flow, load_mapping, load_variables
from cosell_definitions.problems import Problem
from cosell_flows.compiling.planning import OperationView, View, check_flow

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SOUND = sorted(EXAMPLES.glob("sound/*.yaml"))
UNSOUND = sorted(EXAMPLES.glob("unsound/*.yaml"))
CHILD = "flow: v1\nid: child\nname: C\ninputs: { name: { type: string } }\nsteps: [{ id: a, wait: 1s }]\n"
REFERRAL = """\
mapping: v1
id: referral
left: { connection: partner_center, object: Referral, key: id, version: eTag }
right: { connection: salesforce, object: Opportunity, key: Id, version: SystemModstamp }
fields: [{ left: details.notes, right: Description }]
"""
VARIABLES = (
    "variables: v1\ndeclare: { ACTIVE_STAGE: { display_name: Active stage, type: stage } }\n"
)


def problems_of(path: Path) -> list[Problem]:
    """All problems of a flow, in a small project around it."""
    child, _ = load_flow(CHILD, file="child.flow.yaml")
    mapping, _ = load_mapping(REFERRAL, file="referral.map.yaml")
    declared, _ = load_variables(VARIABLES, file="variables.yaml")
    assert child is not None
    assert mapping is not None
    assert declared is not None
    view = View(
        flows={"child": child},
        mappings={"referral": mapping},
        declarations={one.name: one for one in declared},
        connections=("partner_center", "salesforce"),
        operations={"salesforce": {"query": OperationView(parameters={"q": True})}},
    )
    flow, found = load_flow(path.read_bytes(), file=path.name, draft=True)
    return [*found, *(check_flow(flow, view) if flow is not None else [])]


@pytest.mark.parametrize("path", SOUND, ids=lambda it: it.name)
def test_a_sound_document_has_no_problem(path: Path) -> None:
    """Neither errors nor warnings."""
    assert [f"{it} ({it.hint})" for it in problems_of(path)] == []


@pytest.mark.parametrize("path", UNSOUND, ids=lambda it: it.name)
def test_an_unsound_document_is_told_all_at_once(path: Path) -> None:
    """Every problem with its code, line and column; and none that only follows from another."""
    expected = re.findall(r"^# ([A-Z]\d{3} \d+:\d+)$", path.read_text("utf-8"), re.MULTILINE)

    found = [(it.place.line, it.place.column, it.code) for it in problems_of(path)]

    assert [f"{code} {line}:{column}" for line, column, code in sorted(found)] == expected
