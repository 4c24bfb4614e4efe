# ruff: noqa: E501 - documents stand in the tests as they stand in files
"""Who writes it as in another tool is told how it is written here, at the very letter."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cosell_definitions.model import Template
from cosell_definitions.parsing import load_flow
from cosell_definitions.problems import Place
from cosell_flows.compiling.expressions import evaluate
from cosell_flows.compiling.planning import View, check_project

HEAD = """\
flow: v1
id: it
name: It
inputs:
  count: { type: integer }
  name: { type: string }
  on: { type: boolean }
  rows: { type: array }
steps:
  - { id: first, set: { text: a } }
  - { id: x, set: { a: "{{ %s }}" } }
"""
# expression -> what is underlined, in the message, in the hint
SLIPS = {
    "inputs.count = 3": ("= 3", "ends before '= 3'", "=="),
    "inputs.count === 3": ("= 3", "unexpected '='", "=="),
    "inputs.count <> 3": ("> 3", "unexpected '>'", "!="),
    "inputs.on && inputs.on": ("&& inputs", "& means nothing here", "`and`"),
    "inputs.on || inputs.on": ("|| inputs", "|| means nothing here", "`or`"),
    "!inputs.on": ("!inputs", "! means nothing here", "`not`"),
    "inputs.on AND inputs.on": ("AND", "ends before 'AND", "`and`"),
    "inputs.on ? 1 : 2": ("? 1", "? means nothing here", "'a' if condition else 'b'"),
    "if inputs.on then 1 else 2": ("inputs.on then", "ends before", "'a' if condition else 'b'"),
    "inputs.name contains 'a'": ("contains", "ends before", "x | contains('…')"),
    "inputs.name.contains('a')": ("contains", "methods cannot be called: contains()", "inputs.name | contains(…)"),
    "inputs.name.toLowerCase()": ("toLowerCase", "methods cannot be called", "inputs.name | lower"),
    "inputs.name == 'a": ("{{", "never closed", "close the quote"),
    "$inputs.name": ("$", "$ means nothing here", "names stand alone"),
    "@inputs.name": ("@", "@ means nothing here", "names stand alone"),
    "inputs.name == a": ("a", "there is no 'a' here", "put it in quotes: 'a'"),
    "(inputs.count + 1": ("", "ends too early: ) is missing", "must close"),
    "inputs.rows[0": ("", "ends too early", "must close"),
    "inputs.count +": ("", "ends too early: something is missing", "must close"),
    "inputs.name |": ("", "ends too early: a name is missing", "| filter"),
    "1,5": (",5", "ends before ',5'", "a point: 1.5"),
    "[r.id for r in inputs.rows]": ("for r", "unexpected 'for'", "map(attribute='…')"),
    "inputs.rows | map('id')": ("'id'", "there is no filter 'id'", "map(attribute='id')"),
    "inputs.rows | selectattr('n', '=', 1)": ("'='", "there is no test '='", "did you mean"),
    "inputs.name | uppercase": ("uppercase", "there is no filter 'uppercase'", "did you mean 'upper'?"),
    "inputs.name | replace('a')": ("replace", "missing a required argument: 'new'", "replace('-', '_')"),
    "length(inputs.rows)": ("length", "there is no function 'length'", "x | length"),
    "empty(inputs.rows)": ("empty", "there is no function", "x is blank"),
    "concat('a', 'b')": ("concat", "there is no function", "a ~ b"),
    "equals(inputs.name, 'a')": ("equals", "there is no function", "a == b"),
    "utcNow()": ("utcNow", "there is no function", "run.now"),
    "outputs('first')": ("outputs", "there is no function", "steps.<id>.output"),
    "triggerBody()": ("triggerBody", "there is no function", "event"),
    "upper(inputs.name)": ("upper", "there is no function", "x | upper"),
    "name": ("name", "there is no 'name' here", "did you mean inputs.name?"),
    "first.output.text": ("first", "there is no 'first' here", "did you mean steps.first.output?"),
    "input.name": ("input", "there is no 'input' here", "did you mean 'inputs'?"),
    "index": ("index", "there is no 'index' here", "in a loop"),
    "error.message": ("error", "there is no 'error' here", "on_error"),
    "today": ("today", "there is no 'today' here", "run.now | date"),
    "006E00000012345": ("006E00000012345", "006E00000012345 is not a number here", "in quotes: '006E00000012345'"),
    "007": ("007", "007 is not a number here", "in quotes"),
    "1_000": ("1_000", "1_000 is not a number here", "in quotes"),
    "1e5": ("1e5", "1e5 is not a number here", "in quotes"),
    "0x1F": ("0x1F", "0x1F is not a number here", "in quotes"),
    "steps.first.output[0]": ("0", "is a record; its fields have names", "it has: text"),
}  # fmt: skip


@pytest.mark.parametrize("expression", SLIPS)
def test_a_slip_is_told_with_what_was_meant(expression: str) -> None:
    """One problem: where it is, what it is, and how it is written here."""
    marked, message, hint = SLIPS[expression]
    text = HEAD % expression
    flow, problems = load_flow(text, file="it.flow.yaml")
    assert flow is not None, problems

    (problem,) = check_project(View(flows={"it": flow}))

    place = problem.place
    assert text.splitlines()[place.line - 1][place.column - 1 :].startswith(marked)
    assert message in problem.message
    assert hint in (problem.hint or "")


NUMBERS = ("0", "7", "10", "1.10", "0.5", "100000", "3 - 1", "3-1", "1.5*2", "7 // 2", "[1,2][0]")


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_that_looks_like_one_is_one(text: str) -> None:
    """Digits, with a point or without; signs stand between numbers as anywhere."""
    value = evaluate(Template(f"{{{{ {text} }}}}", Place(file="it.yaml")), {})

    assert isinstance(value, int | Decimal)
