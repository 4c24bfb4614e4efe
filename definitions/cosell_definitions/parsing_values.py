"""Values, durations and shares: from what was typed to what the model holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from .braces import bare_of
from .model import Bare, Schema, Template, Value
from .nodes import MappingNode, Node, ScalarNode, SequenceNode
from .problems import Place, Problem, Severity
from .scalars import boolean_of, number_of, untyped
from .shaped import Shaped

MAX_DURATION = timedelta(days=3650)
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
DURATION = r"^([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)$"
_DURATION = re.compile(DURATION)
_MOMENTS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "date": (date.fromisoformat, "a date such as 2026-01-31"),
    "datetime": (datetime.fromisoformat, "a moment such as 2026-01-31T08:00:00Z"),
}
_STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)


def duration_of(text: str) -> timedelta | None:
    """`15m`, `1s`, `2h`, `500ms`, `1d`; None for anything else, and for more than ten years."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None
    # In whole microseconds, because timedelta * 0.1 rounds as floats do.
    microseconds = Decimal(found[1]) * (_UNITS[found[2]] // timedelta(microseconds=1))
    if microseconds > MAX_DURATION // timedelta(microseconds=1):
        return None
    return timedelta(microseconds=int(microseconds))


def duration_text(duration: timedelta) -> str:
    """A duration as it is written: 15m, 2h, 1s, 500ms."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if duration and duration % timedelta(seconds=size) == timedelta(0):
            return f"{duration // timedelta(seconds=size)}{unit}"
    microseconds = duration // timedelta(microseconds=1)
    return f"{Decimal(microseconds) / 1000}ms" if microseconds else "0s"


def share_of(text: str) -> Decimal:
    """`25%` is 0.25."""
    return Decimal(text.rstrip("%")) / 100


@dataclass(slots=True)
class Hand:
    """Takes values out of a typed tree, and collects what is wrong with them."""

    letter: str
    file: str
    problems: list[Problem] = field(default_factory=list)

    def say(
        self,
        code: str,
        place: Place,
        message: str,
        hint: str | None = None,
        *,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Collect one problem."""
        self.problems.append(
            Problem(code=code, place=place, message=message, hint=hint, severity=severity)
        )

    def scalar(self, of: Shaped | None, name: str) -> Any:
        """The scalar under a key, if it is there and sound."""
        entry = of.get(name) if of is not None else None
        return entry.value if entry is not None and entry.sound else None

    def text(self, of: Shaped | None, name: str) -> str | None:
        """The text under a key."""
        value = self.scalar(of, name)
        return value if isinstance(value, str) else None

    def integer(self, of: Shaped | None, name: str) -> int | None:
        """The whole number under a key."""
        value = self.scalar(of, name)
        return value if isinstance(value, int) else None

    def texts(self, of: Shaped | None, name: str) -> tuple[str, ...]:
        """The texts of the list under a key."""
        entry = of.get(name) if of is not None else None
        items = entry.items if entry is not None else ()
        return tuple(item.value for item in items if item.sound and isinstance(item.value, str))

    def duration(self, of: Shaped | None, name: str) -> timedelta | None:
        """The duration under a key."""
        text = self.text(of, name)
        if of is None or text is None:
            return None
        found = duration_of(text)
        if found is None:
            entry = of.entries[name]
            self.say(
                f"{self.letter}004",
                entry.place,
                f"{name!r} is {text!r}, which is longer than ten years",
                "write a duration such as 15m",
            )
        return found

    def bare(self, of: Shaped, name: str) -> Bare | None:
        """The bare expression under a key; braces there are an error that shows the line."""
        text = self.text(of, name)
        if text is None:
            return None
        node = of.entries[name].node
        assert isinstance(node, ScalarNode)
        if "{{" in text or "{%" in text:
            meant = bare_of(text)
            at = text.find(meant) if meant else -1
            self.say(
                "X001",
                node.place,
                f"{name!r} takes a bare expression: no braces, no quotes",
                f"write: {name}: {meant}",
            )
            return _part(node, meant, at) if at >= 0 else Bare(meant, node.place)
        return Bare(text, node.inside, node.turns)

    def value(self, shaped: Shaped | None) -> Value:
        """A literal as written, with templates where braces stand."""
        if shaped is None:
            return None
        content = shaped.value
        if isinstance(content, tuple):
            return tuple(self.value(item) for item in content)
        if isinstance(content, Mapping):
            return {name: self.value(entry) for name, entry in content.items()}
        return self.template(content, shaped.node) if isinstance(content, str) else content

    def values(self, shaped: Shaped | None) -> dict[str, Value]:
        """The values of a mapping."""
        entries = shaped.entries if shaped is not None else {}
        return {name: self.value(entry) for name, entry in entries.items()}

    def template(self, text: str, node: Node) -> str | Template:
        """Text, or a template where braces stand in it."""
        if _STATEMENT.search(text):
            self.say(
                "X002",
                node.place,
                "{% %} is not read here; only {{ }} is",
                "a list is made with `| map(…)` and `| select(…)`, a choice with `a if x else b`",
            )
            return text
        if "{{" not in text:
            return text
        if not isinstance(node, ScalarNode):
            return Template(text, node.place)
        return Template(text, node.inside, node.turns)

    def id_of_file(self, root: Shaped, ending: str) -> str | None:
        """The id, which must be the file's name without its ending."""
        given = self.text(root, "id")
        name = PurePosixPath(self.file.replace("\\", "/")).name
        stem = name.removesuffix(ending)
        if given is not None and name.endswith(ending) and given != stem:
            self.say(
                f"{self.letter}007",
                root.entries["id"].place,
                f"the id is {given!r}, but the file is called {name}",
                f"write `id: {stem}`, or rename the file to {given}{ending}",
            )
        if given is None and name.endswith(ending):
            return stem  # of a draft: what else is wrong is told in the same run
        return given

    def places(self, shaped: Shaped | None) -> dict[str, Place]:
        """Where the keys of a mapping stand."""
        entries = shaped.entries if shaped is not None else {}
        return {name: entry.key or entry.place for name, entry in entries.items()}

    def nodes(self, shaped: Shaped | None) -> dict[str, Node]:
        """The values of a mapping as they were typed."""
        entries = shaped.entries if shaped is not None else {}
        return {name: entry.node for name, entry in entries.items()}


def _part(node: ScalarNode, text: str, at: int) -> Bare:
    """The part of a value that begins at an offset, with the places of its letters."""
    whole = node.inside
    if node.turns:
        before = max((turn for turn in node.turns if turn[0] <= at), default=node.turns[0])
        first = (0, before[1], before[2] + max(0, at - before[0]))
        after = tuple((turn[0] - at, turn[1], turn[2]) for turn in node.turns if turn[0] > at)
        return Bare(text, whole, (first, *after))
    if whole.end_column is None or whole.end_column - whole.column != len(node.text):
        return Bare(text, node.place)
    start = whole.column + at
    return Bare(text, whole._replace(column=start, end_column=start + len(text)))


class Ill(ValueError):
    """A value is not of the type that was declared for it."""

    def __init__(self, node: Node, wanted: str) -> None:
        super().__init__(wanted)
        self.node = node
        self.wanted = wanted


def of_schema(node: Node, schema: Schema) -> Any:
    """The value of a node as its schema declares it, down to the items and fields; raises Ill."""
    if isinstance(node, SequenceNode) and schema.type == "array" and schema.items is not None:
        return tuple(of_schema(item, schema.items) for item in node.items)
    if isinstance(node, MappingNode) and schema.type == "object":
        known = schema.properties
        return {
            name: of_schema(value, known[name]) if name in known else _any(value)
            for name, (_, value) in node.entries.items()
        }
    return of_type(node, schema.type)


def of_type(node: Node, type_: str) -> Any:
    """The value of a node as a type of the language; raises Ill."""
    if isinstance(node, SequenceNode) and type_ == "array":
        return tuple(_any(item) for item in node.items)
    if isinstance(node, MappingNode) and type_ == "object":
        return _any(node)
    if type_ == "any":
        return _any(node)
    if not isinstance(node, ScalarNode) or type_ in ("array", "object"):
        raise Ill(node, {"array": "a list", "object": "keys with values"}.get(type_, type_))
    if not node.quoted and node.text in ("null", "~", ""):
        return None
    return _scalar_of_type(node, type_)


def _any(node: Node) -> Any:
    match node:
        case ScalarNode():
            return untyped(node)
        case SequenceNode(items, _):
            return tuple(_any(item) for item in items)
        case MappingNode(entries, _):
            return {name: _any(value) for name, (_, value) in entries.items()}


def _scalar_of_type(node: ScalarNode, type_: str) -> Any:
    if type_ in _MOMENTS:
        read, wanted = _MOMENTS[type_]
        try:
            read(node.text)
        except ValueError:
            raise Ill(node, wanted) from None
        return node.text
    if type_ == "string":
        return node.text
    if type_ == "boolean":
        flag = boolean_of(node.text)
        if flag is None:
            raise Ill(node, "true or false")
        return flag
    number = None if node.quoted else number_of(node.text)
    if number is None or (type_ == "integer" and not isinstance(number, int)):
        raise Ill(node, "a whole number" if type_ == "integer" else "a number")
    return number if type_ == "integer" else Decimal(number)
