# ruff: noqa: E501, ISC004 - documents stand in the tests as they stand in files
"""Documents are checked against each other before anything runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cosell_definitions.model import Flow
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.parsing import load_flow, load_mapping, load_variables
from cosell_definitions.problems import Problem, Severity
from cosell_flows.compiling.planning import OperationView, View, check_project

ROOMS = Path(__file__).resolve().parents[2]
VARIABLES = "variables: v1\ndeclare: { STAGE: { display_name: Stage, type: stage } }\n"
CHILD = """\
flow: v1
id: child
name: Child
inputs: { zip: { type: string }, size: { type: integer, default: 1 } }
steps: [{ id: a, set: { b: one } }]
outputs: { found: { type: string, value: "{{ steps.a.output.b }}" } }
"""
HEAD = """\
flow: v1
id: x
name: X
inputs: { rows: { type: array, default: [] }, on: { type: boolean, default: false } }
steps:
"""


def flow_of(text: str, *, name: str = "x") -> Flow:
    """A flow that is sound by itself."""
    flow, problems = load_flow(text, file=f"d/{name}.flow.yaml")
    assert flow is not None, problems
    return flow


def project(*flows: Flow, mappings: tuple[MappingFile, ...] = ()) -> View:
    """A project of these documents, a child flow, a variable and two systems."""
    declared, _ = load_variables(VARIABLES, file="env/d/variables.yaml")
    assert declared is not None
    every = (*flows, flow_of(CHILD, name="child"))
    return View(
        flows={flow.id: flow for flow in every},
        mappings={mapping.id: mapping for mapping in mappings},
        declarations={one.name: one for one in declared},
        connections=("crm",),
        operations={
            "crm": {
                "query": OperationView(parameters={"q": True, "size": False}, output=("rows",))
            },
            "debug": {"echo": OperationView()},
        },
    )


def errors(steps: str) -> list[Problem]:
    """The errors of a flow with these steps; the first of them is on line 6."""
    found = check_project(project(flow_of(HEAD + steps)))
    return [it for it in found if it.severity is Severity.ERROR]


WRONG = {
    "a step that does not exist": (
        '  - { id: a, set: { b: 1 } }\n  - { id: c, set: { d: "{{ steps.aa.output.b }}" } }\n',
        ("F012", 7, "aa", "did you mean 'a'?"),
    ),
    "a step that does not exist, in a foreach": (
        "  - { id: changed, set: { b: [] } }\n"
        "  - id: each\n    foreach: steps.chnaged.output.b\n    as: row\n    steps: [{ id: c, wait: 1s }]\n",
        ("F012", 8, "chnaged", "did you mean 'changed'?"),
    ),
    "a step that comes later": (
        '  - { id: a, set: { b: "{{ steps.c.output.d }}" } }\n  - { id: c, set: { d: 1 } }\n',
        ("F013", 6, "c", "steps before this one"),
    ),
    "itself": (
        '  - { id: a, set: { b: "{{ steps.a.output.b }}" } }\n',
        ("F013", 6, "a", "after the step"),
    ),
    "another branch of a parallel": (
        "  - id: p\n    parallel:\n      l: [{ id: a, set: { b: 1 } }]\n"
        '      r: [{ id: c, set: { d: "{{ steps.a.output.b }}" } }]\n',
        ("F013", 9, "a", "steps before"),
    ),
    "a step under a when": (
        '  - { id: a, when: inputs.on, set: { b: 1 } }\n  - { id: c, set: { d: "{{ steps.a.output.b }}" } }\n',
        ("F018", 7, "a", "default("),
    ),
    "a step of a branch": (
        "  - { id: i, if: inputs.on, then: [{ id: a, set: { b: 1 } }] }\n"
        '  - { id: c, set: { d: "{{ steps.a.output.b }}" } }\n',
        ("F018", 7, "a", "default("),
    ),
    "the other branch": (
        "  - { id: i, if: inputs.on, then: [{ id: a, set: { b: 1 } }],\n"
        '      else: [{ id: c, set: { d: "{{ steps.a.output.b }}" } }] }\n',
        ("F018", 7, "a", "default("),
    ),
    "a step of a loop": (
        "  - { id: l, foreach: inputs.rows, as: row, steps: [{ id: a, set: { b: 1 } }] }\n"
        '  - { id: c, set: { d: "{{ steps.a.output.b }}" } }\n',
        ("F019", 7, "a", "steps.l.output.results"),
    ),
    "the same id twice": (
        "  - { id: a, wait: 1s }\n  - { id: g, steps: [{ id: a, wait: 1s }] }\n",
        ("F011", 7, "a", "name of its own"),
    ),
    "an input": ('  - { id: a, set: { b: "{{ inputs.rwos }}" } }\n', ("F020", 6, "rwos", "'rows'")),
    "a variable": (
        '  - { id: a, set: { b: "{{ env.STAEG }}" } }\n',
        ("F021", 6, "STAEG", "'STAGE'"),
    ),
    "a name": ('  - { id: a, set: { b: "{{ input.rows }}" } }\n', ("X004", 6, "input", "'inputs'")),
    "error outside of on_error": (
        '  - { id: a, set: { b: "{{ error.class }}" } }\n',
        ("X004", 6, "error", "names here"),
    ),
    "a system": ("  - { id: a, action: crn.query }\n", ("F023", 6, "crn", "'crm'")),
    "an operation": ("  - { id: a, action: crm.qurey }\n", ("F023", 6, "qurey", "'query'")),
    "a parameter": (
        "  - { id: a, action: crm.query, with: { q: x, siez: 1 } }\n",
        ("F024", 6, "siez", "'size'"),
    ),
    "a missing parameter": ("  - { id: a, action: crm.query }\n", ("F025", 6, "action", "q: …")),
    "a mapping": (
        "  - { id: a, set: { b: \"{{ mapping_fields('x-y', 'left') }}\" } }\n",
        ("F026", 6, "'x-y'", "there are"),
    ),
    "a flow": ("  - { id: a, call: chidl }\n", ("F027", 6, "chidl", "'child'")),
    "an input of a flow": (
        "  - { id: a, call: child, with: { zip: 1, zap: 2 } }\n",
        ("F028", 6, "zap", "'zip'"),
    ),
    "a missing input of a flow": ("  - { id: a, call: child }\n", ("F029", 6, "call", "zip: …")),
    "a value that the input refuses": (
        "  - { id: a, call: child, with: { zip: 00184, size: many } }\n",
        ("F038", 6, "many", "change the value"),
    ),
    "an output that a flow does not have": (
        '  - { id: a, call: child, with: { zip: x } }\n  - { id: c, set: { d: "{{ steps.a.output.fuond }}" } }\n',
        ("F034", 7, "fuond", "'found'"),
    ),
    "an output that an operation does not have": (
        '  - { id: a, action: crm.query, with: { q: x } }\n  - { id: c, set: { d: "{{ steps.a.output.row }}" } }\n',
        ("F034", 7, "row", "'rows'"),
    ),
    "something that a step does not have": (
        '  - { id: a, wait: 1s }\n  - { id: c, set: { d: "{{ steps.a.outptu }}" } }\n',
        ("F034", 7, "outptu", "'output'"),
    ),
    "a count that a loop does not have": (
        "  - { id: l, foreach: inputs.rows, as: row, steps: [{ id: a, wait: 1s }] }\n"
        '  - { id: c, set: { d: "{{ steps.l.output.counts.suceeded }}" } }\n',
        ("F034", 7, "suceeded", "'succeeded'"),
    ),
    "an item that ends outside of a loop": (
        "  - { id: a, stop: { item: skipped } }\n",
        ("F035", 6, "stop", "status: skipped"),
    ),
    "a stop in finally": (
        "  - { id: a, wait: 1s, finally: [{ id: b, stop: { status: failed } }] }\n",
        ("F039", 6, "stop", "after the step"),
    ),
    "a question in finally": (
        "  - { id: a, wait: 1s, finally: [{ id: b, approve: { message: x } }] }\n",
        ("F039", 6, "approve", "after the step"),
    ),
    "a filter": ('  - { id: a, set: { b: "{{ 1 | jion }}" } }\n', ("X005", 6, None, "'join'")),
    "a function": ('  - { id: a, set: { b: "{{ now() }}" } }\n', ("X005", 6, "now", "run.now")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_reference_is_found_where_it_stands(name: str) -> None:
    """One problem, at the very word, with what was probably meant."""
    steps, (code, line, word, hint) = WRONG[name]

    (problem,) = errors(steps)

    place = problem.place
    text = (HEAD + steps).splitlines()[place.line - 1]
    assert (problem.code, place.line) == (code, line)
    assert word is None or text[place.column - 1 : (place.end_column or 0) - 1] == word
    assert hint in (problem.hint or "")


RIGHT = {
    "default": "{{ steps.a.output.b | default('') }}",
    "a default in a default": "{{ inputs.rows[0] | default(steps.a.output.b) | default('') }}",
    "is defined": "{{ steps.a.output.b if steps.a is defined else '' }}",
    "is defined, in a row": "{{ steps.a is defined and steps.a.output.b == 1 }}",
    "its status": "{{ steps.a.status }}",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_guarded_reference_is_fine(name: str) -> None:
    """What may not have run may be read under a default or a test."""
    steps = f'  - {{ id: a, when: inputs.on, set: {{ b: 1 }} }}\n  - {{ id: c, set: {{ d: "{RIGHT[name]}" }} }}\n'

    assert errors(steps) == []


READ_A = 'set: { d: "{{ steps.a.output.b }}" }'
SAME = {
    "the same when": f"  - {{ id: c, when: inputs.on, {READ_A} }}\n",
    "the same when and more": f"  - {{ id: c, when: inputs.rows | length > 0 and inputs.on, {READ_A} }}\n",
    "a branch of the same": f"  - {{ id: c, if: inputs.on, then: [{{ id: e, {READ_A} }}] }}\n",
    "the else of its opposite": (
        f"  - {{ id: c, if: not inputs.on, then: [{{ id: f, wait: 1s }}], else: [{{ id: e, {READ_A} }}] }}\n"
    ),
    "after a stop without it": f"  - {{ id: s, when: not inputs.on, stop: {{ status: skipped }} }}\n  - {{ id: c, {READ_A} }}\n",
    "where the step is known to have run": (
        f"  - {{ id: c, when: \"steps.a.output.b | default('') != ''\", {READ_A} }}\n"
    ),
    "where its status says so": f"  - {{ id: c, when: steps.a.status == 'succeeded', {READ_A} }}\n",
}


@pytest.mark.parametrize("name", SAME)
def test_a_reference_under_the_same_condition_is_fine(name: str) -> None:
    """What runs only when the other ran may read it."""
    assert errors("  - { id: a, when: inputs.on, set: { b: 1 } }\n" + SAME[name]) == []


def test_the_parts_of_a_flow_see_what_they_should() -> None:
    """Loops see their item, on_error the error, outputs the steps, triggers the event."""
    flow = flow_of(
        HEAD.replace("steps:", "")
        + """\
triggers:
  - { id: t, type: webhook, connection: crm, events: [e], inputs: { rows: "{{ events | map(attribute='resource_id') | list }}" } }
uses: { connections: [crm], env: [STAGE] }
steps:
  - { id: a, action: crm.query, with: { q: "{{ env.STAGE }} {{ run.id }}" }, on_error: { steps: [{ id: e, set: { m: "{{ error.message }}" } }] } }
  - id: l
    foreach: steps.a.output.rows
    as: row
    key: "{{ row.id }}"
    result: "{{ steps.b.output.c }}"
    steps: [{ id: b, set: { c: "{{ row.n }} {{ index }}" } }, { id: s, stop: { item: skipped, reason: "{{ steps.b.output.c }}" } }]
  - { id: u, until: steps.v.output.w == 1, every: 1s, max: 2, steps: [{ id: v, set: { w: 1 } }] }
  - { id: z, set: { w: "{{ steps.v.output.w }} {{ steps.l.output.counts.total }}" } }
outputs: { n: { value: "{{ steps.l.output.counts.failed }}" } }
"""
    )

    assert check_project(project(flow)) == []


def test_circles_are_found_once() -> None:
    """Flows that call each other in a circle, and flows that need each other."""
    one = flow_of(
        "flow: v1\nid: one\nname: O\nneeds: [two]\nsteps: [{ id: a, call: two }]\n", name="one"
    )
    two = flow_of(
        "flow: v1\nid: two\nname: T\nneeds: [one]\nsteps: [{ id: a, call: one }]\n", name="two"
    )

    found = check_project(project(one, two))

    assert [(it.code, it.message.split(": ")[1]) for it in found] == [
        ("F030", "one needs two needs one"),
        ("F030", "one calls two calls one"),
    ]


def test_what_is_used_is_listed_and_what_is_listed_is_used() -> None:
    """Warnings only: the flow would run."""
    flow = flow_of(
        "flow: v1\nid: x\nname: X\nuses: { env: [STAGE] }\n"
        "steps: [{ id: a, action: crm.query, with: { q: x } }]\n"
    )

    found = check_project(project(flow))

    assert [(it.code, it.severity.value, it.place.line) for it in found] == [
        ("F032", "warning", 4),
        ("F033", "warning", 5),
    ]


def test_a_mapping_reads_its_records_and_the_environment_only() -> None:
    """Names and variables in a mapping are checked like those of a flow."""
    mapping, problems = load_mapping(
        "mapping: v1\nid: m\n"
        "left: { connection: crm, object: A, key: id, version: v }\n"
        'right: { connection: cmr, object: B, key: "{{ env.STAGE }}", version: v }\n'
        "fields:\n"
        '  - { right: A, value: "{{ left.id }} {{ steps.x }}" }\n'
        '  - { left: b, right: "{{ env.STAEG }}" }\n',
        file="d/m.map.yaml",
    )
    assert mapping is not None, problems

    found = check_project(project(mappings=(mapping,)))

    assert [(it.code, it.place.line) for it in found] == [("M016", 4), ("X004", 6), ("F021", 7)]


def test_checking_is_quick() -> None:
    """A project of the size of ours is read and checked before one notices."""
    texts = [path.read_bytes() for path in sorted(ROOMS.glob("definitions/cosell/*.flow.yaml"))]
    began = time.process_time()

    for number, text in enumerate(texts):
        flow, _ = load_flow(text, file=f"{number}.yaml")
        if flow is not None:
            check_project(project(flow))

    assert time.process_time() - began < 1.5
