"""A pattern that an author wrote meets text that anybody wrote."""

from __future__ import annotations

import pytest

from cosell_definitions.checking import value_faults
from cosell_definitions.matching import TooLong, found_in_text

RUNS_AWAY = r"^(a|aa)+$"


def test_a_pattern_finds_what_re_finds() -> None:
    """A slug, which has a repetition inside a repetition and harms nobody."""
    assert found_in_text(r"^[a-z]+(-[a-z]+)*$", "north-sea-shipping")


def test_a_pattern_that_runs_away_is_stopped() -> None:
    """What backtracks without end is an error that says so."""
    with pytest.raises(TooLong, match="repetition inside a repetition"):
        found_in_text(RUNS_AWAY, "a" * 40 + "b")


def test_a_schema_with_such_a_pattern_refuses_the_value() -> None:
    """Defaults and inputs are held against the same pattern, with the same limit."""
    schema = {"type": "string", "pattern": RUNS_AWAY}

    ((_, message),) = value_faults("a" * 40 + "b", schema)

    assert "takes too long" in message
