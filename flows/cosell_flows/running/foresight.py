"""What was read before it was needed: bulk reads, and the reads of a rehearsal. Each is used once.

A record read ahead may have moved since. Nothing is lost by that: writes carry the version that was
read, a record that moved refuses them, and whoever then reads again finds nothing here any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cosell_connectors.model import Operation

MOST_ROWS = 2_000  # rows that are remembered of a rehearsal; what is beyond is read a second time


@dataclass(slots=True)
class Foresight:
    """Answers that are there already, by question."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)  # name → key → value
    replies: dict[str, list[Any]] = field(default_factory=dict)  # what a rehearsal was answered
    _rows: int = 0

    def keep(self, name: str, values: Mapping[str, Any]) -> None:
        """Have *values* at hand, under *name*, for whoever asks for one of them first."""
        self.records.setdefault(name, {}).update(values)

    def take(self, name: str, key: str, *, leave: bool = False) -> Any:
        """The value kept under *name* for *key*, or None; it is gone then, unless it is left."""
        known = self.records.get(name, {})
        return known.get(key) if leave else known.pop(key, None)

    def record(self, question: str, reply: Any) -> None:
        """Remember what a rehearsal was answered, as long as it is not too much."""
        self._rows += _rows_of(reply)
        if self._rows <= MOST_ROWS:
            self.replies.setdefault(question, []).append(reply)

    def answer(self, question: str) -> Any:
        """What a rehearsal was answered, or None."""
        known = self.replies.get(question)
        return known.pop(0) if known else None

    def since(self, before: Mapping[str, frozenset[str]]) -> None:
        """Let go of what was kept since *before*: the portion it was kept for is through."""
        for name, known in self.records.items():
            for key in known.keys() - before.get(name, frozenset()):
                del known[key]

    def names(self) -> dict[str, frozenset[str]]:
        """What is kept by now."""
        return {name: frozenset(known) for name, known in self.records.items()}

    def copied(self) -> Foresight:
        """The same records for a rehearsal, which uses them up by itself."""
        return Foresight(records={name: dict(values) for name, values in self.records.items()})


def _rows_of(reply: Any) -> int:
    values = reply.values() if isinstance(reply, Mapping) else ()
    return max((len(one) for one in values if isinstance(one, list)), default=1)


def nothing_of(operation: Operation) -> dict[str, Any]:
    """What a plan finds about a record that does not exist yet: nothing, in the operation's shape."""
    is_list = any(field.kind == "items" for field in operation.output)
    empty: dict[str, Any] = {"items": [], "newest": None, "value": 0 if is_list else None}
    table = operation.answer is not None and operation.answer.kind == "csv"
    return {
        field.name: [] if table and not field.pointer else empty[field.kind]
        for field in operation.output
    }


def question_of(system: str, operation: str, arguments: Mapping[str, Any]) -> str:
    """A read as a key: the same words for the same question."""
    return f"{system}.{operation} {json.dumps(arguments, sort_keys=True, default=str)}"


def grouped(records: Iterable[Mapping[str, Any]], by: str, keys: Iterable[str]) -> dict[str, Any]:
    """*records* as lists by the value of a field; an empty list for a key without any."""
    lists: dict[str, list[Any]] = {key: [] for key in keys}
    for record in records:
        lists.setdefault(str(record.get(by)), []).append(record)
    return lists
