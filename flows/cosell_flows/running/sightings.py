"""Remember which version of each record a plan was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..syncing.mirror import Mirror
from ..syncing.records import flatten

Seen = dict[tuple[str, str], dict[str, Any]]  # (system, id) -> its fields by dotted path


@dataclass(slots=True)
class Marks:
    """By which fields the records of each system tell who they are and how old."""

    by_system: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, mirrors: Iterable[Mirror]) -> Marks:
        """The marks that the mappings name."""
        marks = cls()
        for mirror in mirrors:
            left, right = mirror.mapping.left, mirror.mapping.right
            marks.by_system.setdefault(left.connection, set()).add((mirror.left_key, left.version))
            marks.by_system.setdefault(right.connection, set()).add(("Id", right.version))
        return marks

    def version_of(self, system: str, record: Mapping[str, Any]) -> str | None:
        """The version of a record that tells who it is, else None."""
        for key, version in self.by_system.get(system, ()):
            if record.get(key) and record.get(version):
                return str(record[version])
        return None

    def note(self, seen: Seen, system: str, reply: Any) -> None:
        """Put every record of *reply* that tells who it is into *seen*."""
        match reply:
            case Mapping():
                for key, version in self.by_system.get(system, ()):
                    if reply.get(key) and reply.get(version):
                        known = seen.setdefault((system, str(reply[key])), {})
                        known.update(flatten(reply))
                for value in reply.values():
                    self.note(seen, system, value)
            case list() | tuple():
                for value in reply:
                    self.note(seen, system, value)
            case _:
                pass
