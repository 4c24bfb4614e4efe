"""The tree of a document: nodes that keep their source text and their place."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field

from .freezing import dataclass
from .problems import Place, Problem
from .tracing import Turn


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value, as it was typed."""

    text: str
    quoted: bool
    place: Place
    faulty: bool = False  # the reader has said what is wrong; nothing else is to be said of it
    turns: tuple[Turn, ...] = field(default=(), compare=False, repr=False)  # empty: as it stands

    @property
    def inside(self) -> Place:
        """The span between the quotes, so that an offset in the text is an offset in the line."""
        place = self.place
        if not self.quoted or place.end_column is None:
            return place
        return Place(
            file=place.file,
            line=place.line,
            column=place.column + 1,
            end_column=place.end_column - 1,
        )


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values, in the order of the file."""

    entries: dict[str, tuple[ScalarNode, Node]]
    place: Place
    faulty: bool = False  # keys are missing that the reader refused


Node = ScalarNode | SequenceNode | MappingNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file as it was read. `root` is None when nothing can be made of it."""

    root: Node | None
    lines: tuple[str, ...]
    file: str
    problems: tuple[Problem, ...] = ()
    content_hash: str = ""  # sha256 of the bytes, hex


@dataclass(slots=True)
class Extent:
    """How much a node stands for once its aliases are written out."""

    copies: int = 0
    size: int = 1
    height: int = 0

    def hold(self, inner: Extent) -> None:
        """Count what has been put inside."""
        self.copies += inner.copies
        self.size += inner.size
        if inner.height >= self.height:
            self.height = inner.height + 1


LEAF = Extent()
"""What a single value stands for: itself."""


def scalars_in(node: Node, *, but: Collection[str] = ()) -> Iterator[ScalarNode]:
    """Every single value at or below a node, in the order of the file; none under the keys *but*."""
    match node:
        case ScalarNode():
            yield node
        case SequenceNode(items, _):
            for item in items:
                yield from scalars_in(item, but=but)
        case MappingNode(entries, _):
            for name, (_, value) in entries.items():
                if name not in but:
                    yield from scalars_in(value, but=but)
