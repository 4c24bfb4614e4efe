"""Envelopes, XML and tables: values in, text out, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cosell_connectors import envelopes, tables
from cosell_connectors.model import Answer, Elements
from cosell_connectors.pointers import change, pick_all

XML = Answer(kind="xml", lists=("result",), booleans=("success",))


def enveloped(body: dict[str, Any], **more: Any) -> str:
    made = envelopes.envelope(
        "do", body, namespace="urn:x", headers={}, token=None, elements={}, **more
    )
    return made.decode().partition('<do xmlns="urn:x">')[2].partition("</do>")[0]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("<&>", "<a>&lt;&amp;&gt;</a>"),
        (True, "<a>true</a>"),
        (Decimal("1.10"), "<a>1.10</a>"),
        (date(2027, 1, 31), "<a>2027-01-31</a>"),
        (datetime(2027, 1, 31, 12, tzinfo=UTC), "<a>2027-01-31T12:00:00Z</a>"),
        (None, '<a xsi:nil="true"/>'),
        (["x", "y"], "<a>x</a><a>y</a>"),
        ([], ""),
        ({"b": {"c": 1}}, "<a><b><c>1</c></b></a>"),
    ],
)
def test_a_value_is_an_element(value: Any, written: str) -> None:
    """By its type, and never in a way that breaks out."""
    assert enveloped({"a": value}) == written


@pytest.mark.parametrize(
    "body", [{"a": "\x00"}, {"a": "\ufffe"}, {"a b": "x"}, {"a><b": "x"}, {"a": object()}]
)
def test_what_xml_cannot_say_is_refused(body: dict[str, Any]) -> None:
    """Characters, names and things that are no element."""
    with pytest.raises(ValueError, match=r"XML cannot carry|cannot be the name"):
        enveloped(body)


def test_elements_are_in_their_order() -> None:
    """What comes first comes first, nulls are named, and the namespace is each one's own."""
    how = Elements(first=("type", "emptied", "Id"), nulls="emptied", namespace="urn:f")
    record = {"Name": "N", "Fax": None, "Id": "1", "type": "Lead"}

    made = envelopes.envelope(
        "do", {"r": record}, namespace="urn:x", headers={}, token=None, elements={"r": how}
    )

    space = ' xmlns="urn:f"'
    wanted = f"<type{space}>Lead</type><emptied{space}>Fax</emptied><Id{space}>1</Id>"
    assert f"<r>{wanted}<Name{space}>N</Name></r>" in made.decode()


def test_no_value_can_ask_for_the_token() -> None:
    """The place of the token is markup, which values never are."""
    made = envelopes.envelope(
        "do",
        {"a": envelopes.TOKEN.decode()},
        namespace="urn:x",
        headers={},
        token="/S/id",
        elements={},
    )

    signed = envelopes.with_token(made, "<s&cret>").decode()

    assert "<id>&lt;s&amp;cret&gt;</id>" in signed
    assert "<a>&lt;?token?&gt;</a>" in signed


@pytest.mark.parametrize(
    ("inner", "read"),
    [
        ("<result><success>true</success></result>", {"result": [{"success": True}]}),
        ("<result><success> 0 </success></result>", {"result": [{"success": False}]}),
        ("<other>true</other>", {"other": "true"}),
        ("<a>1</a><a>2</a><a>3</a>", {"a": ["1", "2", "3"]}),
        ('<a xsi:nil="true"/>', {"a": None}),
        ("", {}),
    ],
)
def test_an_answer_is_read_as_plain_values(inner: str, read: Any) -> None:
    """Text is text; what is a list, and what true or false, the file says."""
    content = (
        f'<e:Envelope xmlns:e="{envelopes.ENVELOPE}" xmlns:xsi="{envelopes.INSTANCE}">'
        f'<e:Body><doResponse xmlns="urn:x">{inner}</doResponse></e:Body></e:Envelope>'
    )

    assert envelopes.read(content.encode(), XML) == read


def test_what_is_answered_in_a_test_reads_back() -> None:
    """A mock's answer goes the way of a real one."""
    value = {"result": [{"success": True, "id": "1", "errors": None}]}

    assert envelopes.read(envelopes.response("do", value), XML) == value


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a><b></a>",
        b"",
    ],
)
def test_xml_that_is_dangerous_or_none_is_refused(content: bytes) -> None:
    """No document types: nothing that grows, or names a file."""
    with pytest.raises(ValueError, match=r".+"):
        envelopes.read(content, XML)


def test_rows_become_a_table_and_come_back() -> None:
    """Every name that comes up is a column; what cannot be seen in a cell is null."""
    rows = [{"a": 'x, "y"\nz', "b": None}, {"a": "Ærø", "c": True, "b": Decimal("1.10")}]

    read = tables.read(tables.write(rows))

    assert read == [
        {"a": 'x, "y"\nz', "b": None, "c": None},
        {"a": "Ærø", "b": "1.10", "c": "true"},
    ]


def test_null_is_spelt_and_silence_is_not() -> None:
    """A cell that is to be emptied says so; one that is to be left alone is empty."""
    assert tables.write([{"a": None, "b": 1}, {"b": 2}], null_as="#N/A") == b"a,b\n#N/A,1\n,2\n"


@pytest.mark.parametrize("content", [b"a,b\n1\n", b'a\n"x', b"\xff\xfe", b'a\n"x"y\n'])
def test_a_broken_table_is_refused(content: bytes) -> None:
    """Half a row, an open quote, another encoding."""
    with pytest.raises(ValueError, match=r".+"):
        tables.read(content)


@pytest.mark.parametrize(
    ("content", "rows"), [(b"", []), (b"a,b\r\n", []), (b'a\n""\n', [{"a": None}])]
)
def test_a_table_may_be_empty(content: bytes, rows: Any) -> None:
    """Names alone are no rows, and an empty cell is one."""
    assert tables.read(content) == rows


def test_a_star_is_every_element() -> None:
    """In reading and in changing."""
    value = {"g": [{"c": [1, 2]}, {"c": [3]}, {}]}

    changed = change(value, "/g/*/c/*", lambda one: one * 10)

    assert [one for one in pick_all(value, "/g/*/c") if isinstance(one, list)] == [[1, 2], [3]]
    assert (changed, value["g"][0]) == ({"g": [{"c": [10, 20]}, {"c": [30]}, {}]}, {"c": [1, 2]})
