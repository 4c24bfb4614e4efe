"""Tell of a text that is the name of something, and would be read only within braces."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from cosell_definitions.model import Value
from cosell_definitions.nodes import MappingNode, Node, ScalarNode, SequenceNode
from cosell_definitions.problems import Place, Severity

from .finding import Findings
from .types import Type

_LIKE_A_PATH = re.compile(
    r"(?P<first>[A-Za-z_]\w*)(?:\.(?P<second>\w+)|\[\s*['\"](?P<key>[^'\"]+)['\"]\s*\])"
    r"(?:\.(?P<third>\w+))?(?:\.\w+|\[[^\]]*\])*(?:\s*\|[^|].*)?"
)
_OF_A_STEP = ("output", "status", "error")

Known = Mapping[str, Collection[str]]
"""What stands under each name that an expression could read here."""


def known_by(types: Mapping[str, Type]) -> dict[str, Collection[str]]:
    """The fields of what has a name here."""
    return {name: type_.fields or () for name, type_ in types.items()}


def check_texts(nodes: Iterable[Node], known: Known, found: Findings) -> None:
    """Every text in values that is letter by letter what an expression would be."""
    for node in nodes:
        for scalar in _scalars(node):
            check_text(scalar.text, scalar.place, known, found)


def check_text(value: Value, place: Place, known: Known, found: Findings) -> None:
    """One such value."""
    if isinstance(value, str) and names_something(value, known):
        found.say(
            "X013",
            place,
            f"{value!r} is a text here, letter by letter",
            f"""write "{{{{ {value} }}}}"; for this very text, "{{{{ '{value}' }}}}\"""",
            severity=Severity.WARNING,
        )


def check_key(value: Value, place: Place, known: Known, found: Findings, *, item: str) -> None:
    """The key of a loop: as a text it would be the same for every item."""
    if not isinstance(value, str):
        return
    of_item = re.match(rf"{re.escape(item)}(?![\w-])", value) is not None
    if of_item or value == "index" or names_something(value, known):
        found.say(
            "X013",
            place,
            f"{value!r} is one text for all items, so they wait for each other",
            f'write: key: "{{{{ {value} }}}}"',
        )


def names_something(text: str, known: Known) -> bool:
    """Whether a text is the path of something that is there.

    >>> names_something("inputs.name", {"inputs": ["name"]})
    True
    >>> names_something("inputs.csv", {"inputs": ["name"]})
    False
    """
    path = _LIKE_A_PATH.fullmatch(text.strip())
    if path is None or path["first"] not in known:
        return False
    if (path["second"] or path["key"]) not in known[path["first"]]:
        return False
    return path["first"] != "steps" or path["third"] in _OF_A_STEP


def _scalars(node: Node) -> Iterator[ScalarNode]:
    match node:
        case ScalarNode():
            yield node
        case SequenceNode(items, _):
            for item in items:
                yield from _scalars(item)
        case MappingNode(entries, _):
            for _, value in entries.values():
                yield from _scalars(value)
