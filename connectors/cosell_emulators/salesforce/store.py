"""Tables in memory: rows by id, by key and by parent, and a way back from everything done."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cosell_emulators.salesforce.identifiers import minted
from cosell_emulators.salesforce.schema import ObjectType, Schema

# Enough for any test, and small enough for a demo that runs for days.
_CHANGES_KEPT = 50_000


@dataclass(slots=True)
class Row:
    """One row; its values are replaced as a whole, never changed in place."""

    type: ObjectType
    id: str
    values: Mapping[str, Any]
    deleted_at: datetime | None = None

    def get(self, name: str) -> Any:
        """Read a field by its canonical name."""
        if name == "Id":
            return self.id
        if name in self.type.computed:
            return self.type.computed[name](self)
        return self.deleted_at is not None if name == "IsDeleted" else self.values.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a call did to a row, and which client said it was calling."""

    at: datetime
    object: str
    id: str
    operation: str
    fields: tuple[str, ...]
    user: str
    client: str

    def document(self) -> dict[str, Any]:
        """Show the change to a test."""
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "object": self.object,
            "id": self.id,
            "operation": self.operation,
            "fields": list(self.fields),
            "user": self.user,
            "client": self.client,
        }


@dataclass(slots=True)
class Table:
    """The rows of one object, deleted ones included, with an index on every key and lookup."""

    type: ObjectType
    rows: dict[str, Row] = field(default_factory=dict)
    indexes: dict[str, dict[Any, dict[str, None]]] = field(default_factory=dict)
    # Grows with every change, so that what was derived from the rows can be told stale.
    generation: int = 0

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        """Begin an index on every key and lookup that has none yet."""
        for found in self.type.fields.values():
            keyed = found.keyed or found.unique or found.type == "reference"
            if keyed and found.name != "Id":
                self.indexes.setdefault(found.name, {})

    def alive(self) -> Iterator[Row]:
        """Go through the rows that are not in the recycle bin."""
        return (row for row in list(self.rows.values()) if row.deleted_at is None)

    def having(self, name: str, value: Any) -> list[Row]:
        """Find the living rows with a value, through an index when there is one."""
        if name in self.indexes:
            return [self.rows[key] for key in self.indexes[name].get(indexed(value), ())]
        wanted = indexed(value)
        return [row for row in self.alive() if indexed(row.get(name)) == wanted]

    def enter(self, row: Row) -> None:
        """Put a living row into the indexes."""
        self.generation += 1
        for name, index in self.indexes.items():
            value = row.values.get(name)
            if value is not None:
                index.setdefault(indexed(value), {})[row.id] = None

    def leave(self, row: Row) -> None:
        """Take a row out of the indexes."""
        self.generation += 1
        for name, index in self.indexes.items():
            value = indexed(row.values.get(name))
            if value in index:
                index[value].pop(row.id, None)
                if not index[value]:
                    del index[value]


def indexed(value: Any) -> Any:
    """Give a value the form in which it is compared: text without regard to case."""
    return value.casefold() if isinstance(value, str) else value


class Store:
    """All rows of an org."""

    def __init__(self, schema: Schema, now: Callable[[], datetime]) -> None:
        self.now = now
        # The whole of it, and what the present caller may see of it.
        self.whole = schema
        self.schema = schema
        self.tables = {found.name: Table(found) for found in schema}
        # What defines the objects, by the name each is pointed to with.
        self.definitions: dict[str | None, Row] = {}
        self._names: dict[str, str] = {}
        self.changes: deque[Change] = deque(maxlen=_CHANGES_KEPT)
        self._minted: Counter[str] = Counter()
        self._undo: list[Callable[[], None]] = []
        self._depth = 0

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    def mint(self, found: ObjectType) -> str:
        """Make the next id of an object."""
        return self.numbered(found.prefix)

    def named(self, prefix: str, name: str) -> str:
        """Give the id of a thing that is known by its name, always the same one."""
        key = f"{prefix} {name}"
        if key not in self._names:
            self._names[key] = self.numbered(prefix)
        return self._names[key]

    def numbered(self, prefix: str) -> str:
        """Make the next id with a prefix, also for things that are no rows."""
        self._minted[prefix] += 1
        return minted(prefix, self._minted[prefix])

    def row(self, row_id: str | None) -> Row | None:
        """Find a row, deleted or not, by its long id."""
        found = self.whole.of_id(row_id) if row_id else None
        return None if found is None else self.tables[found.name].rows.get(row_id or "")

    def kind_of(self, row: Row) -> ObjectType:
        """Give the object of a row, as the present caller sees it."""
        return self.schema.find(row.type.name) or row.type

    def living(self, row_id: str | None) -> Row | None:
        """Find a row that is not deleted."""
        row = self.row(row_id)
        return row if row is not None and row.deleted_at is None else None

    def insert(self, row: Row) -> None:
        """Add a row."""
        table = self.tables[row.type.name]
        table.rows[row.id] = row
        table.enter(row)

        def back() -> None:
            table.leave(row)
            del table.rows[row.id]

        self._undo.append(back)

    def replace(self, row: Row, values: Mapping[str, Any]) -> None:
        """Give a row other values."""
        table, before = self.tables[row.type.name], row.values

        def put(after: Mapping[str, Any]) -> None:
            table.leave(row)
            row.values = after
            if row.deleted_at is None:
                table.enter(row)

        put(values)
        self._undo.append(lambda: put(before))

    def merge(self, row: Row, **values: Any) -> None:
        """Give a row some other values, leaving the rest as they are."""
        self.replace(row, {**row.values, **values})

    def discard(self, row: Row, *, at: datetime) -> None:
        """Put a row into the recycle bin."""
        table = self.tables[row.type.name]
        table.leave(row)
        row.deleted_at = at

        def back() -> None:
            row.deleted_at = None
            table.enter(row)

        self._undo.append(back)

    def forget(self, row: Row) -> None:
        """Remove a row for good, past the recycle bin."""
        table = self.tables[row.type.name]
        table.leave(row)
        table.rows.pop(row.id, None)

    def note(self, change: Change) -> None:
        """Write a change down."""
        self.changes.append(change)

        def back() -> None:
            self.changes.pop()

        self._undo.append(back)

    @contextmanager
    def seen_as(self, schema: Schema) -> Iterator[None]:
        """Show only a part of the org for the length of a call."""
        before, self.schema = self.schema, schema
        try:
            yield
        finally:
            self.schema = before

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Undo everything done in the block when it raises."""
        mark = len(self._undo)
        self._depth += 1
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                self._undo.pop()()
            raise
        finally:
            self._depth -= 1
            if not self._depth:
                self._undo.clear()
