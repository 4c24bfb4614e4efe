"""Find where variables are used: which flow or mapping, and on which line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cosell_definitions.model import Bare, Flow, Template
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.problems import Place

from ..compiling.referring import usage
from ..compiling.values import Faulty
from ..project import Project

_FURTHEST = 60  # lines of one expression that is folded over several


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Use:
    """One place where a variable is read."""

    kind: str  # flow or mapping
    id: str
    file: str
    line: int

    def as_json(self) -> dict[str, Any]:
        """The use as `env list --json` prints it."""
        return {"kind": self.kind, "id": self.id, "file": self.file, "line": self.line}


def uses_of(project: Project) -> Mapping[str, tuple[Use, ...]]:
    """Where each variable is read, in the order of the files."""
    found: dict[str, set[Use]] = {}
    documents: list[tuple[str, Flow | MappingFile]] = [
        *(("flow", flow) for flow in project.flows.values()),
        *(("mapping", mapping) for mapping in project.mappings.values()),
    ]
    for kind, document in documents:
        source = _Source(project.root, document.place.file)
        for name, place in _read_in(document):
            line = source.line_of(name, place)
            use = Use(kind=kind, id=document.id, file=place.file, line=line)
            found.setdefault(name, set()).add(use)
    return {
        name: tuple(sorted(uses, key=lambda it: (it.file, it.line))) for name, uses in found.items()
    }


def _read_in(document: Flow | MappingFile) -> Iterator[tuple[str, Place]]:
    for expression in _expressions(document):
        try:
            references = usage(expression).references
        except Faulty:
            continue  # `cosell check` says so
        for reference in references:
            if reference.path[0] == "env" and len(reference.path) > 1:
                yield reference.path[1], expression.place


def _expressions(value: Any) -> Iterator[Template | Bare]:
    """Every expression below *value*, whichever part of a document it is."""
    if isinstance(value, Template | Bare):
        yield value
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from _expressions(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _expressions(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _expressions(inner)


@dataclass(frozen=True)
class _Source:
    """The lines of a file: an expression may be folded over several of them."""

    root: Path
    file: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines, as they are now."""
        return (self.root / self.file).read_text(encoding="utf-8-sig").splitlines()

    def line_of(self, name: str, place: Place) -> int:
        """The first line from *place* on that reads the variable."""
        wanted = re.compile(rf"\benv(\.{name}\b|\[['\"]{name}['\"]\])")
        for number in range(place.line, min(place.line + _FURTHEST, len(self.lines) + 1)):
            if wanted.search(self.lines[number - 1]):
                return number
        return place.line
