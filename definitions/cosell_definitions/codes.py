"""What each problem code means. The table is `codes.yaml`; docs and `explain` are made of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .nodes import MappingNode, ScalarNode
from .reading import read

TABLE = Path(__file__).with_name("codes.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A kind of problem: what it is, why it is one, and how it looks wrong and right."""

    code: str
    title: str
    why: str
    wrong: str | None = None
    right: str | None = None


@functools.cache
def codes() -> Mapping[str, Code]:
    """All problem codes, in the order of the table."""
    document = read(TABLE.read_bytes(), file=TABLE.name)
    assert isinstance(document.root, MappingNode), document.problems
    return {name: _code(name, node) for name, (_, node) in document.root.entries.items()}


def _code(name: str, node: object) -> Code:
    assert isinstance(node, MappingNode)
    texts = {
        key: value.text for key, (_, value) in node.entries.items() if isinstance(value, ScalarNode)
    }
    return Code(
        code=name,
        title=texts["title"],
        why=texts["why"],
        wrong=texts.get("wrong"),
        right=texts.get("right"),
    )
