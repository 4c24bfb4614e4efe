"""The page of operations tells what the connectors can be asked."""

from __future__ import annotations

from pathlib import Path

from cosell_flows.cli.pages import operations

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


def test_every_operation_is_on_the_page() -> None:
    """A new operation is written down by `make docs`."""
    assert PAGE.read_text(encoding="utf-8") == operations(), "run: make docs"
