"""Values come back from the ledger as they went in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_flows.ledger import exact_json

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
)
KEYS = st.text() | st.sampled_from(["$decimal", "$moment", "$date", "$map"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))


@given(VALUES)
def test_every_value_comes_back(value: Any) -> None:
    """Whatever is kept is read back equal, keys that look like ours included."""
    assert exact_json.loads(exact_json.dumps(value)) == value


def test_decimals_keep_their_digits() -> None:
    """1.10 stays 1.10."""
    assert str(exact_json.loads(exact_json.dumps(Decimal("1.10")))) == "1.10"


def test_text_of_a_number_stays_text() -> None:
    """An id that looks like a number is text before and after."""
    assert exact_json.loads(exact_json.dumps("006E00000012345")) == "006E00000012345"


def test_types_are_kept() -> None:
    """A date is a date, a moment a moment in UTC."""
    value = [date(2026, 3, 1), datetime(2026, 3, 1, 12, tzinfo=UTC)]

    assert [type(item) for item in exact_json.loads(exact_json.dumps(value))] == [date, datetime]


@pytest.mark.parametrize("value", [object(), {1: 2}, b"x", datetime(2026, 3, 1)])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    """Nothing is kept as something else."""
    with pytest.raises(TypeError, match="the ledger"):
        exact_json.dumps({"a": [value]})
