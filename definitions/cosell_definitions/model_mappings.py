"""What mapping files say, as frozen values: sides, rows, tables, guards, brakes, the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import Literal

from .freezing import dataclass
from .model import Template, Value
from .problems import Place

Direction = Literal["both", "left_to_right", "right_to_left"]
FieldType = Literal[
    "text", "money", "number", "currency", "country", "date", "datetime", "boolean", "rows"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSide:
    """One side of a mapping: whose records, by which key and version field."""

    connection: str
    object: str
    key: str | Template
    version: str
    moment: str | None = None  # field with the time of the record's last change; default: version
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)  # of what is said, by key


@dataclass(frozen=True, slots=True, kw_only=True)
class MapField:
    """One row of a mapping. `left`/`right` hold field paths; several left paths make a tuple value."""

    id: str  # the left path(s), or the right one where there is no left: unique in the mapping
    left: tuple[str | Template, ...] = ()
    right: tuple[str | Template, ...] = ()
    value: Value = None  # a computed value instead of a left (or right) field
    type: FieldType = "text"
    direction: Direction = "both"
    when: Literal["always", "create"] = "always"
    conflict: Literal["newest", "left", "right", "max", "ask"] = "newest"
    blank: Literal["ignore", "clear"] = "ignore"
    latch: bool = False
    guard: str | None = None
    table: str | None = None
    skip_when: Literal["zero_or_blank", "blank"] | None = None
    decoration: str | None = None
    max_length: int | None = None
    too_long: Literal["cut", "refuse"] = "cut"  # what becomes of text longer than max_length
    scale: int = 2  # of money: digits after the point that count
    columns: Mapping[str, str | Template] = field(
        default_factory=dict
    )  # of rows: left key -> right field
    label: str | None = None  # the seller's word for it, for the audit
    place: Place
    left_places: tuple[Place, ...] = ()  # of each path
    right_places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A pair of values that mean the same. `right` may be `*` (any other).

    `came_from`: the row counts only while left is so now. `through`: a state to be written first.
    """

    left: tuple[Value, ...]
    right: Value
    direction: Direction = "both"
    came_from: tuple[Value, ...] = ()
    through: tuple[Value, ...] = ()  # a left state that must be written first
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRow:
    """A state of the left side, and the states it may go to. `*` stands for any value."""

    state: tuple[Value, ...]
    to: tuple[tuple[Value, ...], ...]
    edits: Literal["sent", "held", "frozen"] = "sent"  # of the right side, while left stays here
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Brakes:
    """When a run stops and asks a person. Shares are of the mapping's links; None: no brake."""

    max_changed: Decimal | None = None  # 0.25 for 25%
    max_created: int | None = None
    max_deleted: int | None = None
    when_all_changed: Literal["stop", "go"] = "stop"
    sentinel_left: Value = None  # the key of a record that is always there; None: nobody looks
    sentinel_right: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """Where the sync tells a seller what it did: fields of the right side."""

    field: str | Template
    mark: str | Template | None = None  # the field that carries the check mark
    mark_when: Value = True  # a template that yields whether marks are shown
    max_length: int = 100000
    language: Value = "English"  # of what is said there


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFile:
    """One mapping file: which field mirrors which, and who wins."""

    id: str
    left: MapSide
    right: MapSide
    brakes: Brakes
    fields: tuple[MapField, ...]
    tables: Mapping[str, tuple[TableRow, ...]] = field(default_factory=dict)
    guards: Mapping[str, tuple[GuardRow, ...]] = field(default_factory=dict)
    audit: AuditTrail | None = None
    content_hash: str = ""
    place: Place
