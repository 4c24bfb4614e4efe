"""Check a mapping against what it refers to: names, and the types of what its rows write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from cosell_definitions.model import Bare, Template
from cosell_definitions.model_mappings import FieldType, MappingFile, MapSide
from cosell_definitions.problems import Place, Problem

from .expressions import compiled
from .finding import Findings, part_place, suggestion, templates_in
from .inferring_calls import inference
from .knowing import variables_of
from .planning_names import check_variable, say_unknown_name
from .referring import Reference
from .types import ANY, TEXT, Type, constant, of, record_of
from .values_of_mappings import Asked, asked_of
from .viewing import ProjectView

_ANY_RECORD = record_of({}, besides="anything")  # its connector does not say what it holds
_SCALAR = of("text", "integer", "number", "boolean", "date", "moment", "null")
_ROW_TAKES: Mapping[FieldType, Type] = {
    "text": _SCALAR,
    "money": of("integer", "number", "text", "null"),
    "number": of("integer", "number", "text", "null"),
    "currency": of("text", "null"),
    "country": of("text", "null"),
    "date": of("date", "moment", "text", "null"),
    "datetime": of("moment", "text", "null"),
    "boolean": of("boolean", "text", "null"),
}
_ROW_WORDS: Mapping[FieldType, str] = {
    "text": "text",
    "money": "an amount",
    "number": "a number",
    "currency": "a code of three letters, such as EUR",
    "country": "a code of two letters, such as IT",
    "date": "a date",
    "datetime": "a moment",
    "boolean": "true or false",
}
# Variables of these types hold anything but the name of a field.
_NO_NAMES = {"boolean": "Yes or No", "number": "a number", "url": "an address"}


def check_mapping(mapping: MappingFile, view: ProjectView) -> list[Problem]:
    """Every problem of one mapping with what it refers to."""
    return examined_mapping(mapping, view).problems


def examined_mapping(mapping: MappingFile, view: ProjectView) -> Findings:
    """Every problem of one mapping with what it refers to, and what it was seen to use."""
    found = Findings()
    for side in (mapping.left, mapping.right):
        found.connections.setdefault(side.connection, side.place)
        if side.connection not in view.connections:
            found.say(
                "M016",
                side.place,
                f"there is no connection {side.connection!r}",
                suggestion(side.connection, list(view.connections), there="there are"),
            )
    records = {side: _record(one, view) for side, one in _sides(mapping)}
    _check_paths(mapping, records, found)
    scope = {"env": variables_of(view), **records}
    for asked in asked_of(mapping):
        sources = list(templates_in(asked.value))
        types = {id(source): _read(source, asked, scope, view, found) for source in sources}
        if isinstance(asked.value, Template):
            _check_type(asked, types[id(asked.value)], asked.value.place, found)
        elif not sources and not isinstance(asked.value, tuple | Mapping):
            _check_type(asked, constant(asked.value), asked.place, found)
    return found


def _sides(mapping: MappingFile) -> tuple[tuple[str, MapSide], ...]:
    return ("left", mapping.left), ("right", mapping.right)


def _record(side: MapSide, view: ProjectView) -> Type:
    """What the records of a side hold, as far as its connector says."""
    return view.records.get(side.connection, {}).get(side.object, _ANY_RECORD)


def _check_paths(mapping: MappingFile, records: Mapping[str, Type], found: Findings) -> None:
    """Every field that is written out is one that the record has."""
    for name, side in _sides(mapping):
        for key in ("key", "version", "moment"):
            path = getattr(side, key)
            if isinstance(path, str):
                _check_path(path, side, records[name], side.places.get(key, side.place), found)
    for row in mapping.fields:
        sides = (
            (mapping.left, row.left, row.left_places),
            (mapping.right, row.right, row.right_places),
        )
        for (side, paths, places), record in zip(sides, records.values(), strict=True):
            for path, place in zip(paths, places, strict=False):
                if isinstance(path, str):
                    _check_path(path, side, record, place, found)


def _check_path(path: str, side: MapSide, record: Type, place: Place, found: Findings) -> None:
    """`details.dealValue`: each part is a field of what stands before it."""
    here, owner, column = record, side.object, place.column
    if place.end_column is not None and place.end_column - column > len(path):
        column += 1  # it is quoted
    for part in path.split("."):
        if "record" not in here.kinds or here.fields is None or here.besides == "anything":
            return
        if part not in here.fields:
            spot = place._replace(column=column, end_column=column + len(part))
            names = list(here.fields)
            hint = suggestion(part, names, there="it has")
            found.say("M019", spot, f"{owner} has no {part!r}", hint)
            return
        here, owner, column = here.fields[part], f"{owner}.{part}", column + len(part) + 1


def _read(
    source: Template | Bare,
    asked: Asked,
    scope: Mapping[str, Type],
    view: ProjectView,
    found: Findings,
) -> Type:
    """Check all that one expression reads, and give its type."""
    used = found.usage(source)
    if used is None:
        return ANY
    for reference in used.references:
        if reference.path[0] not in asked.names:
            say_unknown_name(source, reference, sorted(asked.names), found)
        elif reference.path[0] == "env" and len(reference.path) > 1:
            check_variable(source, reference, view, found)
            if asked.is_path:
                _check_name(source, reference, view, found)
    known = {name: type_ for name, type_ in scope.items() if name in asked.names}
    return _type(source, known, found)


def _type(source: Template | Bare, scope: Mapping[str, Type], found: Findings) -> Type:
    whole = compiled(source.text, bare=isinstance(source, Bare))
    result = TEXT
    for piece in whole.pieces:
        look = inference(scope)
        if whole.lone:
            result = look.type_of(piece.syntax)
        else:
            look.in_text(piece.syntax)
        for complaint in look.complaints:
            found.complain(source, complaint, piece.at)
    return result


def _check_name(
    source: Template | Bare, reference: Reference, view: ProjectView, found: Findings
) -> None:
    """What names a field is read from a variable that holds such names."""
    name = reference.path[1]
    declared = view.declarations.get(name)
    if declared is None or name in view.vague or declared.type not in _NO_NAMES:
        return
    fields = [other for other, one in view.declarations.items() if one.type == "field"]
    found.say(
        "M017",
        part_place(source, reference, 1),
        f"a field is named here, and {name} is {_NO_NAMES[declared.type]}",
        suggestion(name, fields, there="variables that name fields"),
    )


def _check_type(asked: Asked, given: Type, place: Place, found: Findings) -> None:
    """A value is of the type that its row, or its place, needs."""
    if asked.row is not None and asked.row in _ROW_TAKES:
        wanted, words = _ROW_TAKES[asked.row], _ROW_WORDS[asked.row]
        if not given.may_be(*wanted.kinds):
            message = f"this row takes {words}, and this is {given}"
            found.say("M017", place, message, "change the value, or the `type` of the row")
        elif given.values and not any(_can_be(asked.row, value) for value in given.values):
            value = next(iter(given.values))
            message = f"this row takes {words}, and {value!r} is none"
            found.say("M017", place, message, "change the value, or the `type` of the row")
    elif asked.wanted.known and not given.may_be(*asked.wanted.kinds) and not asked.is_path:
        hint = "write a variable of that type, or a value of it"
        found.say("M017", place, f"here stands {asked.wanted}; this is {given}", hint)


def _can_be(row: FieldType, value: object) -> bool:
    """Whether a value that is known may pass for the type of a row."""
    text = str(value).strip()
    match row:
        case "currency" | "country":
            return text.isalpha() and len(text) == (3 if row == "currency" else 2)
        case "boolean":
            return text.lower() in ("true", "false")
        case "money" | "number":
            return _is_number(text)
        case "date" | "datetime":
            return _begins_with_a_date(text)
    return True


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _begins_with_a_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
