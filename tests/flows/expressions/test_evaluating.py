# ruff: noqa: PT017 - documents stand in the tests as they stand in files
"""Expressions yield what they name, with its type, and end in an error that says what to do."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_definitions.model import Bare, Template
from cosell_definitions.problems import Place
from cosell_flows.compiling.expressions import (
    ExpressionFailed,
    ScopeFunction,
    evaluate,
    evaluate_bare,
    truth,
)
from cosell_flows.compiling.filters import FILTERS, FUNCTIONS, TESTS
from cosell_flows.compiling.referring import references
from cosell_flows.compiling.values import to_json

SCOPE: dict[str, Any] = {
    "inputs": {
        "id": "006E00000012345",
        "nothing": None,
        "count": 3,
        "name": "Contoso",
        "price": Decimal("1.10"),
        "rows": [{"id": "a", "n": 1}, {"id": "b", "n": 2}],
    },
    "env": {"ON": True, "OFF": False, "STAGE": "Prospecting"},
    "opp": {"items": [1, 2], "keys": "mine", "get": "got", "_links": "x"},
    "day": date(2026, 1, 31),
    "moment": datetime(2026, 1, 31, 8, tzinfo=UTC),
    "evil": "{{ inputs.id }}",
    "double": ScopeFunction(lambda value: value * 2),
}


def template(text: str) -> Template:
    """A template as it would stand in the tenth column of line 7."""
    return Template(text, Place(file="f.yaml", line=7, column=10, end_column=10 + len(text)))


def value_of(text: str) -> Any:
    """The value of a template in the scope above."""
    return evaluate(template(text), SCOPE)


def failure_of(text: str) -> ExpressionFailed:
    """The error that a template ends in."""
    with pytest.raises(ExpressionFailed) as caught:
        value_of(text)
    return caught.value


YIELDS = {
    "{{ inputs.id }}": "006E00000012345",
    "{{ inputs.nothing }}": None,
    "{{ inputs.rows }}": [{"id": "a", "n": 1}, {"id": "b", "n": 2}],
    "{{ env.ON }}": True,
    "{{ day }}": date(2026, 1, 31),
    "{{ opp.items }}": [1, 2],
    "{{ opp['items'] }}": [1, 2],
    "{{ opp.keys }}": "mine",
    "{{ opp.get }}": "got",
    "{{ inputs.rows[1].id }}": "b",
    "{{ inputs.rows[-1]['id'] }}": "b",
    "{{ inputs.id[:3] }}": "006",
    "{{ inputs.rows | map(attribute='n') | sum }}": 3,
    "{{ 0.1 + 0.2 }}": Decimal("0.3"),
    "{{ inputs.price * 3 }}": Decimal("3.30"),
    "{{ 7 // 2 }}": 3,
    "{{ 1 / 4 }}": Decimal("0.25"),
    "{{ inputs.name | default('x') }}": "Contoso",
    "{{ inputs.nothing | default('x') }}": "x",
    "{{ inputs.a.b.c | default('x') }}": "x",
    "{{ inputs.a.b | default(inputs.c.d) | default('x') }}": "x",
    "{{ inputs.a.b is defined }}": False,
    "{{ inputs.nothing is defined }}": True,
    "{{ inputs.nothing is none }}": True,
    "{{ inputs.rows | selectattr('n', 'gt', 1) | map(attribute='id') | list }}": ["b"],
    "{{ 'x' if env.OFF else 'y' }}": "y",
    "{{ inputs.nothing or 'x' }}": "x",
    "{{ evil }}": "{{ inputs.id }}",
    "{{ '{{ x }}' }}": "{{ x }}",
    "{{ {'a': {'b': 1}} }}": {"a": {"b": 1}},
    "{{ [] | first | default(7) }}": 7,
    "{{ double(21) }}": 42,
    "{{ 1 == true }}": False,
    "{{ 1 == 1.0 }}": True,
    "{{ '1' == 1 }}": False,
    "{{ null }}": None,
    "{{ inputs.id }}\n": "006E00000012345",
    "a {{ env.ON }} {{ inputs.price }} {{ day }} {{ moment }} {{ inputs.count }}": (
        "a true 1.10 2026-01-31 2026-01-31T08:00:00Z 3"
    ),
    " {{ inputs.count }}": " 3",
    "{{ inputs.count }}{{ inputs.count }}": "33",
    "{{ evil }} stays": "{{ inputs.id }} stays",
    "no braces, {% no statement %}": "no braces, {% no statement %}",
}


@pytest.mark.parametrize("text", YIELDS)
def test_an_expression_yields_its_value(text: str) -> None:
    """One expression alone yields the object itself; anything else is text."""
    value = value_of(text)

    assert (value, type(value)) == (YIELDS[text], type(YIELDS[text]))


FAILS = {
    "{{ inptus.id }}": ("there is no 'inptus' here", "did you mean 'inputs'?", 13),
    "{{ inputs.nmae }}": ("there is no 'nmae' in inputs", "did you mean 'name'?", 20),
    "{{ inputs.a.b }}": ("there is no 'a' in inputs", "it has: count, id, name", 20),
    "{{ inputs.nothing.b }}": ("inputs.nothing is null, which has no 'b'", "default(", 28),
    "x {{ inputs.nothing }}": (
        "inputs.nothing is null, which cannot be written into text",
        "{{ inputs.nothing | default('') }}",
        15,
    ),
    "{{ inputs.rows[5] }}": ("inputs.rows has 2 items; there is no item 5", "default(", 25),
    "{{ inputs.name.upper() }}": ("methods cannot be called: upper()", "inputs.name | upper", 25),
    "{{ inputs.rows.append(1) }}": ("methods cannot be called: append()", "filters", 25),
    "{{ ''.__class__ }}": ("names such as __class__ belong to Python", "", 16),
    "{{ opp['__class__'] }}": ("names such as __class__ belong to Python", "", 17),
    "{{ inputs.name | uper }}": ("there is no filter 'uper'", "did you mean 'upper'?", None),
    "{{ inputs.name is blnk }}": ("there is no test 'blnk'", "did you mean 'blank'?", None),
    "{{ open('/etc/passwd') }}": ("there is no function 'open'", "range", None),
    "{{ inputs.name | upper(1) }}": (
        "filter 'upper': too many positional arguments",
        "as in",
        None,
    ),
    "{{ inputs.count + 'x' }}": ("3 (a number) + 'x' (text) cannot be worked out", "~", None),
    "{{ inputs.count > 'x' }}": ("have no order", "| decimal", None),
    "{{ inputs.count / 0 }}": ("division by zero", "!= 0", None),
    "{{ 1 + }}": ("the expression ends too early", "close", 16),
    "{{ a b }}": ("the expression ends before 'b'", "between two values", 15),
    "{{ inputs.id": ("the braces that open here are never closed", "add }}", 10),
    "{{ }}": ("there is no expression here", "delete the braces", None),
    "{{ x && y }}": ("& means nothing here", "`and`", 15),
    "{{ 'x' | int }}": ("'x' (text) is not a whole number", "| int(0)", None),
    "{{ [] | soql_list }}": ("an empty list cannot be written into SOQL", "length > 0", None),
}


def test_a_key_may_begin_with_an_underscore() -> None:
    """`_links` is a key of a payload like any other, read either way."""
    assert value_of("{{ [opp._links, opp['_links']] }}") == ["x", "x"]


@pytest.mark.parametrize("text", FAILS)
def test_a_failure_says_what_to_do(text: str) -> None:
    """An expression without a value ends in words, a hint and a place in the file."""
    message, hint, column = FAILS[text]

    failure = failure_of(text)

    assert message in failure.message
    assert hint in (failure.hint or "")
    assert (failure.place.line, failure.place.column) == (7, column or failure.place.column)


@pytest.mark.parametrize(
    "text",
    [
        "{{ range(10**9) }}",
        "{{ 'a' * 10**9 }}",
        "{{ 10**(10**9) }}",
        "{{ 9**9999999 }}",
        "{{ (10**4000) * (10**4000) }}",
        "{{ range(90000) | list + range(90000) | list }}",
        "{{ range(40000) | list | select('in', range(40000) | reverse) | list | length }}",
        "{{ 'aaaa' | replace('', 'x' * 900000) }}",
        "{{ ('a' * 900000) | replace('a', 'bb') }}",
        "{{ ('a' * 3000) | matches('(a+)+b') }}",
        "{{ ('a' * 3000) | matches('a*a*a*b') }}",
        "{{ range(90000) | join('x' * 1000) }}",
        "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
        "{{ " + "[" * 300 + "1" + "]" * 300 + " | tojson | length + 'x' }}",
        "{{ " + "1 + " * 3000 + "'x' }}",
    ],
)
def test_nothing_hangs_the_worker(text: str) -> None:
    """What would take for ever, or all memory, ends in an error in about a second."""
    began = time.monotonic()

    failure_of(text)

    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("inputs.name", "inputs.name != ''"),
        ("inputs.count", "inputs.count != 0"),
        ("inputs.nothing", "inputs.nothing is not none"),
        ("inputs.rows", "inputs.rows | length > 0"),
        ("inputs.name and env.ON", "inputs.name != ''"),
        ("not inputs.count", "inputs.count != 0"),
    ],
)
def test_a_condition_must_be_a_boolean(text: str, test: str) -> None:
    """A condition that is neither true nor false proposes a test."""
    with pytest.raises(ExpressionFailed) as caught:
        truth(Bare(text, Place(file="f.yaml")), SCOPE)

    assert caught.value.hint == f"write a test: {test}"


def test_a_condition_holds_or_not() -> None:
    """Conditions join with and, or, not."""
    bare = Bare("env.ON and not (env.OFF or inputs.count > 3)", Place(file="f.yaml"))

    assert truth(bare, SCOPE) is True


def test_a_bare_expression_keeps_its_type() -> None:
    """The list of a foreach is the list itself."""
    rows = evaluate_bare(Bare("inputs.rows", Place(file="f.yaml")), SCOPE)

    assert rows is SCOPE["inputs"]["rows"]


def test_a_value_is_filled_in_at_every_depth() -> None:
    """Lists and mappings of a `with` become lists and dicts, literals stay as they are."""
    value = {"a": (template("{{ inputs.count }}"), "b", Decimal("1.10")), "c": {"d": None}}

    assert evaluate(value, SCOPE) == {"a": [3, "b", Decimal("1.10")], "c": {"d": None}}


ENTRIES = [
    pytest.param(entry, id=f"{kind}-{entry.name}")
    for kind, table in (("filter", FILTERS), ("test", TESTS), ("function", FUNCTIONS))
    for entry in table.values()
    if not entry.from_scope
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_example_of_a_filter_holds(entry: Any) -> None:
    """What the table, and so the docs, show of a filter is what it does."""
    assert to_json(evaluate(template("{{ " + entry.example + " }}"), {})) == entry.result


def test_references_name_what_is_read() -> None:
    """A check sees the paths, where they stand, and which may be missing."""
    text = "x {{ steps.plan.output['a'] | default(env.B) }} {{ inputs.c }}"

    assert [(it.path, it.guarded, it.at) for it in references(text)] == [
        (("steps", "plan", "output", "a"), True, text.index("steps")),
        (("env", "B"), True, text.index("env")),
        (("inputs", "c"), False, text.index("inputs")),
    ]


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("a.b", False),
        ("a.b is defined", True),
        ("a.b is defined and a.b.c == 1", True),
        ("a.b is defined or a.b.c == 1", False),
        ("a.b is undefined or a.b.c == 1", True),
        ("a.b.c if a.b is defined else 0", True),
        ("a.b.c if a.b | default('') else 0", True),
        ("0 if a.b is undefined else a.b.c", True),
        ("(a.b | default('')) ~ a.b", False),
        ("a[x.y].b | default(1)", False),
    ],
)
def test_what_stands_under_a_test_is_guarded(text: str, guarded: bool) -> None:
    """`default` and `is defined` guard the names that they speak of, and no others."""
    assert all(it.guarded for it in references(text)) is guarded


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_a_lone_expression_is_the_object_itself(value: Any) -> None:
    """No value is changed on its way, whatever it looks like."""
    assert evaluate(template("{{ x }}"), {"x": value}) is value


@given(st.text())
def test_text_from_outside_stays_text(text: str) -> None:
    """Values are never rendered again."""
    assert evaluate(template("<{{ x }}>"), {"x": text}) == f"<{text}>"


@given(st.text(alphabet="abxs.|()[]{}'\"+-*/<>=!~, 0123456789_", max_size=40))
def test_no_expression_breaks_the_evaluator(text: str) -> None:
    """Whatever is typed between the braces, the answer is a value or an ExpressionFailed."""
    try:
        evaluate(template("{{ " + text + " }}"), {"a": 1, "b": "x", "s": [1], "x": {"a": 2}})
    except ExpressionFailed as failure:
        assert failure.message


def test_thousands_are_looked_for_among_as_many() -> None:
    """As a night's comparison does with all links that there are: it is no work of hours."""
    ids = [f"id {number}" for number in range(20_000)]
    rows = [{"id": one} for one in [*ids, "another"]]

    left = evaluate(
        template("{{ rows | rejectattr('id', 'in', ids) }}"), {"rows": rows, "ids": ids}
    )

    assert left == [{"id": "another"}]


@given(
    st.lists(st.sampled_from(["a", "b", 1, 1.0, True, None])), st.sampled_from(["a", 1, True, None])
)
def test_a_list_is_looked_through_alike_once_and_often(whole: list[Any], item: Any) -> None:
    """`in` by itself, and as the test that a filter applies to each item."""
    scope = {"whole": whole, "item": item}

    often = evaluate(template("{{ [item] | select('in', whole) | length == 1 }}"), scope)

    assert often is evaluate(template("{{ item in whole }}"), scope)
