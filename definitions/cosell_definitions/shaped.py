"""A typed tree: values that know their place and the node they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .freezing import dataclass
from .nodes import Node
from .problems import Place
from .scalars import Plain


@dataclass(frozen=True, slots=True)
class Shaped:
    """A value that knows its type, its place and the node it was made from."""

    value: Plain | tuple[Shaped, ...] | Mapping[str, Shaped]
    node: Node
    key: Place | None = None  # where its key stands, if it has one
    sound: bool = True

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.node.place

    @property
    def entries(self) -> Mapping[str, Shaped]:
        """The keys of a mapping; nothing where it is something else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[Shaped, ...]:
        """The items of a list; nothing where it is something else."""
        return self.value if isinstance(self.value, tuple) else ()

    def get(self, name: str) -> Shaped | None:
        """The value under a key."""
        return self.entries.get(name)

    def plain(self) -> Any:
        """The value as dicts, lists and scalars."""
        if isinstance(self.value, Mapping):
            return {name: entry.plain() for name, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        return self.value

    def at(self, *path: str | int) -> Shaped | None:
        """The value at a path of keys and positions."""
        here: Shaped | None = self
        for part in path:
            if here is None:
                return None
            if isinstance(part, int):
                here = here.items[part] if part < len(here.items) else None
            else:
                here = here.get(part)
        return here
