"""COUNT, SUM, MIN, MAX, AVG, GROUP BY and HAVING."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, assert_never

from cosell_emulators.salesforce.rendering import plain, shown_value
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.soql.binding import Context
from cosell_emulators.salesforce.soql.functions import AGGREGATES, computed
from cosell_emulators.salesforce.soql.lexing import literal
from cosell_emulators.salesforce.soql.tree import (
    All,
    Among,
    Call,
    Column,
    Comparison,
    Condition,
    Money,
    Not,
    Path,
    Query,
    Some,
    Text,
    Value,
)
from cosell_emulators.salesforce.store import Row, indexed

_MOST = 2000


@dataclass(frozen=True, slots=True)
class _Group:
    """The rows that share the grouped values."""

    keys: dict[str, Any]
    rows: list[Row]


def is_aggregate(query: Query) -> bool:
    """Tell whether a query answers groups, not rows."""
    calls = (c.what for c in query.columns if isinstance(c, Column) and isinstance(c.what, Call))
    return bool(query.group_by) or any(call.name in AGGREGATES for call in calls)


def grouped(context: Context, query: Query, kind: ObjectType, rows: list[Row]) -> list[Any]:
    """Show one record for every group."""
    work = _Grouping(context, query, kind)
    groups = work.groups(rows)
    if query.having is not None:
        groups = [group for group in groups if work.holds(query.having, group)]
    for order in reversed(query.order_by):
        get = work.reader(order.what)
        keys = {id(group): _sortable(get(group)) for group in groups}
        empty = [group for group in groups if keys[id(group)] is None]
        full = [group for group in groups if keys[id(group)] is not None]
        full.sort(key=lambda group: keys[id(group)], reverse=order.descending)
        groups = full + empty if order.nulls_last else empty + full
    groups = groups[query.offset :][: _MOST if query.limit is None else query.limit]
    return work.shown(groups)


class _Grouping:
    def __init__(self, context: Context, query: Query, kind: ObjectType) -> None:
        self._context = context
        self._query = query
        self._kind = kind
        self._keys = {
            _signature(what): computed(context, kind, what, query.alias) for what in query.group_by
        }

    def groups(self, rows: list[Row]) -> list[_Group]:
        found: dict[tuple[Any, ...], _Group] = {}
        for row in rows:
            values = {name: get(row) for name, (_, get) in self._keys.items()}
            key = tuple(indexed(value) for value in values.values())
            found.setdefault(key, _Group(values, [])).rows.append(row)
        if not found and not self._keys:
            return [_Group({}, [])]
        return list(found.values())

    def reader(self, what: Path | Call) -> Callable[[_Group], Any]:
        """Make the function that reads a column of a group."""
        signature = _signature(what)
        if signature in self._keys:
            return lambda group: group.keys[signature]
        if isinstance(what, Path):
            for column in self._query.columns:
                if isinstance(column, Column) and column.alias == str(what):
                    return self.reader(column.what)
            self._context.bind(self._kind, what, self._query.alias)
            message = f"Field must be grouped or aggregated: {what}"
            raise self._context.refuse(what.at, "MALFORMED_QUERY", message)
        if what.name not in AGGREGATES:
            message = f"Field must be grouped or aggregated: {what.name}"
            raise self._context.refuse(what.at, "MALFORMED_QUERY", message)
        return self._aggregate(what)

    def _aggregate(self, call: Call) -> Callable[[_Group], Any]:
        if call.argument is None:
            return lambda group: len(group.rows)
        found, get = computed(self._context, self._kind, call.argument, self._query.alias)
        unfit = call.name in ("SUM", "AVG") and not found.is_number
        if unfit or (call.name in ("MIN", "MAX") and found.type == "boolean"):
            message = f"field {found.name} does not support aggregate operator {call.name}"
            raise self._context.refuse(call.at, "MALFORMED_QUERY", message)

        def read(group: _Group) -> Any:
            values = [value for row in group.rows if (value := get(row)) is not None]
            return _aggregated(call.name, values)

        return read

    def shown(self, groups: list[_Group]) -> list[Any]:
        """Show the selected columns; what has no name is called expr0, expr1 and so on."""
        columns: list[tuple[str, Field | None, Callable[[_Group], Any]]] = []
        unnamed = 0
        for column in self._query.columns:
            if not isinstance(column, Column):
                raise self._context.refuse(0, "MALFORMED_QUERY", "nested queries cannot be grouped")
            get = self.reader(column.what)
            field, name = None, column.alias
            if isinstance(column.what, Path):
                field = self._keys.get(_signature(column.what), (None, None))[0]
                name = name or (field.name if field is not None else str(column.what))
            if name is None:
                name, unnamed = f"expr{unnamed}", unnamed + 1
            columns.append((name, field, get))
        return [
            {"attributes": {"type": "AggregateResult"}}
            | {name: _readable(field, get(group)) for name, field, get in columns}
            for group in groups
        ]

    def holds(self, condition: Condition, group: _Group) -> bool:
        """Test a group."""
        match condition:
            case All():
                return all(self.holds(part, group) for part in condition.parts)
            case Some():
                return any(self.holds(part, group) for part in condition.parts)
            case Not():
                return not self.holds(condition.part, group)
            case Among():
                message = "semi joins are not allowed in HAVING"
                raise self._context.refuse(condition.what.at, "MALFORMED_QUERY", message)
            case Comparison():
                found = indexed(self.reader(condition.what)(group))
                values = [indexed(_plain(value)) for value in condition.values]
                try:
                    return _holds(found, condition.operator, values)
                except TypeError:
                    message = f"value of filter criterion does not fit {_signature(condition.what)}"
                    raise self._context.refuse(condition.at, "INVALID_FIELD", message) from None
            case unknown:
                assert_never(unknown)


def _holds(found: Any, operator: str, values: list[Any]) -> bool:
    match operator:
        case "=" | "IN":
            return found in values
        case "!=" | "NOT IN":
            return found not in values
    if found is None or values[0] is None:
        return False
    match operator:
        case "<":
            return bool(found < values[0])
        case "<=":
            return bool(found <= values[0])
        case ">":
            return bool(found > values[0])
        case ">=":
            return bool(found >= values[0])
    return str(values[0]).replace("%", "") in str(found)


def _aggregated(name: str, values: list[Any]) -> Any:
    if name == "COUNT":
        return len(values)
    if name == "COUNT_DISTINCT":
        return len({indexed(value) for value in values})
    if not values:
        return None
    match name:
        case "MIN":
            return min(values)
        case "MAX":
            return max(values)
        case "SUM":
            return sum(values)
    return Decimal(sum(values)) / len(values)


def _signature(what: Path | Call) -> str:
    if isinstance(what, Path):
        return str(what).lower()
    return f"{what.name}({_signature(what.argument) if what.argument else ''})"


def _plain(value: Value) -> Any:
    match value:
        case Text():
            return literal(value.raw)
        case Money():
            return value.amount
    return value


def _readable(field: Field | None, value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return shown_value(field or Field(name="", type="date", label=""), value)
    return value


def _sortable(value: Any) -> Any:
    return indexed(value)
