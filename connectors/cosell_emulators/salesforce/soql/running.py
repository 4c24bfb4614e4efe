"""Run a query: choose, sort, cut, and show what was selected."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cosell_emulators.salesforce.rendering import attributes, field_value, shown_value
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.soql.aggregating import grouped, is_aggregate
from cosell_emulators.salesforce.soql.binding import Bound, Context
from cosell_emulators.salesforce.soql.filtering import Filter, Test
from cosell_emulators.salesforce.soql.functions import computed
from cosell_emulators.salesforce.soql.parsing import parsed
from cosell_emulators.salesforce.soql.tree import (
    All,
    Among,
    Call,
    Children,
    Column,
    Comparison,
    Condition,
    Order,
    Path,
    Query,
    Some,
    TypeOf,
)
from cosell_emulators.salesforce.store import Row, indexed

_FARTHEST = 2000
_MOST_FIELDS = 200
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
_UNPINNED = (
    "Implementation restriction: ContentDocumentLink requires a filter by a single Id on "
    "ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN "
    "operator."
)
Shown = dict[str, Any]
# Whose rows a query is about: the owner, and who asks.
_SCOPES: dict[str, Callable[[str, str], bool]] = {
    "everything": lambda owner, me: True,
    "mine": lambda owner, me: owner == me,
    "queue_owned": lambda owner, me: owner.startswith("00G"),
    "scopingrule": lambda owner, me: True,
    "team": lambda owner, me: owner == me,
    "user_owned": lambda owner, me: owner.startswith("005"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found: how much, and the records, shown only when asked for."""

    total: int
    rows: Sequence[Any]
    show: Callable[[Any], Shown]


@dataclass(slots=True)
class _Node:
    """What to show of a row: leaves by name, and parents by relationship."""

    leaves: dict[str, Callable[[Row], Any]] = field(default_factory=dict)
    parents: dict[str, tuple[Field, "_Node"]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


def run(context: Context) -> Answer:
    """Run the query of a context."""
    query = parsed(context.text)
    kind = context.source(query.source, query.at)
    if query.offset > _FARTHEST:
        message = f"Maximum SOQL offset allowed is {_FARTHEST}"
        raise context.refuse(0, "NUMBER_OUTSIDE_VALID_RANGE", message)
    if kind.name == "FieldDefinition" and not _names_entity(query.where):
        message = "A filter on a reified column is required [EntityDefinitionId,DurableId]"
        raise context.refuse(0, "MALFORMED_QUERY", message)
    if kind.name == "ContentDocumentLink" and not _pinned(query.where):
        raise context.refuse(0, "MALFORMED_QUERY", _UNPINNED)
    _well_formed(context, query)
    rows = _chosen(context, query, kind)
    if query.counts:
        rows = rows[: query.limit] if query.limit is not None else rows
        return Answer(len(rows), (), dict)
    if is_aggregate(query):
        groups = grouped(context, query, kind, rows)
        return Answer(len(groups), groups, dict)
    rows = _cut(query, _sorted(context, query, kind, rows))
    _one_at_a_time(context, query, kind, len(rows))
    return Answer(len(rows), rows, _shower(context, query, kind))


def _well_formed(context: Context, query: Query) -> None:
    """Refuse what the grammar allows and the platform does not."""
    if is_aggregate(query):
        return
    if query.having is not None:
        raise context.refuse(0, "MALFORMED_QUERY", "having clause needs a group by clause")
    for column in query.columns:
        if isinstance(column, Column) and isinstance(column.what, Path) and column.alias:
            message = "only aggregate expressions use field aliasing"
            raise context.refuse(column.what.at, "MALFORMED_QUERY", message)
    if query.scope is not None and query.scope.lower() not in _SCOPES:
        message = f"Invalid scope: {query.scope}"
        raise context.refuse(query.at, "MALFORMED_QUERY", message)


def _one_at_a_time(context: Context, query: Query, kind: ObjectType, found: int) -> None:
    """Refuse whole descriptions of several things: they are too large."""
    asked = {str(column.what).lower() for column in query.columns if isinstance(column, Column)}
    if found > 1 and kind.for_tools and asked & {"metadata", "fullname"}:
        message = (
            "When retrieving results with Metadata or FullName fields, the query qualifications "
            f"must specify no more than one row for retrieval. Result size: {found}"
        )
        raise context.refuse(0, "MALFORMED_QUERY", message)


def _pinned(condition: Condition | None) -> bool:
    """Tell whether a condition says of which documents or of which records links are wanted."""
    match condition:
        case All():
            return any(_pinned(part) for part in condition.parts)
        case Comparison(what=Path() as path, operator="=" | "IN"):
            return path.names[-1].lower() in ("contentdocumentid", "linkedentityid")
        case Among(negated=False):
            return condition.what.names[-1].lower() in ("contentdocumentid", "linkedentityid")
    return False


def _names_entity(condition: Condition | None) -> bool:
    """Tell whether a condition says which object's fields are wanted."""
    match condition:
        case All() | Some():
            return any(_names_entity(part) for part in condition.parts)
        case Comparison(what=Path() as path):
            first = path.names[0].lower()
            return first.startswith("entitydefinition") or path.names[-1].lower() == "durableid"
    return False


def _chosen(context: Context, query: Query, kind: ObjectType) -> list[Row]:
    """Find the rows that fit."""
    sieve = _sieve(context, query, kind)
    candidates = sieve.candidates(query.where)
    if candidates is None:
        candidates = list(context.store[kind.name].rows.values())
    test = _test(context, query, kind)
    return [row for row in candidates if test(row)]


def _sieve(context: Context, query: Query, kind: ObjectType) -> Filter:
    return Filter(
        context=context,
        kind=kind,
        alias=query.alias,
        ids=lambda inner: _inner_ids(context, inner),
    )


def _test(context: Context, query: Query, kind: ObjectType) -> Test:
    """Make the test of a row: is it there, is it in scope, does it fit."""
    fits = None if query.where is None else _sieve(context, query, kind).test(query.where)
    scope = _SCOPES[(query.scope or "everything").lower()]

    # Team members bypass the recycle bin.
    bin_too = context.deleted and kind.name not in ("OpportunityTeamMember", "AccountTeamMember")

    def test(row: Row) -> bool:
        if row.deleted_at is not None and not bin_too:
            return False
        if not scope(str(row.get("OwnerId")), context.user_id):
            return False
        if context.sees is not None and not context.sees(row):
            return False
        return fits is None or fits(row)

    return test


def _inner_ids(context: Context, query: Query) -> set[str]:
    """Collect the ids a semi-join selects."""
    kind = context.source(query.source, query.at)
    column = query.columns[0]
    if len(query.columns) != 1 or not isinstance(column, Column):
        message = "A semi join sub-select must select exactly one column"
        raise context.refuse(query.at, "MALFORMED_QUERY", message)
    found, get = computed(context, kind, column.what, query.alias)
    if found.type not in ("id", "reference"):
        message = "The inner and outer selections of a semi join must be ids"
        raise context.refuse(query.at, "MALFORMED_QUERY", message)
    return {value for row in _chosen(context, query, kind) if (value := get(row)) is not None}


def _sorted(context: Context, query: Query, kind: ObjectType, rows: list[Row]) -> list[Row]:
    for order in reversed(query.order_by):
        found, get = computed(context, kind, order.what, query.alias)
        if not found.filterable or found.type == "address":
            at = order.what.at
            message = f"field '{found.name}' can not be sorted in a query call"
            raise context.refuse(at, "INVALID_FIELD", message)
        rows = ordered(rows, order, _sort_key(found, get))
    return rows


def ordered(rows: list[Any], order: Order, key: Callable[[Any], Any]) -> list[Any]:
    """Sort by one key, empty values at the end the query wants them at."""
    empty = [row for row in rows if key(row) is None]
    full = [row for row in rows if key(row) is not None]
    full.sort(key=key, reverse=order.descending)
    return full + empty if order.nulls_last else empty + full


def _sort_key(found: Field, get: Callable[[Row], Any]) -> Callable[[Row], Any]:
    if found.type != "picklist":
        return lambda row: indexed(get(row))
    # Picklists sort in the order of their values, not of the alphabet.
    places = {choice.value: place for place, choice in enumerate(found.choices)}

    def key(row: Row) -> Any:
        value = get(row)
        return None if value is None else (places.get(value, len(places)), value.casefold())

    return key


def _cut(query: Query, rows: list[Any]) -> list[Any]:
    rows = rows[query.offset :]
    return rows if query.limit is None else rows[: query.limit]


def _shower(context: Context, query: Query, kind: ObjectType) -> Callable[[Row], Shown]:
    """Make the function that shows a row with what was selected."""
    top = _Node()
    for column in expanded(context, query, kind):
        match column:
            case Children():
                _add(context, top, *_children(context, column, kind))
            case TypeOf():
                _add(context, top, *_type_of(context, column, kind, query.alias))
            case Column(what=Path() as path):
                bound = context.bind(kind, path, query.alias)
                _add_path(context, top, bound, column.alias)
            case Column():
                found, get = computed(context, kind, column.what, query.alias)
                _add(context, top, column.alias or found.name, _shown(found, get))
    return lambda row: _show(context, top, row, None)


def _shown(found: Field, get: Callable[[Row], Any]) -> Callable[[Row], Any]:
    return lambda row: shown_value(found, get(row))


def _add(context: Context, node: _Node, name: str, leaf: Callable[[Row], Any]) -> None:
    if name in node.leaves:
        message = f"duplicate field selected: {name}"
        raise context.refuse(0, "MALFORMED_QUERY", message)
    node.leaves[name] = leaf
    node.order.append(name)


def _add_path(context: Context, node: _Node, bound: Bound, alias: str | None) -> None:
    for hop in bound.hops:
        name = hop.relationship or hop.name
        if name not in node.parents:
            node.parents[name] = (hop, _Node())
            node.order.append(name)
        node = node.parents[name][1]
    name = bound.field.name
    if bound.of_any_kind:
        _add(context, node, name, lambda row: _of_any_kind(row, name))
    else:
        _add(context, node, alias or name, lambda row: field_value(row, name))


def _of_any_kind(row: Row, name: str) -> Any:
    if name == "Type":
        return "Queue" if row.get("Type") == "Queue" else row.type.name
    return field_value(row, name) if row.type.has(name) else None


def _show(context: Context, node: _Node, row: Row, hop: Field | None) -> Shown:
    # A parent that may be of several kinds is shown as a Name.
    several = "Name" if hop is not None and len(hop.targets) > 1 else None
    shown: Shown = {"attributes": attributes(row, version=context.version, kind=several)}
    for name in node.order:
        if name in node.leaves:
            shown[name] = node.leaves[name](row)
            continue
        lookup, inner = node.parents[name]
        parent = context.parent(row, lookup)
        shown[name] = None if parent is None else _show(context, inner, parent, lookup)
    return shown


def expanded(context: Context, query: Query, kind: ObjectType) -> list[Column | Children | TypeOf]:
    """Replace FIELDS(…) by the fields it stands for."""
    columns: list[Column | Children | TypeOf] = []
    for column in query.columns:
        if not (isinstance(column, Column) and isinstance(column.what, Call)):
            columns.append(column)
            continue
        call = column.what
        if call.name != "FIELDS":
            columns.append(column)
            continue
        which = str(call.argument).upper()
        if which not in ("ALL", "STANDARD", "CUSTOM"):
            raise context.refuse(call.at, "MALFORMED_QUERY", f"unexpected token: '{which}'")
        if which != "STANDARD" and (query.limit is None or query.limit > _MOST_FIELDS):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_FIELDS}"
            raise context.refuse(call.at, "MALFORMED_QUERY", message)
        columns += [
            Column(Path((found.name,), call.at))
            for found in kind.fields.values()
            if which == "ALL" or found.custom == (which == "CUSTOM")
        ]
    return columns


def _children(
    context: Context, column: Children, kind: ObjectType
) -> tuple[str, Callable[[Row], Any]]:
    """Show the child rows of a row, or nothing when it has none."""
    query = column.query
    child = context.children(kind, query.source, query.at)
    owner = context.store.schema[child.object]
    show = _shower(context, query, owner)
    test = _test(context, query, owner)

    def read(row: Row) -> Any:
        belonging = _belonging(context, child.object, child.field, row)
        rows = [found for found in belonging if test(found)]
        rows = _cut(query, _sorted(context, query, owner, rows))
        if not rows:
            return None
        records = [show(found) for found in rows]
        return {"totalSize": len(records), "done": True, "records": records}

    return child.relationship or child.object, read


def _belonging(context: Context, name: str, field_name: str, row: Row) -> list[Row]:
    table = context.store[name]
    if context.deleted:
        return [found for found in table.rows.values() if found.get(field_name) == row.id]
    return table.having(field_name, row.id)


def _type_of(
    context: Context, column: TypeOf, kind: ObjectType, alias: str | None
) -> tuple[str, Callable[[Row], Any]]:
    """Show a parent with the fields its kind calls for."""
    name = column.relationship.names[-1]
    lookup = kind.by_relationship.get(name.lower())
    if lookup is None:
        raise context.refuse(column.relationship.at, "INVALID_FIELD", f"unknown TYPEOF {name}")
    nodes: dict[str, _Node] = {}
    for target in lookup.targets:
        wanted = {case.lower(): paths for case, paths in column.cases}
        paths = wanted.get(target.lower(), column.otherwise)
        owner = context.source(target, column.relationship.at)
        nodes[target] = _Node()
        for path in paths:
            _add_path(context, nodes[target], context.bind(owner, path), None)

    def read(row: Row) -> Any:
        parent = context.parent(row, lookup)
        return None if parent is None else _show(context, nodes[parent.type.name], parent, None)

    return lookup.relationship or name, read
