# ruff: noqa: E501, PT017 - documents stand in the tests as they stand in files
"""No value is changed by the way it was written or carried: through inputs, steps, children and outputs."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_definitions.model import Template
from cosell_definitions.problems import Place
from cosell_flows.cli.console import to_json
from cosell_flows.compiling.expressions import (
    ExpressionFailed,
    compiled,
    evaluate,
)
from cosell_flows.compiling.grammar import MAX_LENGTH
from cosell_flows.compiling.referring import usage
from cosell_flows.compiling.values import Faulty

if TYPE_CHECKING:
    from .conftest import Small

# As typed in a file, and what comes out; decimals as text here, because floats would lie.
WRITTEN = {
    "006E00000012345": "006E00000012345",
    "+390612345": "+390612345",
    "'None'": "None",
    "None": "None",
    "1_000": "1_000",
    "0x10": "0x10",
    "0o17": "0o17",
    "1e5": "1e5",
    ".inf": ".inf",
    "NO": "NO",
    "Yes": "Yes",
    "on": "on",
    "y": "y",
    "'true'": "true",
    "'1.10'": "1.10",
    "00184": "00184",
    "007": "007",
    "12:30:45": "12:30:45",
    "2026-01-31": "2026-01-31",
    "😀 日本 é": "😀 日本 é",
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "42": 42,
    "-7": -7,
    "0": 0,
    "1.10": "1.10",
    "0.000000000000000000001": "0.000000000000000000001",
    "12345678901234567890.123456789012345678901234567890": "12345678901234567890.123456789012345678901234567890",
    "123456789012345678901234567890": 123456789012345678901234567890,
    "{ items: 1, values: 2, get: 3, keys: 4, pop: 5, update: 6, copy: 7 }": {
        "items": 1, "values": 2, "get": 3, "keys": 4, "pop": 5, "update": 6, "copy": 7,
    },
    "[]": [],
    "{}": {},
    "''": "",
}  # fmt: skip


def test_what_is_written_comes_out_as_it_was_written(small: Small) -> None:
    """Through `set`, a template, `debug.echo`, a child flow and the outputs of the run."""
    names = [f"v{number}" for number in range(len(WRITTEN))]
    small.flow(
        "inputs: { all: { type: object } }\nsteps: [{ id: same, set: { all: '{{ inputs.all }}' } }]\n"
        'outputs: { all: { value: "{{ steps.same.output.all }}" } }\n',
        name="child",
    )
    lines = "".join(f"        {name}: {text}\n" for name, text in zip(names, WRITTEN, strict=True))
    small.flow(
        f"steps:\n  - id: written\n    set:\n{lines}"
        '  - { id: echoed, action: debug.echo, with: { all: "{{ steps.written.output }}" } }\n'
        '  - { id: down, call: child, with: { all: "{{ steps.echoed.output.all }}" } }\n'
        "outputs:\n"
        '  all: { value: "{{ steps.down.output.all }}" }\n'
        "  parts:\n    value:\n"
        + "".join(f'      {name}: "{{{{ steps.down.output.all.{name} }}}}"\n' for name in names)
    )

    answered = small.run()

    expected = dict(zip(names, WRITTEN.values(), strict=True))
    assert (answered.code, answered.said["outputs"]) == (0, {"all": expected, "parts": expected})


GIVEN = {
    "t=006E00000012345": "006E00000012345",
    "t=+390612345": "+390612345",
    "t=None": "None",
    "t=null": "null",
    "t=1_000": "1_000",
    "t=NO": "NO",
    "t=1.10": "1.10",
    "t={{ inputs.t }}": "{{ inputs.t }}",
    "t={% if 1 %}x{% endif %}": "{% if 1 %}x{% endif %}",
    "t=": "",
    "t= blanks ": " blanks ",
    "t=a=b": "a=b",
    "n=1.10": "1.10",
    "n=12345678901234567890.12345678901234567890123456789": "12345678901234567890.12345678901234567890123456789",
    "n=1e3": 1000,
    "i=123456789012345678901234567890": 123456789012345678901234567890,
    "b=YES": True,
    "b=no": False,
    "d=2026-01-31": "2026-01-31",
    "m=2026-01-31T10:00:00+01:00": "2026-01-31T10:00:00+01:00",
    'o={"items": 1.10, "keys": null, "get": "006E00000012345", "a b": [1, 1.0, "1"]}': {
        "items": "1.10", "keys": None, "get": "006E00000012345", "a b": [1, "1.0", "1"],
    },
}  # fmt: skip
ECHO = """\
inputs:
  t: { type: string, required: false }
  n: { type: decimal, required: false }
  i: { type: integer, required: false }
  b: { type: boolean, required: false }
  d: { type: date, required: false }
  m: { type: datetime, required: false }
  o: { type: object, required: false }
steps:
  - { id: echoed, action: debug.echo, with: { all: "{{ inputs }}" } }
outputs: { all: { value: "{{ steps.echoed.output.all }}" } }
"""


@pytest.mark.parametrize("pair", GIVEN)
def test_what_is_typed_by_hand_comes_out_as_it_was_typed(small: Small, pair: str) -> None:
    """Typed by the input's schema, and never by its looks."""
    small.flow(ECHO)

    outputs = small.run(pair).said["outputs"]["all"]

    assert outputs[pair.split("=", maxsplit=1)[0]] == GIVEN[pair]


REFUSED = (
    "n=1_000", "n=１２", "n= 1", "n=NaN", "n=Infinity", "n=1e999999999", "i=1.5", "i=1e999999999",
    "b=1", "b=", "d=31.01.2026", "m=soon", "o=[1]", "o={", 'o={"a": NaN}', "o=" + "[" * 5_000, "x=1",
)  # fmt: skip


@pytest.mark.parametrize("pair", REFUSED, ids=lambda pair: str(pair)[:30])
def test_what_is_none_of_the_type_is_wrong_usage(small: Small, pair: str) -> None:
    """Exit code 2, a sentence, and nothing guessed."""
    small.flow(ECHO)

    answered = small.run(pair)

    assert (answered.code, answered.said["problems"], len(answered.complained) < 500) == (
        2,
        [],
        True,
    )
    assert "Traceback" not in answered.complained


def test_a_default_has_the_type_of_its_input(small: Small) -> None:
    """A date that nobody gave is a date; a default may read the environment."""
    small.flow(
        "inputs:\n"
        "  d: { type: date, default: 2026-01-31 }\n"
        "  s: { type: string, default: 1.10 }\n"
        '  e: { type: string, default: "in {{ env.STAGE }}" }\n'
        "  o: { type: object, properties: { zip: { type: string }, n: { type: decimal } }, default: { zip: 1.10, n: 1.10 } }\n"
        "  l: { type: array, items: { type: string }, default: [1.10, true, 00184] }\n"
        "uses: { env: [STAGE] }\n"
        "steps:\n"
        '  - { id: later, set: { day: "{{ inputs.d | add_days(1) }}", is_date: "{{ inputs.d is date }}" } }\n'
        'outputs: { all: { value: ["{{ steps.later.output }}", "{{ inputs.s }}", "{{ inputs.e }}", "{{ inputs.o }}", "{{ inputs.l }}"] } }\n'
    )

    outputs = small.run().said["outputs"]["all"]

    assert outputs == [
        {"day": "2026-02-01", "is_date": True},
        "1.10",
        "in Prospecting",
        {"zip": "1.10", "n": "1.10"},
        ["1.10", "true", "00184"],
    ]


THREE = """\
inputs: {{ r: {{ type: object }} }}
steps:
  - {{ id: say, set: {{ v: "{expression}" }} }}
outputs: {{ v: {{ value: "{{{{ steps.say.output.v }}}}" }} }}
"""
STATES: dict[str, tuple[Any, Any, Any]] = {
    # of a field that has a value, is null, is missing
    "{{ inputs.r.x }}": ("v", None, "there is no 'x' in inputs.r"),
    "so {{ inputs.r.x }}": ("so v", "inputs.r.x is null, which cannot be written into text", "there is no 'x' in inputs.r"),
    "{{ inputs.r.x is defined }}": (True, True, False),
    "{{ inputs.r.x is none }}": (False, True, "there is no 'x' in inputs.r"),
    "{{ inputs.r.x | default('d') }}": ("v", "d", "d"),
    "{{ inputs.r.x.y.z | default('d') }}": ("d", "d", "d"),
    "{{ inputs.r.x.y is defined }}": (False, False, False),
    "{{ 'x' in inputs.r }}": (True, True, False),
    "{{ inputs.r.x == none }}": (False, True, "there is no 'x' in inputs.r"),
    "{{ inputs.r.x == '' }}": (False, False, "there is no 'x' in inputs.r"),
    "{{ inputs.r.x | upper }}": ("V", "upper works on text; this is null", "there is no 'x' in inputs.r"),
    "{{ inputs.r | tojson }}": ('{"x": "v"}', '{"x": null}', "{}"),
    "{{ inputs.r.x is blank }}": (False, True, True),
}  # fmt: skip


@pytest.mark.parametrize("expression", STATES)
def test_a_value_null_and_missing_are_three_things(small: Small, expression: str) -> None:
    """Each is told from the others, through the whole engine."""
    small.flow(THREE.format(expression=expression))

    found = []
    for given_record in ('r={"x": "v"}', 'r={"x": null}', "r={}"):
        said = small.run(given_record).said
        found.append(said["error"]["message"] if said["error"] else said["outputs"]["v"])

    assert tuple(found) == STATES[expression]


def test_money_keeps_its_digits_in_every_sum(small: Small) -> None:
    """No float is anywhere between the JSON that comes in and the JSON that goes out."""
    small.flow(
        "inputs: { rows: { type: array, items: { type: object, properties: { price: { type: decimal } } } } }\n"
        "steps:\n"
        "  - id: say\n    set:\n"
        "      total: \"{{ inputs.rows | map(attribute='price') | sum }}\"\n"
        '      text: "{{ inputs.rows[0].price }} {{ inputs.rows[0].price * 3 }} {{ 0.1 + 0.2 }}"\n'
        '      json: "{{ inputs.rows | tojson }}"\n'
        '      rounded: "{{ 2.675 | round(2) }}"\n'
        'outputs: { v: { value: "{{ steps.say.output }}" } }\n'
    )

    outputs = small.run('rows=[{"price": 1.10}, {"price": 0.20}, {"price": 1e2}]').said["outputs"]

    assert outputs["v"] == {
        "total": "101.30",
        "text": "1.10 3.30 0.3",
        "json": '[{"price": 1.10}, {"price": 0.20}, {"price": 100}]',
        "rounded": "2.68",
    }


# -- properties ---------------------------------------------------------------------------------

PLACE = Place(file="it.yaml", line=1, column=1)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | st.integers() | DECIMALS | st.text()
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
LETTERS = st.text(alphabet="abi_xnotrue.|'\"(){}[],+-*/~%<>=!019 \\\n€", max_size=60)
WORDS = st.lists(
    st.sampled_from(
        [
            "inputs",
            "x",
            ".",
            "|",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "+",
            "-",
            "*",
            "/",
            "~",
            "%",
            "<",
            "==",
            "in",
            "is",
            "not",
            "and",
            "or",
            "if",
            "else",
            "none",
            "true",
            "1",
            "1.5",
            "'a'",
            "upper",
            "map",
            "sum",
            "join",
            "default",
            "list",
            "first",
            "replace",
            "date",
            "defined",
            "range",
            "(",
            "attribute=",
            "[0]",
            "x.y",
        ]
    ),
    max_size=14,
).map(" ".join)


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Decimal):
        return isinstance(right, Decimal) and left.as_tuple() == right.as_tuple()
    return type(left) is type(right) and bool(left == right)


@given(JSON)
def test_any_value_passes_through_an_expression_unchanged(value: Any) -> None:
    """`{{ inputs.x }}` is the object itself, with its type."""
    assert same(value, evaluate(Template("{{ inputs.x }}", PLACE), {"inputs": {"x": value}}))


@given(JSON)
def test_any_value_is_written_as_json_that_says_the_same(value: Any) -> None:
    """`tojson` and the JSON of a run keep every digit."""
    for text in (
        evaluate(Template("{{ inputs.x | tojson }}", PLACE), {"inputs": {"x": value}}),
        to_json(value),
    ):
        read = json.loads(text, parse_float=Decimal, parse_int=Decimal)

        assert equal_numbers(value, read)


def equal_numbers(left: Any, right: Any) -> bool:
    """Equal, where a whole decimal may be read as a whole number."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal_numbers(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal_numbers, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


@given(st.text(), st.text(), st.text())
def test_text_in_text_is_written_exactly(before: str, value: str, after: str) -> None:
    """Not a letter more or less; braces that come with the data are letters like any others."""
    before, after = before.replace("{", "("), after.replace("{", "(")
    whole = Template(f"x{before}{{{{ inputs.x }}}}{after}x", PLACE)

    assert evaluate(whole, {"inputs": {"x": value}}) == f"x{before}{value}{after}x"


@given(LETTERS | WORDS | st.text())
def test_reading_an_expression_ends_in_words(text: str) -> None:
    """Whatever is written: it can be read, or it is told what is wrong, at a letter of the text."""
    try:
        compiled(text, bare=True)
        usage(Template(f"{{{{ {text} }}}}", PLACE))
    except Faulty as fault:
        assert fault.message
        assert fault.at is None or 0 <= fault.at <= len(text) + MAX_LENGTH


@given(WORDS | LETTERS, JSON)
def test_evaluating_ends_in_a_value_or_in_words(text: str, value: Any) -> None:
    """Whatever is written and whatever it meets: nothing but the documented failure."""
    try:
        whole = compiled(f"{{{{ {text} }}}}")
    except Faulty:
        return
    if whole.lone:
        try:
            evaluate(Template(f"{{{{ {text} }}}}", PLACE), {"inputs": {"x": value}, "x": value})
        except ExpressionFailed as failure:
            assert failure.message


class Watched(dict[str, Any]):
    """A record that notes which of its keys are asked for."""

    def __init__(self, **names: Any) -> None:
        super().__init__(**names)
        self.asked: set[str] = set()

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


@given(WORDS, JSON)
def test_what_is_read_was_reported_before(text: str, value: Any) -> None:
    """A check that follows the references misses none that a run then reads."""
    try:
        compiled(f"{{{{ {text} }}}}")
        reported = usage(Template(f"{{{{ {text} }}}}", PLACE))
    except Faulty:
        return
    scope = Watched(inputs={"x": value}, x=value)
    with contextlib.suppress(ExpressionFailed):
        evaluate(Template(f"{{{{ {text} }}}}", PLACE), scope)

    assert scope.asked <= {one.path[0] for one in reported.references}


def test_a_reference_is_a_chain_of_names() -> None:
    """What is reported is what stands there, with the offset of every part."""
    (reference,) = usage("{{ inputs.rows[0]['x'].y | default(1) }}").references

    assert (reference.path, reference.guarded, reference.at) == (("inputs", "rows"), True, 3)
