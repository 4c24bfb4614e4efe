"""Fields that compute themselves: formulas, and totals of what lies below.

https://help.salesforce.com/s/articleView?id=platform.fields_about_roll_up_summary_fields.htm
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cosell_emulators.salesforce.formulas.evaluating import Formula
from cosell_emulators.salesforce.formulas.parsing import parsed
from cosell_emulators.salesforce.formulas.tree import Faulty, references
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.store import Row, Store, indexed

# Where a picklist may stand in a formula.
_TAKES_PICKLISTS = ("CASE", "ISPICKVAL", "TEXT", "INCLUDES", "ISBLANK", "ISNULL")
_OPERATIONS = ("count", "max", "min", "sum")
_DEEPEST = 10
_FITS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda a, b: bool(a == b),
    "notEqual": lambda a, b: bool(a != b),
    "contains": lambda a, b: str(b) in str(a),
    "startsWith": lambda a, b: str(a).startswith(str(b)),
}


def prepared(store: Store, kind: ObjectType, found: Field) -> Field:
    """Make a field compute itself, where its maker said so; refuse what cannot be computed."""
    kind.computed.pop(found.name, None)
    if found.told.get("type") == "Summary":
        return _summary(store, kind, found)
    if found.calculated:
        kind.computed[found.name] = _formula(store, kind, found)
    return found


def _formula(store: Store, kind: ObjectType, found: Field) -> Callable[[Row], Any]:
    try:
        expression = parsed(str(found.told["formula"]))
        for reference, within in references(expression):
            owner, field = _field(store, kind, reference.names)
            if _leads_to(store, owner, field, (kind.name, found.name)):
                raise Faulty("Formula contains a circular reference")
            if field.type in ("picklist", "multipicklist") and within not in _TAKES_PICKLISTS:
                message = f"Field {field.name} is a picklist field. Picklist fields are only "
                raise Faulty(f"{message}supported in certain functions.")
            if field.type == "textarea" and not field.filterable:
                raise Faulty(f"Field {field.name} may not be used in this type of formula")
    except Faulty as error:
        raise refusal("FIELD_INTEGRITY_EXCEPTION", f"Error: {error}", found.name) from None
    zero = found.told.get("formulaTreatBlanksAs", "BlankAsZero") == "BlankAsZero"
    formula = Formula(expression=expression, blank_is_zero=zero)

    def value(row: Row) -> Any:
        return formula.value(found, read=lambda names: _read(store, row, names), now=store.now())

    return value


def _leads_to(store: Store, owner: ObjectType, field: Field, goal: tuple[str, str]) -> bool:
    """Tell whether a field is computed from another, however many formulas are in between."""
    if (owner.name, field.name) == goal:
        return True
    if "formula" not in field.told:
        return False
    named = references(parsed(str(field.told["formula"])))
    return any(_leads_to(store, *_field(store, owner, one.names), goal) for one, _ in named)


def _field(store: Store, kind: ObjectType, names: tuple[str, ...]) -> tuple[ObjectType, Field]:
    """Find the field a formula names, parents before it, and whose it is."""
    if len(names) > _DEEPEST:
        raise Faulty(f"A formula goes up {_DEEPEST} levels at most")
    for name in names[:-1]:
        lookup = kind.by_relationship.get(name.lower())
        targets = [one for one in lookup.targets if one != "Group"] if lookup is not None else []
        above = store.whole.find(targets[0]) if targets else None
        if above is None:
            raise Faulty(f"Field {name} does not exist. Check spelling.")
        kind = above
    field = kind.field(names[-1])
    if field is None:
        raise Faulty(f"Field {names[-1]} does not exist. Check spelling.")
    return kind, field


def _read(store: Store, row: Row, names: tuple[str, ...]) -> tuple[Field | None, Any]:
    found: Row | None = row
    for name in names[:-1]:
        lookup = found.type.by_relationship.get(name.lower()) if found is not None else None
        found = store.row(found.get(lookup.name)) if found is not None and lookup else None
    if found is None:
        return None, None
    field = found.type.field(names[-1])
    return field, found.get(field.name) if field is not None else None


def _summary(store: Store, kind: ObjectType, found: Field) -> Field:
    """Make a total of details; it has the type of what it adds up."""
    child, lookup = _detail(store, kind, str(found.told.get("summaryForeignKey")))
    operation = str(found.told.get("summaryOperation"))
    if operation not in _OPERATIONS:
        message = f"'{operation}' is not a valid value for the enum 'SummaryOperations'"
        raise refusal("INVALID_TYPE", message)
    summed = _summed(child, found, operation)
    filters = _filters(child, found)
    shape: dict[str, Any] = {"type": "double", "precision": 18, "scale": 0}
    if summed is not None:
        shape = {"type": summed.type, "precision": summed.precision, "scale": summed.scale}
    made = replace(found, flags="N", **shape)

    def value(row: Row) -> Any:
        rows = [
            one
            for one in store[child.name].having(lookup.name, row.id)
            if all(_FITS[how](one.get(name), wanted) for name, how, wanted in filters)
        ]
        if summed is None:
            return Decimal(len(rows))
        values = [number for one in rows if (number := one.get(summed.name)) is not None]
        if operation == "sum":
            return sum(values, Decimal(0))
        return (max if operation == "max" else min)(values, default=None)

    kind.computed[found.name] = value
    return made


def _detail(store: Store, kind: ObjectType, key: str) -> tuple[ObjectType, Field]:
    """Find the master-detail field that leads from the details to their master."""
    name, _, field_name = key.partition(".")
    child = store.whole.find(name)
    lookup = child.field(field_name) if child is not None else None
    if child is None or lookup is None or not lookup.master or kind.name not in lookup.targets:
        message = "summaryForeignKey must be a Master-Detail field that leads to this object"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    return child, lookup


def _summed(child: ObjectType, found: Field, operation: str) -> Field | None:
    if operation == "count":
        return None
    name = str(found.told.get("summarizedField") or "").partition(".")[2]
    summed = child.field(name)
    fits = summed is not None and (summed.is_number or (operation != "sum" and _is_day(summed)))
    if summed is None or not fits:
        message = f"summarizedField cannot be {found.told.get('summarizedField')}"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    return summed


def _is_day(field: Field) -> bool:
    return field.type in ("date", "datetime")


def _filters(child: ObjectType, found: Field) -> list[tuple[str, str, Any]]:
    said = found.told.get("summaryFilterItems") or []
    filters = []
    for one in said if isinstance(said, list) else [said]:
        field = child.field(str(one.get("field")).partition(".")[2])
        how = str(one.get("operation"))
        if field is None or how not in _FITS:
            message = f"A filter cannot be {one.get('field')} {how}"
            raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
        wanted: Any = str(one.get("value"))
        if field.type == "boolean":
            wanted = wanted.lower() in ("true", "1")
        elif field.is_number:
            wanted = Decimal(wanted)
        filters.append((field.name, how, wanted))
    return filters


def totals(store: Store, kind: ObjectType, *values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Give the totals of the masters that a row belongs to, before or after it changes."""
    return {
        master.id: [indexed(master.get(name)) for name in _summaries(master.type, kind)]
        for master in _masters(store, kind, *values)
    }


def moved(
    store: Store, before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]
) -> list[Row]:
    """Give the masters whose totals changed: they count as changed themselves."""
    rows = (store.living(key) for key in after if before.get(key) != after[key])
    return [row for row in rows if row is not None]


def _masters(store: Store, kind: ObjectType, *values: Mapping[str, Any]) -> Iterator[Row]:
    for lookup in kind.fields.values():
        if not lookup.master:
            continue
        for held in values:
            master = store.living(held.get(lookup.name))
            if master is not None and any(True for _ in _summaries(master.type, kind)):
                yield master


def _summaries(master: ObjectType, child: ObjectType) -> Iterator[str]:
    return (
        name
        for name in master.computed
        if str(master.fields[name].told.get("summaryForeignKey", "")).partition(".")[0].lower()
        == child.name.lower()
    )
