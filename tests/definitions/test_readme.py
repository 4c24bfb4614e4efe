"""The page about the language says what holds: its examples pass, its lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cosell_definitions.parsing import (
    load_environment,
    load_flow,
    load_mapping,
    load_tests,
    load_variables,
)
from cosell_definitions.parsing_steps import KEYWORDS
from cosell_flows.compiling.filters import FILTERS, FUNCTIONS, TESTS

PAGE = (Path(__file__).resolve().parents[2] / "definitions/README.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda it: it.split("\n")[0])
def test_an_example_of_the_page_is_sound(block: str) -> None:
    """Whoever copies an example starts without a problem."""
    if block.startswith("flow"):
        _, problems = load_flow(block, file="shared-deals.flow.yaml")
    elif block.startswith("mapping"):
        _, problems = load_mapping(block, file="deals.map.yaml")
    elif block.startswith("test"):
        _, problems = load_tests(block, file="shared-deals.test.yaml")
    elif block.startswith("variables"):
        _, problems = load_variables(block, file="variables.yaml")
    else:
        _, problems = load_environment(block, file="env/example.yaml")

    assert problems == ()


def test_the_page_names_every_filter_test_and_function() -> None:
    """The allow-list is documented, and nothing is documented that is not in it."""
    listed = PAGE.split("<!-- filters: begin")[1].split("<!-- filters: end -->")[0]
    names = re.findall(r"`([^`]+)`", listed.replace("`is`", ""))

    assert names == [*FILTERS, *TESTS, *FUNCTIONS]


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_the_page_names_every_kind_of_step(keyword: str) -> None:
    """Each keyword has its row."""
    assert re.search(rf"^\|.*`{keyword}`", PAGE, re.MULTILINE)
