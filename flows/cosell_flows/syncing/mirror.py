"""A mapping with the environment's names filled in: what the merge works on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from cosell_definitions.model import Template, Value
from cosell_definitions.model_mappings import GuardRow, MapField, MappingFile, MapSide, TableRow

from ..compiling.expressions import evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the mapping with plain paths.

    `left_fixed`: left takes this only when it is made. `right_computes`: right takes it never.
    """

    field: MapField
    left: tuple[str, ...]
    right: tuple[str, ...]
    table: tuple[TableRow, ...] = ()
    guard: tuple[GuardRow, ...] = ()
    left_fixed: bool = False
    right_computes: bool = False

    @property
    def label(self) -> str:
        """What a seller calls the field."""
        return self.field.label or self.right[0] if self.right else self.field.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Where a seller reads what the sync did."""

    field: str
    mark: str | None
    show_marks: bool
    max_length: int
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A mapping made concrete for one environment."""

    mapping: MappingFile
    rows: tuple[Row, ...]
    left_key: str
    right_key: str
    audit: Audit | None
    env: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The mapping's id."""
        return self.mapping.id

    def right_fields(self) -> tuple[str, ...]:
        """Every field of the right side that the sync reads, without doubles, in the table's order."""
        own = [self.audit.field, self.audit.mark] if self.audit else []
        wanted = [path for row in self.rows for path in row.right]
        return _unique([*wanted, self.right_key, *(name for name in own if name)])

    def own_fields(self) -> tuple[str, ...]:
        """The same without those of related records."""
        return tuple(name for name in self.right_fields() if "." not in name)

    def left_fields(self) -> tuple[str, ...]:
        """Every path of the left side that the sync reads, in the table's order."""
        return _unique(path for row in self.rows for path in row.left)

    def two_way(self) -> tuple[str, ...]:
        """The right paths of the rows that carry a value either way."""
        rows = (row for row in self.rows if row.field.direction == "both" and row.left)
        return tuple(path for row in rows for path in row.right)

    def computing(self, paths: Set[str]) -> Mirror:
        """The same where the fields at *paths* of the right side compute themselves."""
        rows = (replace(row, right_computes=bool(paths & set(row.right))) for row in self.rows)
        return replace(self, rows=tuple(rows))

    def guarded(self) -> Row | None:
        """The row whose guard says what state a record is in, if the mapping has one."""
        return next((row for row in self.rows if row.guard), None)


def mirror_of(
    mapping: MappingFile, env: Mapping[str, Any], *, updatable: Sequence[str] | None = None
) -> Mirror:
    """*mapping* with the names of *env*; `updatable`: the left paths that can change (None: all)."""
    scope = {"env": env}
    tables = {name: _table(rows, scope) for name, rows in mapping.tables.items()}
    rows = tuple(_row(row, mapping, tables, scope, updatable) for row in mapping.fields)
    trail = mapping.audit
    audit = None
    if trail is not None:
        audit = Audit(
            field=_text(trail.field, scope),
            mark=_text(trail.mark, scope) if trail.mark else None,
            show_marks=evaluate(trail.mark_when, scope) is True,
            max_length=trail.max_length,
            language=str(evaluate(trail.language, scope)),
        )
    return Mirror(
        mapping=mapping,
        rows=rows,
        left_key=_text(mapping.left.key, scope),
        right_key=_text(mapping.right.key, scope),
        audit=audit,
        env=env,
    )


def link_to_left(mirror: Mirror, left_id: str) -> str | None:
    """The address of a left record, where a row of the mapping computes one."""
    for row in mirror.rows:
        if isinstance(row.field.value, Template):
            made = evaluate(
                row.field.value, {"env": mirror.env, "left": {mirror.left_key: left_id}}
            )
            if isinstance(made, str) and made.startswith("https://"):
                return made
    return None


def moment_field(side: MapSide) -> str:
    """The field that tells when a record of *side* changed last."""
    return side.moment or side.version


def _row(
    field: MapField,
    mapping: MappingFile,
    tables: Mapping[str, tuple[TableRow, ...]],
    scope: Mapping[str, Any],
    updatable: Sequence[str] | None,
) -> Row:
    left = tuple(_text(path, scope) for path in field.left)
    return Row(
        field=field,
        left=left,
        right=tuple(_text(path, scope) for path in field.right),
        table=tables[field.table] if field.table else (),
        guard=mapping.guards[field.guard] if field.guard else (),
        left_fixed=updatable is not None and not set(left) <= set(updatable),
    )


def _table(rows: Iterable[TableRow], scope: Mapping[str, Any]) -> tuple[TableRow, ...]:
    return tuple(replace(row, right=_plain(row.right, scope)) for row in rows)


def _plain(value: Value, scope: Mapping[str, Any]) -> Any:
    return evaluate(value, scope) if isinstance(value, Template) else value


def _text(value: str | Template, scope: Mapping[str, Any]) -> str:
    return str(_plain(value, scope))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(name.lower(), name)
    return tuple(seen.values())
