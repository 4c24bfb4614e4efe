"""Reading keeps what was typed, and refuses what would surprise, with a place and a fix."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_definitions.nodes import MappingNode, ScalarNode
from cosell_definitions.reading import read

REFUSED = {
    "a second key": ("a: 1\nb: 2\na: 3\n", "Y002", 3, 1),
    "a tag": ("a: !!str 1\n", "Y003", 1, 4),
    "a python tag": ("a: !!python/object/apply:os.system [x]\n", "Y003", 1, 4),
    "a tab": ("a:\n\tb: 1\n", "Y004", 2, 1),
    "a merge key": ("a: &x {b: 1}\nc:\n  <<: *x\n", "Y005", 3, 3),
    "a second document": ("a: 1\n---\nb: 2\n", "Y006", 2, 1),
    "nothing": ("", "Y007", 1, 1),
    "comments alone": ("# later\n", "Y007", 1, 1),
    "an unknown alias": ("a: *b\n", "Y009", 1, 4),
    "itself": ("a: &b [*b]\n", "Y009", 1, 8),
    "an open quote": ("a: 'b\nc: d\n", "Y010", 1, 4),
    "a colon in a value": ("a: b: c\n", "Y010", 1, 5),
    "an open bracket": ("a: [1, 2\nb: 3\n", "Y010", 1, 4),
    "a control character": ("a: b\x07\n", "Y013", 1, 5),
    "a NUL byte": ("a: b\0\n", "Y013", 1, 5),
    "UTF-16": ("a: b\n".encode("utf-16"), "Y012", 1, 1),
    "UTF-16 without a mark": ("a: b\n".encode("utf-16-le"), "Y012", 1, 1),
    "Latin-1": ("a: é\n".encode("latin-1"), "Y014", 1, 4),
    "UTF-32": ("a: b\n".encode("utf-32"), "Y012", 1, 1),
    "UTF-32 without a mark": ("a: b\n".encode("utf-32-be"), "Y012", 1, 1),
    "half a letter": (b"a: \xed\xa0\x80\n", "Y014", 1, 4),
    "an escape of half a letter": ('a: "\\ud83d\\ude00"\n', "Y010", 1, 5),
    "a line separator": ("a: b\u2028c: d\n", "Y013", 1, 5),
    "a line separator in a comment": ("a: b # c\u2028d\n", "Y013", 1, 9),
    "a mark of byte order in the middle": ("a: b\ufeffc\n", "Y013", 1, 5),
    "a no-break space as indentation": ("a:\n\u00a0\u00a0b: 1\n", "Y013", 2, 1),
    "a no-break space behind a colon": ("a:\u00a0b\n", "Y013", 1, 3),
    "a zero-width space before a key": ("a: 1\n\u200bb: 1\n", "Y013", 2, 1),
    "a tab behind a text with a tab": ('a: "b\tc"\t# d\n', "Y004", 1, 9),
    "a tab behind a dash": ("-\t- a\n", "Y004", 1, 2),
    "a tab alone": ("\t\n", "Y004", 1, 1),
    "an end of document alone": ("# later\n...\n", "Y007", 1, 1),
    "more behind the end": ("a: 1\n...\nb: 2\n", "Y006", 3, 1),
    "a comment that touches a text": ('a: "b"# c\n', "Y010", 1, 7),
    "a comment that touches a comma": ("a: [b,#c\n  d]\n", "Y010", 1, 7),
    "a bracket that goes on at the margin": ("a: [b,\nc]\n", "Y010", 2, 1),
    "a text that goes on at the margin": ('a: "b\nc"\n', "Y010", 2, 1),
    "a dash in brackets": ("a: [-, b]\n", "Y010", 1, 5),
    "a question mark in brackets": ("a: [?b]\n", "Y010", 1, 6),
    "a mark with a colon": ("a: &b:c d\n", "Y010", 1, 4),
    "a list as a key": ("? [a]\n: 1\n", "Y016", 1, 3),
    "braces": ("a: {{ b }}\n", "Y001", 1, 4),
    "braces within a text": ("a: hello {{ b }}\n", "Y001", 1, 10),
    "braces within a flow mapping": ("a: { b: 1, c: {{ d }}, e: 2 }\n", "Y001", 1, 15),
    "braces with a filter": ("a: {{ b | map(attribute='c') }}\n", "Y001", 1, 4),
    "braces after a dash": ("- {{ b }}\n", "Y001", 1, 3),
    "braces after when": ("when: {{ b }}\n", "Y001", 1, 7),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_has_a_code_and_a_place(name: str) -> None:
    """Each thing that is not read has its own code, and is found where it stands."""
    text, code, line, column = REFUSED[name]

    problems = read(text, file="f.yaml").problems

    assert [(it.code, it.place.line, it.place.column) for it in problems] == [(code, line, column)]


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_what_to_do(name: str) -> None:
    """Each refusal carries a hint."""
    problems = read(REFUSED[name][0], file="f.yaml").problems

    assert all(problem.hint for problem in problems)


MENDED = {
    "a: {{ b }}": 'write: a: "{{ b }}"',
    "a: {{ b }}  # why": 'write: a: "{{ b }}"  # why',
    "- {{ b }}": 'write: - "{{ b }}"',
    "a: x-{{ b }}-{{ c }}": 'write: a: "x-{{ b }}-{{ c }}"',
    'a: {{ b | join(", ") }}': "write: a: '{{ b | join(\", \") }}'",
    "{ a: {{ b }}, c: 1 }": 'write: { a: "{{ b }}", c: 1 }',
    "a: [{{ b }}, 2]": 'write: a: ["{{ b }}", 2]',
    "when: {{ a == 'x' }}": "write: when: a == 'x'",
    "- foreach: {{ a.b }}": "write: - foreach: a.b",
}


@pytest.mark.parametrize("line", MENDED)
def test_unquoted_braces_show_the_line_as_it_should_be(line: str) -> None:
    """The commonest slip of all is shown with its cure."""
    problems = read(line + "\n", file="f.yaml").problems

    assert [problem.hint for problem in problems] == [MENDED[line]]


def test_all_slips_are_found_at_once() -> None:
    """A line with unquoted braces does not hide what is wrong further down."""
    text = "a: {{ b }}\nc: 1\nc: 2\nd: { e: {{ f }}, g: {{ h }} }\n"

    problems = read(text, file="f.yaml").problems

    assert [(it.code, it.place.line, it.place.column) for it in problems] == [
        ("Y001", 1, 4),
        ("Y002", 3, 1),
        ("Y001", 4, 9),
        ("Y001", 4, 21),
    ]


@pytest.mark.parametrize(
    "text", ["NO", "Yes", "006E00000012345", "+390612345", "12:30:45", "1.10", "0x1F", "1e3", "~"]
)
def test_a_scalar_keeps_its_text(text: str) -> None:
    """Nothing is guessed from the looks of a value."""
    root = read(f"a: {text}\n", file="f.yaml").root

    assert isinstance(root, MappingNode)
    node = root.entries["a"][1]
    assert isinstance(node, ScalarNode)
    assert (node.text, node.quoted) == (text, False)


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    """Files from Windows editors are read, and columns do not move."""
    document = read(b"\xef\xbb\xbfa: 1\r\nb: [x]\r\n", file="f.yaml")

    assert document.problems == ()
    assert isinstance(document.root, MappingNode)
    assert [str(key.place) for key, _ in document.root.entries.values()] == [
        "f.yaml:1:1",
        "f.yaml:2:1",
    ]


def test_tabs_in_texts_and_comments_are_fine() -> None:
    """Only tabs that lay out the document are refused."""
    problems = read('a: "x\ty" # c\td\nb: |\n  one\ttwo\n', file="f.yaml").problems

    assert problems == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 200_000, "Y015"),
        ("a:\n" + "".join(" " * depth + "- \n" for depth in range(300)), "Y015"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
        ), "Y008"),
        ("a: " + "x" * 1_100_000, "Y011"),
    ],
)  # fmt: skip
def test_a_bomb_is_refused_quickly(text: str, code: str) -> None:
    """What would exhaust a machine ends in a problem, at once."""
    began = time.monotonic()

    problems = read(text, file="f.yaml").problems

    assert ([it.code for it in problems], time.monotonic() - began < 1) == ([code], True)


@given(st.text(alphabet="ab:{}[]-'\"#&*!|>%@, \n\t", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is typed, the answer is a tree or problems with places inside the file."""
    document = read(text, file="f.yaml")

    lines = len(document.lines)
    assert document.problems or document.root is not None
    assert all(1 <= it.place.line <= max(1, lines) for it in document.problems)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    """Whatever lies on the disk, the answer is a tree or a problem."""
    document = read(raw, file="f.yaml")

    assert document.problems or document.root is not None


@pytest.mark.parametrize(
    "text",
    [
        'a: "b\tc" # d\te\n',
        "a: |\n  b\tc\n",
        "a: [\n  b\n]\n",
        "a: [b, # c\n# at the margin\n  c]\n",
        "a: b#c\n",
        "a: [b#c]\n",
        'a: "b,#c"\n',
        "a: b\u00a0c\n",
        'a: "👩\u200d💻"\n',
        "a: [-1, '-']\n",
        "- &b c\n- [*b]\n",
    ],
)
def test_what_looks_like_a_slip_and_is_none(text: str) -> None:
    """What YAML bears is not refused for its likeness to a slip."""
    assert [str(it) for it in read(text, file="f.yaml").problems] == []


@pytest.mark.parametrize(
    ("text", "column"), [("a: &b c\n", 7), ("- &b  c\n", 7), ("a: &b\n  c\n", 4)]
)
def test_a_value_stands_behind_its_mark(text: str, column: int) -> None:
    """A problem with a marked value points at the value."""
    root = read(text, file="f.yaml").root
    node = root.entries["a"][1] if isinstance(root, MappingNode) else root.items[0]  # type: ignore[union-attr]

    assert node.place.column == column


@pytest.mark.parametrize(
    "text",
    ["k: 1\n" * 100_000, "- *a\n" * 100_000, "a: {{ b }}\n" * 50_000, "\ta: 1\n" * 50_000],
)
def test_a_flood_of_slips_is_not_listed_whole(text: str) -> None:
    """A file full of one slip is cured by one habit; fifty lines of it are enough."""
    assert 1 <= len(read(text, file="f.yaml").problems) <= 50


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('😀: 1\na: "😀" {{ b }}\n', 2, 8),
        ("a: 1\r\nb: 2\r\na: 3\r\n", 3, 1),
        ("a: 1\rb: 2\ra: 3\r", 3, 1),
        ("\ufeffa: 1\na: 3\n", 2, 1),
        ("\ufeffa: {{ b }}\n", 1, 4),
        ("e\u0301: {{ b }}\n", 1, 5),
    ],
)
def test_places_count_as_editors_do(text: str, line: int, column: int) -> None:
    """Lines end as editors end them, columns are characters, and a mark of byte order is none."""
    place = read(text, file="f.yaml").problems[0].place

    assert (place.line, place.column) == (line, column)
