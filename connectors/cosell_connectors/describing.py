"""What an OpenAPI file (2 or 3) says, part by part: references followed, places kept. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cosell_definitions.problems import Place, Problem, did_you_mean
from cosell_definitions.reading import Document, MappingNode, Node, ScalarNode, SequenceNode
from cosell_definitions.scalars import untyped

from .pointers import segments

MOST_HOPS = 20


class Described:
    """A whole OpenAPI file, and the problems met while reading it."""

    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = list(document.problems)
        self.place = Place(file=document.file, line=1, column=1)
        self._root = document.root
        self._told: set[Place] = set()

    @property
    def root(self) -> Part:
        """The file's outermost object; empty where it is none."""
        return Part(self, self._root)

    def says(self, code: str, place: Place, message: str, hint: str) -> None:
        """Note a problem, once for each place."""
        if place not in self._told:
            self._told.add(place)
            self.problems.append(Problem(code=code, place=place, message=message, hint=hint))

    def followed(self, node: Node | None) -> Node | None:
        """What *node* stands for: itself, or what its `$ref` leads to."""
        for _ in range(MOST_HOPS):
            if not isinstance(node, MappingNode) or "$ref" not in node.entries:
                return node
            reference = node.entries["$ref"][1]
            if not isinstance(reference, ScalarNode):
                return None  # a property that happens to be called $ref
            node = self._found(reference)
        return None

    def _found(self, reference: ScalarNode) -> Node | None:
        text, node = reference.text, self._root
        if not text.startswith("#/"):
            self.says(
                "C031",
                reference.place,
                f"the reference {text[:120]!r} leads out of this file",
                "put what it refers to into this file, or bundle the files into one",
            )
            return None
        for segment in segments(text[1:]):
            known = node.entries if isinstance(node, MappingNode) else {}
            if segment not in known:
                near = did_you_mean(segment, known)
                self.says(
                    "C031",
                    reference.place,
                    f"the reference {text[:120]!r} leads nowhere: there is no {segment!r}",
                    f"did you mean {near!r}?" if near else "correct it, or add what it refers to",
                )
                return None
            node = known[segment][1]
        return node


class Part:
    """A part of the file: asked for what it holds, whatever it turns out to be."""

    def __init__(self, described: Described, node: Node | None) -> None:
        self._described = described
        self.node = described.followed(node)

    def __bool__(self) -> bool:
        return self.node is not None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.node.place if self.node is not None else self._described.place

    @property
    def text(self) -> str:
        """Its text, where it is a single value."""
        return self.node.text.strip() if isinstance(self.node, ScalarNode) else ""

    @property
    def value(self) -> str | int | bool | Decimal | None:
        """Its value, where it is a single one."""
        return untyped(self.node) if isinstance(self.node, ScalarNode) else None

    def at(self, *names: str) -> Part:
        """What stands under *names*, one after the other."""
        part = self
        for name in names:
            entries = part.node.entries if isinstance(part.node, MappingNode) else {}
            part = Part(self._described, entries[name][1] if name in entries else None)
        return part

    def entries(self) -> Iterator[tuple[str, Place, Part]]:
        """Names, where they stand, and what is under them."""
        if isinstance(self.node, MappingNode):
            for name, (key, node) in self.node.entries.items():
                yield name, key.place, Part(self._described, node)

    def items(self) -> Iterator[Part]:
        """The elements, where it is a list."""
        if isinstance(self.node, SequenceNode):
            for node in self.node.items:
                yield Part(self._described, node)

    def properties(self) -> dict[str, Part]:
        """The properties of an object's schema, those of `allOf` included."""
        return dict(self._properties(0))

    def _properties(self, depth: int) -> Iterator[tuple[str, Part]]:
        if depth < MOST_HOPS:
            for one in self.at("allOf").items():
                yield from one._properties(depth + 1)
            for name, _, schema in self.at("properties").entries():
                yield name, schema
