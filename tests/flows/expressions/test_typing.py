# ruff: noqa: E501 - documents stand in the tests as they stand in files
"""What is sure to go wrong is told before it runs; what may come out well is left alone."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosell_definitions.parsing import load_flow, load_variables
from cosell_flows.compiling.filters import FILTERS, FUNCTIONS, TESTS
from cosell_flows.compiling.knowing import ERROR, RUN
from cosell_flows.compiling.operations import ENGINE
from cosell_flows.compiling.planning import View, check_project
from cosell_flows.compiling.signatures import signature_of
from cosell_flows.compiling.types import (
    ANY,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    Type,
    either,
    list_of,
    record_of,
)
from cosell_flows.running.outcomes import StepFailed

HEAD = """\
flow: v1
id: it
name: It
inputs:
  amount: { type: decimal, default: 1 }
  count: { type: integer, default: 1 }
  name: { type: string, default: a }
  kind: { type: string, enum: [new, old], default: new }
  on: { type: boolean, default: false }
  day: { type: date, default: 2026-01-31 }
  at: { type: datetime, default: 2026-01-31T10:00:00Z }
  rows: { type: array, items: { type: object, properties: { id: { type: string }, n: { type: integer }, tags: { type: array, items: { type: string } } } }, default: [] }
  words: { type: array, items: { type: string }, default: [] }
  who: { type: object, properties: { first: { type: string }, age: { type: integer }, home: { type: object, properties: { zip: { type: string } } } }, default: {} }
  maybe: { type: string, required: false }
  thing: { type: object, default: {} }
uses: { env: [MARK, STAGE, LIMIT] }
steps:
- { id: first, set: { text: a, number: 1, list: [1, 2], rec: { a: 1, b: { c: x } }, env: "{{ env.MARK }}{{ env.STAGE }}{{ env.LIMIT }}" } }
"""
CHILD = """\
flow: v1
id: child
name: C
inputs: { zip: { type: string }, size: { type: integer, default: 1 }, day: { type: date, required: false }, ids: { type: array, items: { type: string }, default: [] } }
steps: [{ id: a, set: { b: 1 } }]
outputs: { found: { type: integer, value: "{{ steps.a.output.b }}" } }
"""
VARIABLES = """\
variables: v1
declare:
  STAGE: { display_name: Stage, type: stage, default: Prospecting }
  MARK: { display_name: Mark, type: boolean, default: Yes }
  LIMIT: { display_name: Limit, type: number, default: 1.10 }
"""
WRONG = yaml.safe_load(Path(__file__).with_name("ill_typed.yaml").read_text("utf-8"))


def said_of(steps: str) -> list[str]:
    """All that a check says of these steps: code, what is underlined, message and hint."""
    text = HEAD + steps
    flow, problems = load_flow(text, file="it.flow.yaml")
    child, _ = load_flow(CHILD, file="child.flow.yaml")
    declared, _ = load_variables(VARIABLES, file="variables.yaml")
    assert flow is not None, problems
    assert child is not None
    assert declared is not None
    view = View(
        flows={"it": flow, "child": child},
        declarations={one.name: one for one in declared},
        operations=ENGINE,
    )
    lines = text.splitlines()
    return [
        f"{it.code} {lines[it.place.line - 1][it.place.column - 1 : (it.place.end_column or 1) - 1]}:"
        f" {it.message}" + (f" ({it.hint})" if it.hint else "")
        for it in check_project(view)
    ]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: str(case["steps"].strip()))
def test_what_cannot_come_out_well_is_told_with_what_to_do(case: dict[str, Any]) -> None:
    """The whole of it, to the letter: the place, the message and the hint."""
    assert said_of(case["steps"]) == case["problems"]


WELL = (
    "- { id: x, when: inputs.on and env.MARK, wait: 1s }",
    "- { id: x, when: inputs.amount > 0 and inputs.count >= 1.5, wait: 1s }",
    "- { id: x, when: inputs.amount == inputs.count, wait: 1s }",
    "- { id: x, when: inputs.maybe is not none and inputs.maybe != '', wait: 1s }",
    "- { id: x, when: inputs.maybe == none, wait: 1s }",
    "- { id: x, when: inputs.thing.anything.goes, wait: 1s }",
    "- { id: x, when: inputs.thing.n > 3 or inputs.thing.n == '3', wait: 1s }",
    "- { id: x, when: inputs.kind == 'other', wait: 1s }",
    "- { id: x, when: \"inputs.name in ['a', 'b'] and 'a' in inputs.name and 'a' in inputs.who\", wait: 1s }",
    "- { id: x, when: \"inputs.day == ('2026-01-31' | date) and inputs.at > run.now\", wait: 1s }",
    "- { id: x, set: { a: \"{{ inputs.who.nick | default('') }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.who.nick if inputs.who.nick is defined else 'none' }}\" } }",
    "- { id: x, when: inputs.who.nick is defined, set: { a: \"{{ inputs.who.nick }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.maybe | upper }} {{ inputs.who.first ~ inputs.count }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.amount | string | upper }}{{ inputs.day - (inputs.at | date) }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.words + ['x'] + [] }}\", b: \"{{ 'ab' * 3 }}\", c: \"{{ inputs.name + 'x' }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.rows | map(attribute='n') | sum + 1 }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.rows | map(attribute='nick', default='') | map('upper') | join(', ') }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.rows | selectattr('n', 'gt', 3) | sort(attribute='id') | first }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.rows | selectattr('nick') | list | length }}\" } }",
    "- { id: x, set: { a: \"{{ (inputs.rows | first).n + (inputs.rows | map(attribute='n') | max) }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.name | int(0) + inputs.thing | int(0) }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.count | default('none') }}\" } }\n- { id: y, when: steps.x.output.a == 'none', wait: 1s }",
    "- { id: x, set: { mode: full } }\n- { id: y, when: steps.x.output.mode == 'delta', wait: 1s }",
    "- { id: x, call: child, with: { zip: \"{{ inputs.count | string }}\", size: \"{{ inputs.amount }}\", day: \"2026-01-{{ inputs.name }}\" } }",
    "- { id: x, call: child, with: { zip: \"{{ inputs.maybe }}\", ids: \"{{ inputs.rows | map(attribute='id') | list }}\" } }",
    "- { id: x, action: debug.fail, with: { times: \"{{ inputs.count }}\" }, on_error: { steps: [{ id: z, when: \"error.class in ['invalid', 'not_found']\", wait: 1s }], then: continue } }\n- { id: y, when: steps.x.status != 'failed', wait: 1s }",
    "- { id: x, foreach: inputs.rows, as: r, result: \"{{ r.id }}\", steps: [{ id: y, when: r.n == index, wait: 1s }] }\n- { id: z, foreach: steps.x.output.results | select, as: one, steps: [{ id: w, set: { a: \"{{ one | upper }}\" } }] }\n- { id: v, when: steps.x.output.counts.failed > 0, set: { a: \"{{ steps.x.output.errors | map(attribute='error.message') | join }}\" } }",
    "- { id: x, foreach: \"inputs.who | items\", as: pair, steps: [{ id: y, set: { a: \"{{ pair[0] }}\" } }] }",
    "- { id: x, foreach: range(3), as: n, steps: [{ id: y, set: { a: \"{{ n * 2 }}\" } }] }",
    "- { id: x, switch: inputs.kind, cases: [{ is: [new, 'other'], steps: [{ id: y, wait: 1s }] }] }",
    "- { id: x, switch: inputs.count, cases: [{ is: 1, steps: [{ id: y, wait: 1s }] }] }",
    "- { id: x, switch: inputs.on, cases: [{ is: true, steps: [{ id: y, wait: 1s }] }] }",
    "- { id: x, action: debug.echo, with: { a: \"{{ inputs.rows }}\" } }\n- { id: y, set: { a: \"{{ steps.x.output.a[0].n + 1 }}\" } }",
    "- { id: x, set: { a: \"{{ ({'a': 1} | merge({'b': 2})).b + 1 }}{{ (inputs.thing | merge({'b': 2})).c }}\" } }",
    "- { id: x, set: { a: \"{{ ({'a': {'b': 1}} | merge({'a': {'c': 2}}, deep=true)).a.b + 1 }}\" } }",
    "- { id: x, set: { a: \"{{ inputs.rows | groupby('n') | map(attribute='items') | list }}\" } }",
    "- { id: x, set: { a: \"{{ none if inputs.on else inputs.count }}\", b: \"{{ (none if inputs.on else 1) }}\" } }\n- { id: y, set: { c: \"{{ steps.x.output.a + 1 }}\" } }",
)  # fmt: skip


@pytest.mark.parametrize("steps", WELL)
def test_what_may_come_out_well_is_left_alone(steps: str) -> None:
    """Not a word where a value might do."""
    assert said_of(steps + "\n") == []


def test_every_line_of_the_table_can_be_read() -> None:
    """The arguments that a line names are those of the function behind it."""
    differing = []
    for table in (FILTERS, TESTS, FUNCTIONS):
        for entry in table.values():
            named = [one.name for one in signature_of(entry.types).parameters]
            taken = list(inspect.signature(entry.call).parameters)
            begin = 1 if signature_of(entry.types).value is None else 2
            if not entry.from_scope and named != taken[begin:]:
                differing.append((entry.name, named, taken[begin:]))

    assert differing == []


def test_error_has_the_fields_that_a_failure_tells() -> None:
    """What the checker knows of `error` is what a run puts there."""
    assert ERROR.fields is not None

    assert list(ERROR.fields) == list(StepFailed("invalid", "no").as_json())


def test_run_has_the_fields_that_a_run_tells(small: Any) -> None:
    """What the checker knows of `run` is what a run puts there."""
    small.flow(
        'steps: [{ id: say, set: { all: "{{ run }}" } }]\noutputs: { all: { value: "{{ steps.say.output.all }}" } }\n'
    )
    assert RUN.fields is not None

    assert list(RUN.fields) == list(small.run().said["outputs"]["all"])


UNIONS = (
    (TEXT, TEXT, TEXT),
    (TEXT, ANY, ANY),
    (either(TEXT, NULL), NUMBER, either(TEXT, NULL, NUMBER)),
    (list_of(TEXT), list_of(INTEGER), list_of(either(TEXT, INTEGER))),
    (record_of({"a": TEXT}), record_of({"a": TEXT, "b": TEXT}), record_of({"a": TEXT, "b": TEXT})),
    (record_of({"a": TEXT}), NULL, Type(frozenset(("record", "null")), fields={"a": TEXT}, besides="nothing")),
)  # fmt: skip


@pytest.mark.parametrize(("one", "other", "both"), UNIONS)
def test_a_value_of_either_type(one: Type, other: Type, both: Type) -> None:
    """What is known of both is known; in either order."""
    assert (either(one, other), either(other, one)) == (both, both)
