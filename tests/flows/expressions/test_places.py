# ruff: noqa: E501 - documents stand in the tests as they stand in files
"""An error says the very spot in the file, whatever YAML made of the text that it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Small

WAYS = {
    "on one line": 'steps:\n  - { id: a, set: { t: "so {{ 1 + FAULT }}" } }\n',
    "in single quotes": "steps:\n  - { id: a, set: { t: 'it''s {{ 1 + FAULT }}' } }\n",
    "behind an escape": 'steps:\n  - { id: a, set: { t: "\\"so\\" \\u20ac\\t{{ 1 + FAULT }}" } }\n',
    "over two lines": 'steps:\n  - id: a\n    set:\n      t: "so it\n        goes {{ 1 +\n        FAULT }}"\n',
    "behind an escaped break": 'steps:\n  - id: a\n    set:\n      t: "so it \\\n        goes {{ FAULT }}"\n',
    "in a block": "steps:\n  - id: a\n    set:\n      t: |\n        first\n\n          second {{ 1\n          + FAULT }}\n        third\n",
    "in a folded block": "steps:\n  - id: a\n    set:\n      t: >-\n        {{ 1\n           + 2\n\n           + FAULT }}\n",
    "in a block with an indent": "steps:\n  - id: a\n    set:\n      t: |2+\n          {{ FAULT }}\n\n",
    "behind an anchor": "steps:\n  - id: a\n    set:\n      t: &text >-\n        so {{\n        FAULT }}\n      u: *text\n",
    "behind an anchor on one line": 'steps:\n  - { id: a, set: { t: &text "so {{ FAULT }}", u: *text } }\n',
    "in a plain condition over two lines": "steps:\n  - id: a\n    when: 1 == 1 and\n      FAULT == 2\n    wait: 1s\n",
    "in a folded condition": "steps:\n  - id: a\n    when: >-\n      1 == 1\n      and FAULT == 2\n    wait: 1s\n",
    "in a quoted condition": "steps:\n  - id: a\n    when: \"'\\u20ac' == '' or FAULT == 2\"\n    wait: 1s\n",
    "behind wide letters": 'steps:\n  - { id: a, set: { t: "😀 日本 {{ FAULT }}" } }\n',
}  # fmt: skip
HEAD = "flow: v1\nid: it\nname: A flow\n"


def spot_in(text: str, word: str) -> tuple[int, int]:
    """Where a word stands: line and column, from 1."""
    line = next(number for number, row in enumerate(text.split("\n"), 1) if word in row)
    return line, text.split("\n")[line - 1].index(word) + 1


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("way", WAYS)
def test_a_check_says_the_very_spot(small: Small, way: str, ending: str) -> None:
    """A name that is not there, to the letter."""
    text = HEAD + WAYS[way].replace("FAULT", "nothing")
    small.write("definitions/a/it.flow.yaml", text.replace("\n", ending))

    found = small.cosell("check").said["problems"]

    line, column = spot_in(text, "nothing")
    assert [(it["code"], it["line"], it["column"], it["end_column"]) for it in found] == [
        ("X004", line, column, column + len("nothing"))
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("way", WAYS)
def test_a_run_says_the_very_spot(small: Small, way: str, ending: str) -> None:
    """A field that a value turns out not to have, to the letter; so does what is said of it."""
    inputs = "inputs: { x: { type: object } }\n"
    text = HEAD + inputs + WAYS[way].replace("FAULT", "inputs.x.nmae")
    small.write("definitions/a/it.flow.yaml", text.replace("\n", ending))

    error = small.run('x={"name": 1}').said["error"]

    line, column = spot_in(text, "inputs.x.nmae")
    assert (error["file"], error["line"], error["column"], error["message"], error["hint"]) == (
        "definitions/a/it.flow.yaml",
        line,
        column + len("inputs.x."),
        "there is no 'nmae' in inputs.x",
        "did you mean 'name'? it has: name",
    )
