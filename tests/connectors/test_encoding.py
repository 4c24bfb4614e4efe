"""JSON with every digit kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_connectors.encoding import encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    """Any value survives the way through JSON, decimals with their exact worth."""
    assert json.loads(encode(value), parse_float=Decimal) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("10.10"), "10.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1") + Decimal("0.2"), "0.3"),
        (12345678901234567890, "12345678901234567890"),
        (True, "true"),
        (date(2026, 11, 24), '"2026-11-24"'),
        (datetime(2026, 11, 24, 12, tzinfo=UTC), '"2026-11-24T12:00:00Z"'),
        (
            datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=2))),
            '"2026-11-24T10:00:00Z"',
        ),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ("Ærø ☃", '"Ærø ☃"'),
        ((), "[]"),
        ({}, "{}"),
    ],
)
def test_each_kind_of_value_has_one_form(value: Any, text: str) -> None:
    """Numbers keep their digits, dates are ISO 8601, letters stay letters."""
    assert encode(value).decode() == text


def test_a_huge_exponent_is_not_written_out() -> None:
    """A number that would fill memory with zeros keeps its exponent."""
    assert encode(Decimal("1E+999999")) == b"1E+999999"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    """There is no NaN in JSON, and inventing one would break the other side."""
    with pytest.raises(ValueError):
        encode({"amount": value})


@pytest.mark.parametrize("value", [{1: "x"}, b"bytes", object()])
def test_what_is_no_json_is_refused(value: Any) -> None:
    """Nothing is turned into text by guessing."""
    with pytest.raises(TypeError):
        encode(value)
