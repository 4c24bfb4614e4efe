"""Say what a query selects: the answer to `columns=true`, which the sf command asks for."""

from typing import Any

from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.soql.aggregating import is_aggregate
from cosell_emulators.salesforce.soql.binding import Context
from cosell_emulators.salesforce.soql.functions import AGGREGATES, computed
from cosell_emulators.salesforce.soql.parsing import parsed
from cosell_emulators.salesforce.soql.running import expanded
from cosell_emulators.salesforce.soql.tree import Children, Column, Path, Query

_APEX = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "int": "Integer",
    "currency": "Decimal",
    "double": "Decimal",
    "percent": "Decimal",
    "date": "Date",
    "datetime": "Datetime",
    "base64": "Blob",
}


def described(context: Context) -> dict[str, Any]:
    """Describe the columns of a query."""
    query = parsed(context.text)
    kind = context.source(query.source, query.at)
    columns = [] if query.counts else _columns(context, query, kind)
    return {
        "columnMetadata": columns,
        "entityName": kind.name,
        "groupBy": bool(query.group_by),
        "idSelected": any(column["columnName"] == "Id" for column in columns),
        "keyPrefix": kind.prefix,
    }


def _columns(context: Context, query: Query, kind: ObjectType) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = []
    unnamed = 0
    grouping = is_aggregate(query)
    for column in expanded(context, query, kind):
        match column:
            case Children():
                child = context.children(kind, column.query.source, column.query.at)
                owner = context.store.schema[child.object]
                inner = _columns(context, column.query, owner)
                columns.append(_column(child.relationship or "", None) | {"joinColumns": inner})
            case Column(what=Path() as path):
                bound = context.bind(kind, path, query.alias)
                columns.append(_nested(bound.path.split("."), column.alias, bound.field))
            case Column():
                name = column.alias
                field = _type(context, query, kind, column)
                if name is None and grouping:
                    name, unnamed = f"expr{unnamed}", unnamed + 1
                aggregate = getattr(column.what, "name", "") in AGGREGATES
                shown = _column(name or field.name, field)
                columns.append(shown | {"aggregate": aggregate})
    return _merged(columns)


def _type(context: Context, query: Query, kind: ObjectType, column: Column) -> Field:
    call = column.what
    if isinstance(call, Path) or call.name not in AGGREGATES:
        return computed(context, kind, call, query.alias)[0]
    if call.name in ("COUNT", "COUNT_DISTINCT") or call.argument is None:
        return Field(name=call.name, type="int", label=call.name)
    return computed(context, kind, call.argument, query.alias)[0]


def _nested(names: list[str], alias: str | None, field: Field) -> dict[str, Any]:
    if len(names) == 1:
        return _column(alias or names[0], field)
    return _column(names[0], None) | {"joinColumns": [_nested(names[1:], alias, field)]}


def _merged(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the columns of one parent together."""
    found: dict[str, dict[str, Any]] = {}
    for column in columns:
        name = column["columnName"]
        if name in found and found[name]["joinColumns"]:
            joined = [*found[name]["joinColumns"], *column["joinColumns"]]
            found[name]["joinColumns"] = _merged(joined)
        else:
            found[name] = column
    return list(found.values())


def _column(name: str, field: Field | None) -> dict[str, Any]:
    kind = field.type if field is not None else None
    return {
        "aggregate": False,
        "apexType": _APEX.get(kind, "String") if kind is not None else None,
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": field is not None and field.custom,
        "displayName": name,
        "foreignKeyName": None,
        "insertable": field is not None and field.createable,
        "joinColumns": [],
        "numberType": field is not None and field.is_number,
        "textType": kind is not None and kind not in _APEX,
        "updatable": field is not None and field.updateable,
    }
