# ruff: noqa: E501 - documents stand in the tests as they stand in files
"""Documents become frozen values, typed by the schema, with every problem at its place."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_definitions.checking import check, load_schema, value_faults
from cosell_definitions.model import Action, Flow, ForEach, SetValues, Stop, Switch, Template, Wait
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.parsing import (
    load_environment,
    load_flow,
    load_mapping,
    load_variables,
)
from cosell_definitions.parsing_values import duration_of, duration_text
from cosell_definitions.reading import read
from cosell_definitions.settings import SecretRef

ROOMS = Path(__file__).resolve().parents[2]
HEAD = "flow: v1\nid: x\nname: X\nsteps:\n"
MAP = """\
mapping: v1
id: x
left: { connection: a, object: A, key: id, version: v }
right: { connection: b, object: B, key: "{{ env.KEY }}", version: v }
"""


def flow_of(steps: str) -> Flow:
    """The flow with these steps."""
    flow, problems = load_flow(HEAD + steps, file="x.flow.yaml")
    assert flow is not None, problems
    return flow


def said(steps: str) -> list[tuple[str, int, int]]:
    """Codes and places of the problems of these steps; the first of them is on line 5."""
    _, problems = load_flow(HEAD + steps, file="x.flow.yaml")
    return [(it.code, it.place.line, it.place.column) for it in problems]


def mapping_of(fields: str) -> MappingFile:
    """The mapping with these fields."""
    mapping, problems = load_mapping(MAP + fields, file="x.map.yaml")
    assert mapping is not None, problems
    return mapping


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("true", True),
        ("Yes", "Yes"),
        ("NO", "NO"),
        ("null", None),
        ("~", None),
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("1.10", Decimal("1.10")),
        ("+390612345", "+390612345"),
        ("12:30:45", "12:30:45"),
        ("1e3", "1e3"),
        ("0x1F", "0x1F"),
        ("006E00000012345", "006E00000012345"),
        ('"7"', "7"),
        ("'true'", "true"),
        ('""', ""),
        ("9" * 400, "9" * 400),
    ],
)
def test_a_scalar_without_a_schema(typed: str, value: Any) -> None:
    """Where the schema says nothing, only what can be nothing else is not text."""
    doing = flow_of(f"  - {{ id: a, set: {{ v: {typed} }} }}\n").steps[0].do

    assert isinstance(doing, SetValues)
    assert (doing.values["v"], type(doing.values["v"])) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", timedelta(minutes=15)),
        ("1s", timedelta(seconds=1)),
        ("2h", timedelta(hours=2)),
        ("500ms", timedelta(milliseconds=500)),
        ("1d", timedelta(days=1)),
        ("1.5h", timedelta(minutes=90)),
        ("0.1s", timedelta(milliseconds=100)),
        ("5 m", None),
        ("15", None),
        ("1w", None),
        ("999999999d", None),
    ],
)
def test_a_duration(text: str, expected: timedelta | None) -> None:
    """A duration is a number and a unit."""
    assert duration_of(text) == expected


@given(st.integers(0, 10**9 - 1).map(lambda number: timedelta(milliseconds=number)))
def test_a_duration_is_written_as_it_is_read(duration: timedelta) -> None:
    """What a message says of a duration could stand in the file."""
    assert duration_of(duration_text(duration)) == duration


def test_every_kind_of_step_is_read() -> None:
    """The shapes of the language, as its description has them."""
    flow = flow_of(
        """\
  - { id: check, if: inputs.amount > 0, then: [{ id: a1, wait: 1s }], else: [{ id: a2, wait: 2s }] }
  - id: route
    switch: referral.type
    cases:
      - { is: Shared, steps: [{ id: b1, wait: 1s }] }
      - { is: [Independent, None], steps: [{ id: b2, wait: 1s }] }
    default: [{ id: b3, wait: 1s }]
  - { id: both, parallel: { crm: [{ id: c1, wait: 1s }], partner: [{ id: c2, wait: 1s }] }, wait_for: any }
  - { id: poll, until: steps.c1.status == 'x', every: 5s, max: 20, steps: [{ id: d1, wait: 1s }] }
  - { id: each, foreach: inputs.rows, as: row, concurrency: 4, on_item_error: continue, result: "{{ row }}", steps: [{ id: e1, stop: { item: skipped, reason: on hold } }] }
  - id: risky
    action: salesforce.query
    with: { q: "SELECT" }
    retry: { attempts: 3, delay: 500ms, on: [locked] }
    timeout: 1m
    on_error: { steps: [{ id: f1, wait: 1s }], then: continue }
    finally: [{ id: f2, wait: 1s }]
  - { id: child, call: other, with: { a: 1 } }
  - { id: group, steps: [{ id: g1, set: { total: "{{ 1 }}" } }] }
  - { id: later, wait: "{{ inputs.moment }}" }
  - { id: done, stop: { status: failed, class: not_found, reason: "none" } }
"""
    )

    assert [type(step.do).__name__ for step in flow.steps] == [
        "If", "Switch", "Parallel", "Until", "ForEach", "Action", "CallFlow", "Scope", "Wait", "Stop",
    ]  # fmt: skip


def test_a_switch_compares_with_one_value_or_several() -> None:
    """`is` takes a value or a list; the text None is a text."""
    doing = (
        flow_of(
            "  - { id: a, switch: x, cases: [{ is: None, steps: [{ id: b, wait: 1s }] },"
            " { is: [1, y], steps: [{ id: c, wait: 1s }] }] }\n"
        )
        .steps[0]
        .do
    )

    assert isinstance(doing, Switch)
    assert [case.values for case in doing.cases] == [("None",), (1, "y")]


def test_what_a_step_does_not_say_is_as_the_flow_says() -> None:
    """A step's retry starts from the defaults of the flow."""
    flow, _ = load_flow(
        "flow: v1\nid: x\nname: X\n"
        "defaults: { retry: { attempts: 5, delay: 2s, on: [locked] } }\n"
        "steps: [{ id: a, wait: 1s, retry: { attempts: 2 } }]\n",
        file="x.flow.yaml",
    )

    assert flow is not None
    retry = flow.steps[0].retry
    assert retry is not None
    assert (retry.attempts, retry.delay, retry.on) == (2, timedelta(seconds=2), ("locked",))


def test_a_template_knows_where_its_text_begins() -> None:
    """Inside quotes, so that an offset in the text is an offset in the line."""
    doing = flow_of('  - { id: a, wait: "{{ x }}" }\n').steps[0].do

    assert isinstance(doing, Wait)
    assert isinstance(doing.until, Template)
    place = doing.until.place
    assert (place.line, place.column, place.end_column) == (5, 21, 28)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("  - { id: a, wiat: 1s }\n", [("F001", 5, 14)]),
        ("  - { id: a, foreach: x, steps: [{ id: b, wait: 1s }] }\n", [("F002", 5, 14)]),
        ("  - { wait: 1s }\n", [("F002", 5, 7)]),
        ("  - { id: a, wait: [1s] }\n", [("F003", 5, 20)]),
        ("  - { id: a, wait: 1s, timeout: 1 }\n", [("F004", 5, 33)]),
        ("  - { id: a-b, wait: 1s }\n", [("F004", 5, 9 + 2)]),
        ("  - { id: a, wait: 1s, retry: { attempts: many } }\n", [("F003", 5, 43)]),
        ("  - { id: a, action: query }\n", [("F004", 5, 22)]),
        ("  - { id: a, action: a.b, call: c }\n", [("F004", 5, 27)]),
        ("  - { id: a, action: a.b, then: [] }\n", [("F001", 5, 27)]),
        ("  - { id: a, approve: x }\n", [("F003", 5, 23)]),
        ("  - { id: a, approve: { answer: { ok: { type: boolean } } } }\n", [("F002", 5, 14)]),
        (
            "  - { id: a, approve: { message: x, answer: { ok: { type: yes } } } }\n",
            [("F004", 5, 59)],
        ),
        ("  - { id: a }\n", [("F002", 5, 7)]),
        ("  - { id: a, if: '{{ x }}', then: [{ id: b, wait: 1s }] }\n", [("X001", 5, 18)]),
        ("  - id: a\n    wait:\n", [("F006", 6, 5)]),
        ("  - pause\n", [("F003", 5, 5)]),
    ],
)
def test_one_slip_makes_one_problem(steps: str, expected: list[tuple[str, int, int]]) -> None:
    """Each slip is found once, where it stands, and nothing follows from it."""
    assert said(steps) == expected


def test_a_draft_knows_the_steps_that_are_wrong() -> None:
    """What refers to a step with a wrong shape is not wrong for that."""
    flow, _ = load_flow(
        HEAD + "  - { id: a, foreach: x, steps: [{ id: b, wait: 1s }] }\n  - { id: c, wiat: 1s }\n",
        file="x.flow.yaml",
        draft=True,
    )

    assert flow is not None
    assert [step.id for step in flow.steps] == ["a", "c"]


def test_a_flow_with_problems_is_none() -> None:
    """What has an error is not run."""
    flow, problems = load_flow(HEAD + "  - { id: a, wiat: 1s }\n", file="x.flow.yaml")

    assert (flow, [it.hint for it in problems]) == (None, ["did you mean 'wait'?"])


def test_inputs_are_typed_by_their_own_type() -> None:
    """A default is of the type of its input, whatever it looks like."""
    flow, problems = load_flow(
        "flow: v1\nid: x\nname: X\n"
        "inputs:\n"
        "  zip: { type: string, default: 00184 }\n"
        "  country: { type: string, enum: [NO, IT], default: NO }\n"
        "  sync: { type: boolean, default: Yes }\n"
        "  size: { type: integer, default: 3, minimum: 1 }\n"
        "  price: { type: decimal, default: 1 }\n"
        "  ids: { type: array, items: { type: string }, default: [1, 02] }\n"
        "  free: { type: string, required: false }\n"
        "  must: { type: string }\n"
        "steps: [{ id: a, wait: 1s }]\n",
        file="x.flow.yaml",
    )

    assert flow is not None, problems
    assert [(one.default, one.required) for one in flow.inputs] == [
        ("00184", False), ("NO", False), (True, False), (3, False), (Decimal(1), False),
        (("1", "02"), False), (None, False), (None, True),
    ]  # fmt: skip


def test_the_hash_is_that_of_the_bytes() -> None:
    """A run can tell which text it ran."""
    raw = (HEAD + "  - { id: a, wait: 1s }\r\n").encode()
    flow, _ = load_flow(raw, file="x.flow.yaml")

    assert flow is not None
    assert flow.content_hash == hashlib.sha256(raw).hexdigest()


# -- mappings -------------------------------------------------------------------------------------


def test_the_shipped_mapping_is_sound() -> None:
    """The mapping that everyone edits has no problem."""
    path = ROOMS / "definitions/cosell/referral-opportunity.map.yaml"

    assert load_mapping(path.read_bytes(), file=str(path))[1] == ()


def test_rows_take_what_they_do_not_say_from_the_defaults() -> None:
    """`defaults` holds for every row that does not say otherwise."""
    mapping = mapping_of(
        "defaults: { conflict: left, blank: clear }\n"
        "fields:\n"
        "  - { left: [s, t], right: S, table: x }\n"
        "  - { right: T, value: 1, conflict: right }\n"
        "tables: { x: [{ left: [a, b], right: c }] }\n"
    )

    assert [(it.id, it.conflict, it.blank, it.direction) for it in mapping.fields] == [
        ("s+t", "left", "clear", "both"),
        ("T", "right", "clear", "both"),
    ]


def test_cells_of_tables_are_text_unless_null() -> None:
    """A table holds values as the systems spell them; null is null, and NO is a country."""
    mapping = mapping_of(
        "fields: [{ left: c, right: C, table: t }]\n"
        "tables: { t: [{ left: NO, right: 047 }, { left: 1.10, right: null }, { left: '*', right: x }] }\n"
    )

    assert [(row.left, row.right) for row in mapping.tables["t"]] == [
        (("NO",), "047"),
        (("1.10",), None),
        (("*",), "x"),
    ]


def test_brakes_are_shares_and_counts() -> None:
    """25% is a quarter, exactly."""
    brakes = mapping_of(
        "brakes: { max_changed: 25%, max_created: 200, max_deleted: 0 }\n"
        "fields: [{ left: a, right: A }]\n"
    ).brakes

    assert (brakes.max_changed, brakes.max_created, brakes.max_deleted) == (Decimal("0.25"), 200, 0)


# -- settings -------------------------------------------------------------------------------------


def test_an_environment_keeps_the_text_of_values() -> None:
    """The declared type decides later what a value is."""
    environment, problems = load_environment(
        "environment: v1\nvariables: { SYNC: Yes, ZIP: 00184 }\n"
        "connections: { crm: { base_url: https://x, hosts: [a, b], client_secret: { from_env: S } } }\n",
        file="env/sandbox.yaml",
    )

    assert environment is not None, problems
    assert environment.name == "sandbox"
    assert {name: text for name, (text, _) in environment.variables.items()} == {
        "SYNC": "Yes",
        "ZIP": "00184",
    }
    assert environment.connections["crm"] == {
        "base_url": "https://x",
        "hosts": "a,b",
        "client_secret": SecretRef(kind="env", name="S"),
    }


def test_a_secret_in_plain_text_is_not_repeated() -> None:
    """The problem that names it does not show it."""
    _, problems = load_environment(
        "environment: v1\nconnections: { crm: { client_secret: hunter2 } }\n", file="env/x.yaml"
    )

    assert [it.code for it in problems] == ["V014"]
    assert "hunter2" not in f"{problems[0].message}{problems[0].hint}"


def test_declarations_are_typed() -> None:
    """A default that its type refuses is a problem at the default."""
    _, problems = load_variables(
        "variables: v1\ndeclare:\n  A: { display_name: A, type: boolean, default: Maybe }\n",
        file="env/x/variables.yaml",
    )

    assert [(it.code, it.place.line, it.place.column) for it in problems] == [("V012", 3, 49)]


# -- schemas --------------------------------------------------------------------------------------

SCHEMAS = sorted((ROOMS / "definitions/cosell_definitions/schemas").glob("*.json"))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda it: it.name)
def test_a_schema_is_a_json_schema(path: Path) -> None:
    """Editors can use what ships."""
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("kind", ["flow", "mapping", "environment", "variables"])
def test_our_reading_of_a_schema_is_that_of_the_standard(kind: str) -> None:
    """What we accept among the shipped files, a standard validator accepts too."""
    patterns = {
        "flow": "definitions/cosell/*.flow.yaml",
        "mapping": "definitions/cosell/*.map.yaml",
        "environment": "env/*.yaml",
        "variables": "env/cosell/variables.yaml",
    }
    schema = dict(load_schema(kind))
    for path in ROOMS.glob(patterns[kind]):
        if path.stat().st_size > 12_000 and not os.environ.get("COSELL_TEST_MINUTES"):
            continue  # a standard validator takes ten seconds for deep flows
        shaped, _ = check(read(path.read_bytes(), file=path.name), kind)
        assert shaped is not None
        assert value_faults(shaped.plain(), schema) == ()


def test_every_key_of_a_schema_is_described() -> None:
    """Editors show the description while one types."""
    bare = []
    for kind in ("flow", "mapping", "environment", "variables"):
        schema = load_schema(kind)
        for owner, one in [("", schema), *schema.get("$defs", {}).items()]:
            for name, key in one.get("properties", {}).items():
                target = schema["$defs"][key["$ref"].split("/")[-1]] if "$ref" in key else key
                if not {**target, **key}.get("description"):
                    bare.append(f"{kind}.{owner}.{name}")

    assert bare == []


def test_types_that_were_used_are_those_of_the_model() -> None:
    """The loop and the action of a small flow are what the interpreter expects."""
    flow = flow_of("  - { id: a, foreach: x, as: y, steps: [{ id: b, action: s.q }] }\n")

    loop = flow.steps[0].do
    assert isinstance(loop, ForEach)
    assert isinstance(loop.steps[0].do, Action)
    assert not isinstance(loop.steps[0].do, Stop)
