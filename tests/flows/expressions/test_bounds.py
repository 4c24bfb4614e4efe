"""Nothing that is written between braces gets out, takes longer than a second, or fills the memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SECOND = 1.0
ROOM = 64 * 1024**2


def lines_of(name: str) -> list[str]:
    """The lines of a list that are no remarks."""
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("# ")]


def _bombs() -> list[str]:
    """The list, and what is too long to be written out."""
    listed = [re.sub(r"\$(\w+)", r"inputs.\1", line) for line in lines_of("bombs.txt")]
    many = {
        "{{ [%s] | length }}": (
            "'a'*1000000", "'€'*1000000", "inputs.big|upper", "inputs.wide|lower", "range(99999)",
        ),
        "{{ [%s] | join | length }}": ("'a'*999999", "inputs.big"),
        "{{ [%s] | flatten | length }}": ("range(99999)",),
        "{{ {'k': [%s]} | tojson }}": ("inputs.texts", "inputs.big"),
    }  # fmt: skip
    built = [whole % ",".join([part] * 500) for whole, parts in many.items() for part in parts]
    built += [
        "{{ inputs.big" + "|replace('a','b')|replace('b','a')" * 270 + " | length }}",
        "{{ inputs.many" + "|reverse|list" * 700 + " | length }}",
        "{{ 0" + " + (inputs.big|upper|length)" * 300 + " }}",
        "{{ 0" + " + (range(99999)|list|length)" * 90 + " }}",
        "{{ 'a'*999999 }}" * 60_000,
        "{{ inputs.big | upper }}" * 3_000,
        "{{ inputs.big }}" * 3_000,
        "{{ " + "9" * 9_000 + " }}",
        "{{ " + "9" * 4_200 + " * 9 }}",
        "{{ " + "9" * 9_000 + ".5 * 9 }}",
        "{{ '" + "a" * 9_000 + "' }}",
        "{{ '" + "a" * 20_000 + "' }}",
        "{{ inputs.name" + " " * 200_000 + "}}",
        "{{ " + "(" * 60 + "1" + ")" * 60 + " }}",
        "{{ " + "(" * 4_900 + "1" + ")" * 4_900 + " }}",
        "{{ " + "(" * 9_000 + " }}",
        "{{ " + "[" * 4_900 + "]" * 4_900 + " }}",
        "{{ " + "{'a':" * 1_500 + "1" + "}" * 1_500 + " }}",
        "{{ " + "1+" * 4_900 + "1 }}",
        "{{ " + "-" * 4_900 + "1 }}",
        "{{ " + "not " * 2_400 + "true }}",
        "{{ " + "1 if true else " * 600 + "1 }}",
        "{{ " + "1~" * 4_900 + "1 }}",
        "{{ " + "1<" * 4_900 + "1 }}",
        "{{ 'a'" + "|upper" * 1_600 + " }}",
        "{{ inputs" + ".a" * 4_900 + " }}",
        "{{ inputs.deep" + "[0]" * 3_300 + " }}",
        "{{ 1" + " is none" * 1_200 + " }}",
        "{{" * 100_000,
        "{{ 1 }}" * 100_000,
    ]
    return listed + built


def attempted(texts: list[str]) -> list[dict[str, Any]]:
    """What came of each text, tried in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(HERE / "attempting.py")],
        input="\n".join(map(json.dumps, texts)),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(texts), f"ended at {texts[len(found)][:200]!r}: {done.stderr[-500:]}"
    return found


ESCAPES = lines_of("escapes.txt")
# Which of them yield something: text and numbers, as anybody may write them.
HARMLESS = {
    "{{ ()|select|string|list }}": "['[', ']']",
    "{{ ({}|string)[0] }}": "'{'",
    "{{ (1|string|list)[0] }}": "'1'",
    "{{ (9|int|string) ~ 'c'|string }}": "'9c'",
    "{{ ((((1|string)|list)|first)|int) }}": "1",
    "{{ [inputs] | selectattr('__class__') | list }}": "[]",
    "{{ inputs | items | first | first }}": "'name'",
    "{{ (double)(1) }}": "[1, 1]",
    "{{ '7'*7 }}": "'7777777'",
    "{% autoescape false %}{{ '' }}{% endautoescape %}": "'{% autoescape false %}{% endautoescape %}'",
}


@pytest.fixture(scope="module")
def escaping() -> list[dict[str, Any]]:
    """What came of every escape."""
    return attempted(ESCAPES)


def test_there_are_many_ways_out() -> None:
    """Enough of them to have the techniques of the public collections among them."""
    assert len(set(ESCAPES)) > 250


def test_no_way_leads_out(escaping: list[dict[str, Any]]) -> None:
    """Each is refused at load, or fails at run time; the few that yield anything yield plain data."""
    literal = {it["text"] for it in escaping if "{{" not in it["text"]}

    out = {
        it["text"]: it["said"]
        for it in escaping
        if it["ended"] not in ("refused", "failed") and it["text"] not in literal
    }

    assert out == HARMLESS


def test_nothing_is_touched_on_the_way(escaping: list[dict[str, Any]]) -> None:
    """No file, no process, no socket."""
    assert {it["text"]: it["touched"] for it in escaping if it["touched"]} == {}


def test_no_expression_costs_too_much() -> None:
    """None takes a second of work or 64 MiB, and none ends in anything but words."""
    some = 1 if os.environ.get("COSELL_TEST_MINUTES") else 3  # all of them take half a minute
    found = attempted(_bombs()[::some])

    over = [
        f"{it['text'][:90]}: {it['ended']} {it['said'][:60]}"
        f" after {it['seconds']:.2f} s, {it['peak'] / 1024**2:.0f} MiB"
        for it in found
        if it["ended"] in ("raises", "escapes") or it["seconds"] > SECOND or it["peak"] > ROOM
    ]

    assert over == []
