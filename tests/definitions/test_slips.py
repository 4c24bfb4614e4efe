"""One slip makes one problem, wherever in a document it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cosell_definitions.nodes import MappingNode, Node, ScalarNode, SequenceNode
from cosell_definitions.parsing import load_flow, load_mapping, load_tests
from cosell_definitions.problems import Problem
from cosell_definitions.reading import read

SHIPPED = Path(__file__).resolve().parents[2] / "definitions" / "cosell"
DOCUMENTS = sorted(SHIPPED.glob("*.yaml"))
LOADERS: dict[str, Callable[..., tuple[Any, tuple[Problem, ...]]]] = {
    "flow": load_flow,
    "map": load_mapping,
    "test": load_tests,
}
STRIDE = 53  # a sample of the values of each document
SLIPS = ["!x", "*x", "{{ a }}", ""]


def scalars(node: Node | None) -> Iterator[ScalarNode]:
    """Every value below a node, but not the keys."""
    match node:
        case ScalarNode():
            yield node
        case SequenceNode(items):
            for item in items:
                yield from scalars(item)
        case MappingNode(entries):
            for _, value in entries.values():
                yield from scalars(value)


def with_slips(path: Path, slip: str) -> Iterator[str]:
    """The document with one of its values replaced, again and again."""
    text = path.read_text("utf-8")
    lines = text.split("\n")
    values = [one for one in scalars(read(text, file=path.name).root) if not one.turns]
    for one in values[::STRIDE]:
        place = one.place
        if place.end_column is None:
            continue
        line = lines[place.line - 1]
        changed = line[: place.column - 1] + slip + line[place.end_column - 1 :]
        yield "\n".join([*lines[: place.line - 1], changed, *lines[place.line :]])


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda it: it.name)
def test_one_slip_makes_one_problem(path: Path, slip: str) -> None:
    """A tag, a name that is not marked, braces without quotes, nothing: each is said once."""
    load = LOADERS[path.name.split(".")[1]]

    told = [load(text, file=path.name)[1] for text in with_slips(path, slip)]

    assert [[str(one) for one in problems] for problems in told if len(problems) > 1] == []
