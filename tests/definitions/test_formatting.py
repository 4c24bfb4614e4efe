"""One canonical form: comments stay, meaning stays, and what is laid out is not laid out again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cosell_definitions.formatting import formatted, same
from cosell_definitions.mending import mended
from cosell_definitions.reading import read

HOUSE = Path(__file__).resolve().parents[2]
SHIPPED = sorted(
    [
        *HOUSE.glob("definitions/cosell/*.yaml"),
        *HOUSE.glob("connectors/*/connector.yaml"),
        *HOUSE.glob("env/*.yaml"),
        *HOUSE.glob("env/*/variables.yaml"),
        *HOUSE.glob("definitions/cosell_definitions/*.yaml"),
    ]
)
SOUND = sorted(HOUSE.glob("tests/examples/sound/**/*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda it: it.name)
def test_the_shipped_files_are_in_canonical_form(path: Path) -> None:
    """What we deliver is laid out as `cosell fmt` would."""
    text = path.read_text("utf-8")

    assert formatted(text) == text


@pytest.mark.parametrize("path", SOUND, ids=lambda it: it.name)
def test_sound_documents_say_the_same_in_canonical_form(path: Path) -> None:
    """Whatever a sound document says, it says it still, and is not changed a second time."""
    text = path.read_bytes().decode("utf-8")

    laid = formatted(text)

    assert same(text.removeprefix("\ufeff"), laid)
    assert formatted(laid) == laid


FORMS = {
    "lists under their key": ("a:\n- b\n-   c\n", "a:\n  - b\n  - c\n"),
    "two spaces for a level": (
        "a:\n     b:\n        - c: 1\n          d: 2\n",
        "a:\n  b:\n    - c: 1\n      d: 2\n",
    ),
    "blanks in brackets": (
        "a: {b: [ 1,2 , 3,],c:  {}, d: [ ]}\n",
        "a: { b: [1, 2, 3], c: {}, d: [] }\n",
    ),
    "brackets over several lines": (
        "a: [b,   # one\n       # two\n   c\n   ]\n",
        "a: [b, # one\n  # two\n  c]\n",
    ),
    "one blank after a colon": ('a :   1\n"b":2\n'.replace('"b":2', '"b":  2'), 'a: 1\n"b": 2\n'),
    "blanks at line ends": ("a: 1   \nb: 2  # c  \n", "a: 1\nb: 2 # c\n"),
    "one blank line at most": ("\n\na: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"),
    "a last line end": ("a: 1", "a: 1\n"),
    "a mark of byte order": ("\ufeffa: 1\n", "a: 1\n"),
    "a needless mark of the document": ("# why\n---\na: 1\n...\n", "# why\na: 1\n"),
    "line ends of Windows": ("a:\r\n- b\r\n", "a:\r\n  - b\r\n"),
    "line ends of old": ("a: 1\rb: 2\r", "a: 1\nb: 2\n"),
    "comments stay aligned": ("a: 1      # x\nlong: 2   # y\n", "a: 1    # x\nlong: 2 # y\n"),
    "a comment stays with its list": (
        "a:\n    - b\n    # about the list\nc: 1\n",
        "a:\n  - b\n  # about the list\nc: 1\n",
    ),
    "a comment stays with the next key": (
        "a:\n    - b\n# about c\nc: 1\n",
        "a:\n  - b\n# about c\nc: 1\n",
    ),
    "a text in lines": (
        "a:\n     b: |\n          one\n            two\n\n          three\nc: 1\n",
        "a:\n  b: |\n    one\n      two\n\n    three\nc: 1\n",
    ),
    "a text that keeps its end": ("a: |+\n  one\n\n\nb: 1\n", "a: |+\n  one\n\n\nb: 1\n"),
    "a text with a given indentation": ("a:\n   b: |2\n        x\n", "a:\n  b: |2\n       x\n"),
    "a text without its line end": ("a: |\n  one", "a: |-\n  one\n"),
    "a text in quotes over lines": ('a: "b\n      c\n\n   d"\n', 'a: "b\n  c\n\n  d"\n'),
    "what only looks like another type": (
        "a: +39\nb:  007\nc: 1_000\nd: NO\ne: 1.10\nf: ~\n",
        "a: +39\nb: 007\nc: 1_000\nd: NO\ne: 1.10\nf: ~\n",
    ),
    "marks and their copies": ("a: &x   {b: 1}\nc:  *x\n", "a: &x { b: 1 }\nc: *x\n"),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_canonical_form(name: str) -> None:
    """Each rule of the form, and that it holds for its own result."""
    before, after = FORMS[name]

    assert formatted(before) == after
    assert formatted(after) == after


# -- any document, however it is laid out ---------------------------------------------------------

PLAIN = st.sampled_from(
    [
        "a",
        "b c",
        "NO",
        "007",
        "+39",
        "1.10",
        "~",
        "x:y",
        "http://a.b/c?d=e#f",
        "é 😀",
        "-1",
        "a - b",
    ]
)
QUOTED = st.sampled_from(['"a: b"', "'it''s'", '"\\t # no comment"', '"{{ x }}"', "''", '"[,]"'])
KEYS = st.sampled_from(["key", "other key", '"quoted: key"', "k-1", "é"])


@st.composite
def flow_values(draw: st.DrawFn, depth: int = 2) -> str:
    """A value on one line or several, in brackets."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.one_of(PLAIN.filter(lambda it: it not in ("x:y",)), QUOTED))
    blank = st.sampled_from(["", " ", "  ", " # in\n        ", "\n\n        "])
    if draw(st.booleans()):
        items = draw(st.lists(flow_values(depth=depth - 1), max_size=3))
    else:
        names = draw(st.lists(KEYS, max_size=3, unique=True))
        items = [f"{name}: {draw(flow_values(depth=depth - 1))}" for name in names]
        inside = f",{draw(st.sampled_from([' ', '  ']))}".join(items)
        return f"{{{draw(blank)}{inside}{draw(st.sampled_from(['', ' ', ', ']) if items else st.just(''))}}}"
    joined = "".join(f"{item}{draw(st.sampled_from(['', ' ']))},{draw(blank)}" for item in items)
    return f"[{draw(blank)}{joined}]" if items else "[]"


@st.composite
def blocks(draw: st.DrawFn, indent: int = 0, depth: int = 3) -> str:
    """A mapping or list in lines, indented anyhow, with comments and blank lines anywhere."""
    pad = " " * indent
    tail = st.sampled_from(["", "", " # t", "   # far", "  "])
    between = st.sampled_from(
        ["", "", "", "\n", "\n\n\n", f"{pad}# own\n", "# margin\n", f"{pad}    # deep\n"]
    )
    lines = []
    is_list = draw(st.booleans())
    names = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    for name in names:
        lines.append(draw(between))
        head = f"{pad}-" if is_list else f"{pad}{name}:"
        match draw(st.sampled_from(["flow", "flow", "text", "block", "none"])) if depth else "flow":
            case "flow":
                lines.append(f"{head} {draw(flow_values())}{draw(tail)}\n")
            case "none":
                lines.append(f"{head}{draw(tail)}\n")
            case "text":
                style = draw(st.sampled_from(["|", ">", "|-", ">-", "|+"]))
                inner = pad + " " * draw(st.integers(1, 5))
                body = "".join(
                    draw(st.sampled_from([f"{inner}one\n", f"{inner}  two # no\n", "\n"]))
                    for _ in range(3)
                )
                lines.append(f"{head} {style}\n{inner}first\n{body}")
            case "block":
                deeper = indent + draw(st.integers(1, 5))
                lines.append(f"{head}{draw(tail)}\n{draw(blocks(deeper, depth - 1))}")
    return "".join(lines) + draw(between)


@settings(max_examples=400, deadline=None)
@given(blocks())
def test_any_document_keeps_its_meaning_and_its_comments(text: str) -> None:
    """Laid out anew, a document says the same, has the same comments, and is done."""
    assume(not read(text, file="f.yaml").problems)

    laid = formatted(text)

    assert same(text, laid)
    assert formatted(laid) == laid
    comments = re.compile(r"# (?:t|far|own|margin|deep|in)\b")
    assert comments.findall(laid) == comments.findall(text)
    assert not re.search(r"[ \t]$", re.sub(r"\n +two # no", "", laid), re.MULTILINE)


# -- mending --------------------------------------------------------------------------------------

FLOW = "flow: v1\nid: f\nname: F\nsteps:\n"
SLIPS = {
    "braces without quotes": (
        "  - { id: a, set: { x: {{ inputs.x }}, y: 1 } }\n",
        '  - { id: a, set: { x: "{{ inputs.x }}", y: 1 } }\n',
    ),
    "braces after when": (
        "  - id: a\n    when: {{ inputs.x }}\n    wait: 5m\n",
        "  - id: a\n    when: inputs.x\n    wait: 5m\n",
    ),
    "needless braces": (
        "  - { id: a, when: \"{{ inputs.x == 'y' }}\", wait: 5m }\n",
        "  - { id: a, when: inputs.x == 'y', wait: 5m }\n",
    ),
    "needless braces around what must stay in quotes": (
        "  - { id: a, when: \"{{ inputs.x == ': ' }}\", wait: 5m }\n",
        "  - { id: a, when: \"inputs.x == ': '\", wait: 5m }\n",
    ),
    "braces of a parameter with the name of a keyword stay": (
        '  - { id: a, set: { when: "{{ inputs.x }}" } }\n',
        '  - { id: a, set: { when: "{{ inputs.x }}" } }\n',
    ),
    "tabs for two spaces": (
        "\t- id: a\n\t\twait: 5m\n",
        "  - id: a\n    wait: 5m\n",
    ),
    "tabs for four spaces": (
        "  - id: a\n\twait: 5m\n",
        "  - id: a\n    wait: 5m\n",
    ),
    "a tab behind a colon": ("  - id:\ta\n    wait: 5m\n", "  - id: a\n    wait: 5m\n"),
    "a no-break space": (
        "\u00a0\u00a0- id: a\n\u00a0\u00a0\u00a0\u00a0wait:\u00a05m\n",
        "  - id: a\n    wait: 5m\n",
    ),
    "a text keeps its tabs": (
        '  - { id: a, set: { x: "\t" } }\n',
        '  - { id: a, set: { x: "\t" } }\n',
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_the_commonest_slips_are_mended(name: str) -> None:
    """Where only one thing can have been meant, it is written."""
    before, after = SLIPS[name]

    assert mended((FLOW + before).encode(), file="f.flow.yaml") == FLOW + after


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_an_encoding_with_a_mark_is_mended(encoding: str) -> None:
    """A file that Notepad saved as Unicode becomes UTF-8."""
    text = FLOW + "  - { id: a, set: { x: é } }\n"

    assert mended(text.encode(encoding), file="f.flow.yaml") == text


@pytest.mark.parametrize("slip", ["  - { id: a, id: b, wait: 5m }\n", "  - { id: a, wait: '5m }\n"])
def test_what_could_mean_two_things_is_left(slip: str) -> None:
    """Nobody chooses between two keys, or closes a quote, for the writer."""
    assert mended((FLOW + slip).encode(), file="f.flow.yaml") == FLOW + slip
