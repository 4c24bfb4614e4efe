"""The values of a mapping: where each stands, and what it is for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cosell_definitions.freezing import dataclass
from cosell_definitions.model import Value
from cosell_definitions.model_mappings import FieldType, MapField, MappingFile
from cosell_definitions.problems import Place

from .finding import Findings, templates_in
from .types import ANY, TEXT, Type, of


@dataclass(frozen=True, slots=True)
class Asked:
    """A value of a mapping, where it stands, and what it is for."""

    value: Value
    place: Place
    names: frozenset[str] = frozenset({"env"})
    wanted: Type = ANY
    row: FieldType | None = None  # the type of the row that the value is written by
    is_path: bool = False


def variables_in(mapping: MappingFile) -> Iterator[str]:
    """The environment variables that a mapping reads."""
    for asked in asked_of(mapping):
        for source in templates_in(asked.value):
            used = Findings().usage(source)
            for reference in used.references if used is not None else ():
                if reference.path[0] == "env" and len(reference.path) > 1:
                    yield reference.path[1]


def asked_of(mapping: MappingFile) -> Iterator[Asked]:
    """The values of a mapping, each with the names that it may read and what it must be."""
    for side in (mapping.left, mapping.right):
        yield Asked(side.key, side.place, wanted=TEXT, is_path=True)
    for field in mapping.fields:
        yield from _of_row(field)
    for rows in mapping.tables.values():
        for row in rows:
            yield Asked((row.left, row.right, row.came_from, row.through), row.place)
    for guards in mapping.guards.values():
        for guard in guards:
            yield Asked((guard.state, guard.to), guard.place)
    brakes, audit = mapping.brakes, mapping.audit
    yield Asked((brakes.sentinel_left, brakes.sentinel_right), mapping.place)
    if audit is not None:
        yield Asked(audit.field, mapping.place, wanted=TEXT, is_path=True)
        if audit.mark is not None:
            yield Asked(audit.mark, mapping.place, wanted=TEXT, is_path=True)
        yield Asked(audit.mark_when, mapping.place, wanted=of("boolean"))
        yield Asked(audit.language, mapping.place, wanted=TEXT)


def _of_row(field: MapField) -> Iterator[Asked]:
    for path in (*field.left, *field.right, *field.columns.values()):
        yield Asked(path, field.place, wanted=TEXT, is_path=True)
    if field.value is not None:
        # A table turns the value into another one, which the row's type then speaks of.
        row = None if field.table is not None else field.type
        yield Asked(field.value, field.place, frozenset({"env", "left", "right"}), row=row)
