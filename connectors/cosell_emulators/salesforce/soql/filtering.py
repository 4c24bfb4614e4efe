"""Turn WHERE into a test of a row, and find the few rows worth testing."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, assert_never

from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.problems import Refusal
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.soql.binding import Bound, Context
from cosell_emulators.salesforce.soql.dating import span
from cosell_emulators.salesforce.soql.functions import computed
from cosell_emulators.salesforce.soql.lexing import literal
from cosell_emulators.salesforce.soql.tree import (
    All,
    Among,
    Comparison,
    Condition,
    DateLiteral,
    Money,
    Not,
    Path,
    Query,
    Some,
    Text,
    Value,
)
from cosell_emulators.salesforce.store import Row, indexed

_UNQUOTED = ("boolean", "currency", "double", "percent", "int", "date", "datetime")
_WILD = {"%": ".*", "_": "."}

Test = Callable[[Row], bool]
Ids = Callable[[Query], set[str]]


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of time: from its start up to, not including, its end."""

    start: Any
    end: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Compiles the conditions of one object's query; *ids* answers the queries inside."""

    context: Context
    kind: ObjectType
    alias: str | None
    ids: Ids

    def test(self, condition: Condition) -> Test:
        """Make the test of a condition."""
        match condition:
            case All():
                parts = [self.test(part) for part in condition.parts]
                return lambda row: all(part(row) for part in parts)
            case Some():
                parts = [self.test(part) for part in condition.parts]
                return lambda row: any(part(row) for part in parts)
            case Not():
                inner = self.test(condition.part)
                return lambda row: not inner(row)
            case Among():
                return self._among(condition)
            case Comparison():
                return self._comparison(condition)
            case unknown:
                assert_never(unknown)

    def candidates(self, condition: Condition | None) -> Iterable[Row] | None:
        """Find the rows an index offers; nothing when every row must be looked at."""
        if isinstance(condition, All):
            for part in condition.parts:
                found = self.candidates(part)
                if found is not None:
                    return found
        if isinstance(condition, Comparison) and condition.operator in ("=", "IN"):
            return self._by_key(condition)
        return None

    def _by_key(self, condition: Comparison) -> Iterable[Row] | None:
        if not isinstance(condition.what, Path):
            return None
        bound = self.context.bind(self.kind, condition.what, self.alias)
        table = self.context.store[self.kind.name]
        name = bound.field.name
        if bound.hops or None in condition.values:
            return None
        values = [self._literal(bound.field, value, condition.at) for value in condition.values]
        if name == "Id":
            rows = [table.rows.get(str(value)) for value in values]
            return list({row.id: row for row in rows if row is not None}.values())
        if name not in table.indexes or self.context.deleted:
            return None
        return list({row.id: row for value in values for row in table.having(name, value)}.values())

    def _among(self, condition: Among) -> Test:
        bound = self.context.bind(self.kind, condition.what, self.alias)
        if bound.field.type not in ("id", "reference"):
            message = "The left operand of a semi join must be an id or a reference field"
            raise self.context.refuse(condition.what.at, "MALFORMED_QUERY", message)
        get, ids = self.context.getter(bound), self.ids(condition.query)
        if condition.negated:
            return lambda row: get(row) not in ids
        return lambda row: get(row) in ids

    def _comparison(self, condition: Comparison) -> Test:
        field, get = computed(self.context, self.kind, condition.what, self.alias)
        if isinstance(condition.what, Path):
            self._may_filter(self.context.bind(self.kind, condition.what, self.alias), condition.at)
        operator = condition.operator
        if operator == "LIKE":
            return self._like(field, get, condition)
        if operator in ("INCLUDES", "EXCLUDES"):
            return self._includes(field, get, condition)
        values = [self._literal(field, value, condition.at) for value in condition.values]
        if field.type == "boolean" and operator not in ("=", "!=", "IN", "NOT IN"):
            raise self.context.refuse(
                condition.at, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on boolean field"
            )
        if operator in ("IN", "NOT IN"):
            spans = [value for value in values if isinstance(value, _Span)]
            plain = {indexed(value) for value in values if not isinstance(value, _Span)}
            wanted = operator == "IN"
            return lambda row: _in(indexed(get(row)), plain, spans) is wanted
        return _compared(get, operator, values[0])

    def _may_filter(self, bound: Bound, at: int) -> None:
        if not bound.field.filterable or bound.field.type == "address":
            message = f"field '{bound.field.name}' can not be filtered in a query call"
            raise self.context.refuse(at, "INVALID_FIELD", message)

    def _like(self, field: Field, get: Callable[[Row], Any], condition: Comparison) -> Test:
        value = condition.values[0]
        if field.type in ("id", "reference", "boolean", "date", "datetime") or field.is_number:
            message = "invalid operator on id field" if "d" in field.type else "invalid operator"
            raise self.context.refuse(condition.at, "INVALID_QUERY_FILTER_OPERATOR", message)
        if not isinstance(value, Text):
            raise self._mistyped(field, condition.at)
        pattern = _pattern(literal(value.raw, pattern=True))
        return lambda row: (found := get(row)) is not None and bool(pattern.fullmatch(str(found)))

    def _includes(self, field: Field, get: Callable[[Row], Any], condition: Comparison) -> Test:
        if field.type != "multipicklist":
            message = "includes() and excludes() need a multi-select picklist"
            raise self.context.refuse(condition.at, "INVALID_QUERY_FILTER_OPERATOR", message)
        wanted = [
            {part.casefold() for part in str(self._literal(field, value, condition.at)).split(";")}
            for value in condition.values
        ]
        included = condition.operator == "INCLUDES"

        def test(row: Row) -> bool:
            has = {part.casefold() for part in str(get(row) or "").split(";")}
            return any(parts <= has for parts in wanted) is included

        return test

    def _literal(self, field: Field, value: Value, at: int) -> Any:
        """Read a value of the query as the field's type, or refuse it."""
        if value is None:
            return None
        match field.type, value:
            case (("id" | "reference"), Text()):
                return self._id(value, at)
            case "boolean", bool():
                return value
            case (("currency" | "double" | "percent" | "int"), Money()):
                return value.amount
            case (("currency" | "double" | "percent" | "int"), Decimal()):
                return value
            case (("date" | "datetime"), DateLiteral()):
                return self._span(value, of_moments=field.type == "datetime")
            case "date", date() if not isinstance(value, datetime):
                return value
            case "datetime", datetime():
                return value.astimezone(UTC)
            case kind, Text() if kind not in _UNQUOTED:
                return literal(value.raw)
        raise self._mistyped(field, at)

    def _id(self, value: Text, at: int) -> str | None:
        text = literal(value.raw)
        if not text:
            return None
        if not is_id(text):
            message = f"invalid ID field: {text}"
            raise self.context.refuse(at, "INVALID_QUERY_FILTER_OPERATOR", message)
        try:
            return long_id(text)
        except Refusal:
            message = f"invalid ID field: {text}"
            raise self.context.refuse(at, "INVALID_QUERY_FILTER_OPERATOR", message) from None

    def _span(self, value: DateLiteral, *, of_moments: bool) -> _Span:
        try:
            found = span(value.name, value.number, today=self.context.now.date())
        except (OverflowError, ValueError):  # past the end of the calendar
            found = None
        if found is None:
            # A bare word that is no date is a syntax error to the real parser.
            message = f"unexpected token: '{value.name}'"
            raise self.context.refuse(value.at, "MALFORMED_QUERY", message)
        if not of_moments:
            return _Span(*found)
        start, end = (datetime.combine(day, time(), UTC) for day in found)
        return _Span(start, end)

    def _mistyped(self, field: Field, at: int) -> Refusal:
        names = {"datetime": "dateTime", "reference": "ID", "id": "ID"}
        quoted = field.type not in _UNQUOTED
        kind = names.get(field.type, "string" if quoted else field.type)
        advice = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
        message = (
            f"value of filter criterion for field '{field.name}' must be of type {kind} and "
            f"{advice}"
        )
        return self.context.refuse(at, "INVALID_FIELD", message)


def _in(found: Any, plain: set[Any], spans: list[_Span]) -> bool:
    if found in plain:
        return True
    return found is not None and any(part.start <= found < part.end for part in spans)


def _compared(get: Callable[[Row], Any], operator: str, wanted: Any) -> Test:
    if isinstance(wanted, _Span):
        return _within(get, operator, wanted)
    wanted = indexed(wanted)
    match operator:
        case "=":
            return lambda row: indexed(get(row)) == wanted
        case "!=":  # empty is different from every value
            return lambda row: indexed(get(row)) != wanted
    if wanted is None:
        return lambda row: False
    order: Callable[[Any], bool] = {
        "<": lambda found: found < wanted,
        "<=": lambda found: found <= wanted,
        ">": lambda found: found > wanted,
        ">=": lambda found: found >= wanted,
    }[operator]
    return lambda row: (found := indexed(get(row))) is not None and bool(order(found))


def _within(get: Callable[[Row], Any], operator: str, stretch: _Span) -> Test:
    start, end = stretch.start, stretch.end
    order: Callable[[Any], bool] = {
        "=": lambda found: start <= found < end,
        "!=": lambda found: not start <= found < end,
        "<": lambda found: found < start,
        "<=": lambda found: found < end,
        ">": lambda found: found >= end,
        ">=": lambda found: found >= start,
    }[operator]
    empty = operator == "!="
    return lambda row: empty if (found := get(row)) is None else bool(order(found))


def _pattern(text: str) -> re.Pattern[str]:
    r"""Read a LIKE pattern: % is any text, _ any sign, `\%` and `\_` stand for themselves."""
    signs = re.findall(r"\\.|.", text, re.DOTALL)
    parts = (_WILD.get(sign) or re.escape(sign[-1]) for sign in signs)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
