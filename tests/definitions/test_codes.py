"""Every problem code has a page, and the examples on the pages hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cosell_connectors.model import Connector, Operation, OutputField, Paging, Parameter
from cosell_definitions.codes import Code, codes
from cosell_definitions.model_tests import FlowTests
from cosell_definitions.parsing import (
    load_environment,
    load_flow,
    load_mapping,
    load_tests,
    load_variables,
)
from cosell_definitions.problems import Problem
from cosell_flows.compiling.planning import (
    OperationView,
    View,
    check_flow,
    check_mapping,
    check_project,
)
from cosell_flows.compiling.planning_tests import check_tests
from cosell_flows.compiling.types import NUMBER, TEXT, record_of

ROOMS = Path(__file__).resolve().parents[2]
HEAD = """\
flow: v1
id: example
name: Example
inputs:
  name: { type: string }
  wanted: { type: boolean }
  rows: { type: array, default: [] }
steps:
"""
CHILD = """\
flow: v1
id: child
name: Child
inputs: { name: { type: string } }
steps: [{ id: pause, wait: 1s }]
"""
REFERRAL = """\
mapping: v1
id: referral
left: { connection: partner_center, object: Referral, key: id, version: eTag }
right: { connection: salesforce, object: Opportunity, key: Id, version: SystemModstamp }
fields: [{ left: details.notes, right: Description }]
"""
VARIABLES = """\
variables: v1
declare: { ACTIVE_STAGE: { display_name: Active stage, type: stage, default: Qualification } }
"""
REFERRAL_HOLDS = record_of(
    dict.fromkeys(("id", "eTag", "status", "substatus"), TEXT)
    | {"details": record_of({"notes": TEXT, "dealValue": NUMBER})}
)
WITH_EXAMPLES = [it for it in codes().values() if it.wrong]


def problems_of(example: str) -> list[Problem]:
    """All problems of an example, in a small project around it."""
    if not re.match(r"#|[a-z]+: v|flwo|maping|envri", example):
        example = HEAD + "".join(f"  {line}\n" for line in example.splitlines())
    if re.match(r"#|fl", example):
        flow, found = load_flow(example, file="d/example.flow.yaml", draft=True)
        return [*found, *(check_flow(flow, project()) if flow else [])]
    if example.startswith("ma"):
        mapping, found = load_mapping(example, file="d/example.map.yaml", draft=True)
        return [*found, *(check_mapping(mapping, project()) if mapping else [])]
    if example.startswith("test"):
        tests, found = load_tests(example, file="d/example.test.yaml", draft=True)
        return [*found, *(problems_of_tests(tests) if tests else [])]
    if example.startswith("variables"):
        return list(load_variables(example, file="env/d/variables.yaml")[1])
    return list(load_environment(example, file="env/example.yaml")[1])


def problems_of_tests(tests: FlowTests) -> list[Problem]:
    """What does not fit between tests and the small project; it has no fixtures."""

    def look(file: str, system: str | None) -> None:
        raise LookupError(file)

    return check_tests(tests, project(), connectors={"salesforce": SALESFORCE}, look=look)


SALESFORCE = Connector(
    name="salesforce",
    title="Salesforce",
    operations={
        "query": Operation(
            name="query",
            summary="Read.",
            method="GET",
            path="/query",
            effect="read",
            idempotent=True,
            parameters=(Parameter(name="q", location="query", wire_name="q"),),
            output=(OutputField(name="records", kind="items", pointer=""),),
            paging=Paging(items="/records", next="/next"),
        )
    },
)


def project() -> View:
    """A child flow, a mapping, a variable, two systems."""
    child, _ = load_flow(CHILD, file="d/child.flow.yaml")
    mapping, _ = load_mapping(REFERRAL, file="d/referral.map.yaml")
    declared, _ = load_variables(VARIABLES, file="env/d/variables.yaml")
    assert child is not None
    assert mapping is not None
    assert declared is not None
    return View(
        flows={"child": child},
        mappings={"referral": mapping},
        declarations={one.name: one for one in declared},
        connections=("salesforce", "partner_center"),
        events={"salesforce": (), "partner_center": ("referral-created", "referral-updated")},
        operations={
            "salesforce": {
                "query": OperationView(
                    parameters={"q": True}, takes={"q": TEXT}, output=("records",)
                )
            },
            "debug": {"echo": OperationView()},
        },
        records={"partner_center": {"Referral": REFERRAL_HOLDS}},
    )


@pytest.mark.parametrize("code", WITH_EXAMPLES, ids=lambda it: it.code)
def test_the_wrong_example_has_the_problem(code: Code) -> None:
    """What a page shows as wrong is reported with the code of the page."""
    assert code.wrong is not None
    if code.code == "F030":
        flow, _ = load_flow(HEAD + "  " + code.wrong, file="d/example.flow.yaml")
        assert flow is not None
        found = check_project(View(flows={"example": flow}))
    else:
        found = problems_of(code.wrong)

    assert code.code in {problem.code for problem in found}


@pytest.mark.parametrize("code", WITH_EXAMPLES, ids=lambda it: it.code)
def test_the_right_example_has_no_problem(code: Code) -> None:
    """What a page shows as right has no problem at all, but for the lists under `uses`."""
    assert code.right is not None
    found = problems_of(code.right)

    assert [it for it in found if it.code == code.code or it.code not in ("F032", "F033")] == []


def test_every_code_has_a_page() -> None:
    """A code that a room reports is in the table."""
    sources = [
        *ROOMS.glob("definitions/cosell_definitions/*.py"),
        *ROOMS.glob("flows/cosell_flows/compiling/*.py"),
        *ROOMS.glob("connectors/cosell_connectors/*.py"),
        *ROOMS.glob("env/cosell_env/*.py"),
    ]
    used = {
        code for it in sources for code in re.findall(r'"([YFMVXC]\d{3})"', it.read_text("utf-8"))
    }

    assert used - set(codes()) == set()


def test_every_page_is_needed() -> None:
    """The table has no code that nothing reports."""
    sources = [*ROOMS.glob("*/cosell_*/**/*.py")]
    used = {
        code for it in sources for code in re.findall(r"[YFMVXCOT]\d{3}", it.read_text("utf-8"))
    }
    shapes = {f"{letter}00{digit}" for letter in "FMVCOT" for digit in range(1, 8)}

    assert set(codes()) - used - shapes == set()
