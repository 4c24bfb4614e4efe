"""From a typed tree to a mapping: sides, fields, tables, guards, brakes."""

from __future__ import annotations

from typing import Any

from .meaning import intended
from .model import Template, Value
from .model_mappings import AuditTrail, Brakes, GuardRow, MapField, MappingFile, MapSide, TableRow
from .nodes import MappingNode
from .parsing_values import Hand, share_of
from .problems import Place, Severity, did_you_mean
from .shaped import Shaped

_FOLDED = ("direction", "conflict", "blank", "when")  # a row takes these from `defaults`
_OWN = (
    "type",
    "latch",
    "guard",
    "table",
    "skip_when",
    "decoration",
    "max_length",
    "too_long",
    "scale",
    "label",
)


def mapping_of(root: Shaped, hand: Hand, *, content_hash: str) -> MappingFile | None:
    """The mapping; None where a side of it is not complete."""
    mapping_id = hand.id_of_file(root, ".map.yaml")
    left, right = _side(hand, root.get("left")), _side(hand, root.get("right"))
    if mapping_id is None or left is None or right is None:
        return None
    tables = _tables(hand, root.get("tables"))
    guards = _guards(hand, root.get("guards"))
    fields = _fields(hand, root)
    _check_names(hand, root, tables=tables, guards=guards)
    return MappingFile(
        id=mapping_id,
        left=left,
        right=right,
        brakes=_brakes(hand, root.get("brakes")),
        fields=fields,
        tables=tables,
        guards=guards,
        audit=_audit(hand, root.get("audit")),
        content_hash=content_hash,
        place=root.entries["id"].place if "id" in root.entries else root.place,
    )


def _side(hand: Hand, shaped: Shaped | None) -> MapSide | None:
    key = shaped.get("key") if shaped is not None else None
    connection, version = hand.text(shaped, "connection"), hand.text(shaped, "version")
    kind = hand.text(shaped, "object")
    if shaped is None or key is None or None in (connection, version, kind):
        return None
    return MapSide(
        connection=str(connection),
        object=str(kind),
        key=_path(hand, key),
        version=str(version),
        moment=hand.text(shaped, "moment"),
        place=shaped.entries["connection"].place,
        places={name: one.place for name, one in shaped.entries.items()},
    )


def _path(hand: Hand, shaped: Shaped) -> str | Template:
    return hand.template(str(shaped.value), shaped.node)


def _paths(hand: Hand, shaped: Shaped | None) -> tuple[str | Template, ...]:
    """One path or several; a scalar is one."""
    if shaped is None:
        return ()
    return tuple(_path(hand, one) for one in (shaped.items or (shaped,)) if one.sound)


def _places(shaped: Shaped | None) -> tuple[Place, ...]:
    if shaped is None:
        return ()
    return tuple(one.place for one in (shaped.items or (shaped,)) if one.sound)


# -- fields -----------------------------------------------------------------------------------


def _fields(hand: Hand, root: Shaped) -> tuple[MapField, ...]:
    entry, defaults = root.get("fields"), root.get("defaults")
    found: dict[str, MapField] = {}
    for shaped in entry.items if entry is not None else ():
        field = _field(hand, shaped, defaults)
        if field is None:
            continue
        if field.id in found:
            hand.say(
                "M011",
                field.place,
                f"the field {field.id!r} stands here a second time; first on line "
                f"{found[field.id].place.line}",
                "put both into one row, or delete one",
            )
            continue
        found[field.id] = field
    _refuse_two_into_one(hand, tuple(found.values()))
    return tuple(found.values())


def _refuse_two_into_one(hand: Hand, fields: tuple[MapField, ...]) -> None:
    """What two rows write into one field, the second takes from the first, every time."""
    written: dict[tuple[str, str], MapField] = {}
    for field in fields:
        ends = [("left", path) for path in field.left if field.direction != "left_to_right"]
        ends += [("right", path) for path in field.right if field.direction != "right_to_left"]
        for side, path in ends:
            first = written.setdefault((side, _plain(path)), field)
            if first is not field:
                hand.say(
                    "M011",
                    field.place,
                    f"this row, too, is written to the {side} field {_plain(path)!r}; "
                    f"so is the row on line {first.place.line}",
                    "delete one of the two, or give one a `direction` that does not write there",
                )
                break


def _field(hand: Hand, shaped: Shaped, defaults: Shaped | None) -> MapField | None:
    left, right = _paths(hand, shaped.get("left")), _paths(hand, shaped.get("right"))
    if any(name in shaped.entries and not shaped.entries[name].sound for name in ("left", "right")):
        return None  # what is wrong with it has been said
    if not left and not right:
        hand.say(
            "M012",
            shaped.place,
            "a row names a field on the left, on the right, or on both sides",
            "write { left: details.notes, right: Description }",
        )
        return None
    if not (left and right) and "value" not in shaped.entries:
        side, other = ("right", "left") if left else ("left", "right")
        written = shaped.node.entries if isinstance(shaped.node, MappingNode) else {}
        if side not in written and side not in intended(written, (*shaped.entries, side)):
            hand.say(
                "M012",
                shaped.place,
                f"this row has no {side} field, and no value to write to the {other} one",
                f"add `{side}: …`, or `value: …`",
            )
        return None
    options: dict[str, Any] = {
        name: hand.scalar(shaped, name) or hand.scalar(defaults, name) for name in _FOLDED
    }
    for name in _OWN:
        options[name] = hand.scalar(shaped, name)
    columns = shaped.get("columns")
    return MapField(
        id="+".join(_plain(path) for path in left or right),
        left=left,
        right=right,
        value=hand.value(shaped.get("value")),
        columns={
            name: _path(hand, entry)
            for name, entry in (columns.entries if columns is not None else {}).items()
        },
        place=shaped.place,
        left_places=_places(shaped.get("left")),
        right_places=_places(shaped.get("right")),
        **{name: value for name, value in options.items() if value is not None},
    )


def _plain(path: str | Template) -> str:
    return path.text if isinstance(path, Template) else path


# -- tables and guards ------------------------------------------------------------------------


def _cells(hand: Hand, shaped: Shaped | None) -> tuple[Value, ...]:
    if shaped is None:
        return ()
    if isinstance(shaped.value, tuple):
        return tuple(hand.value(item) for item in shaped.value)
    return (hand.value(shaped),)


def _tables(hand: Hand, shaped: Shaped | None) -> dict[str, tuple[TableRow, ...]]:
    entries = shaped.entries if shaped is not None else {}
    return {
        name: tuple(_row(hand, row) for row in entry.items if {"left", "right"} <= set(row.entries))
        for name, entry in entries.items()
    }


def _row(hand: Hand, shaped: Shaped) -> TableRow:
    direction: Any = hand.text(shaped, "direction") or "both"
    return TableRow(
        left=_cells(hand, shaped.get("left")),
        right=hand.value(shaped.get("right")),
        direction=direction,
        came_from=_cells(hand, shaped.get("came_from")),
        through=_cells(hand, shaped.get("through")),
        place=shaped.place,
    )


def _guards(hand: Hand, shaped: Shaped | None) -> dict[str, tuple[GuardRow, ...]]:
    entries = shaped.entries if shaped is not None else {}
    return {
        name: tuple(_guard(hand, row) for row in entry.items if {"state", "to"} <= set(row.entries))
        for name, entry in entries.items()
    }


def _guard(hand: Hand, shaped: Shaped) -> GuardRow:
    edits: Any = hand.text(shaped, "edits") or "sent"
    return GuardRow(
        state=_cells(hand, shaped.get("state")),
        to=tuple(_cells(hand, item) for item in shaped.entries["to"].items),
        edits=edits,
        place=shaped.place,
    )


def _check_names(
    hand: Hand, root: Shaped, *, tables: dict[str, Any], guards: dict[str, Any]
) -> None:
    """Every table and guard that a row names exists, is as wide as the row, and is used."""
    used: set[tuple[str, str]] = set()
    fields = root.get("fields")
    for shaped in fields.items if fields is not None else ():
        _check_alone(hand, shaped)
        wide = True  # as far as it was said; one path too few is one slip
        for kind, known in (("table", tables), ("guard", guards)):
            name = hand.text(shaped, kind)
            if name is None:
                # Which one was meant cannot be read, so any may be.
                used |= {(kind, one) for one in known if kind in shaped.entries}
                continue
            used.add((kind, name))
            if name not in known:
                _say_unknown(hand, shaped.entries[kind].place, kind, name, known)
                meant = intended([name], known) or known
                used |= {(kind, one) for one in meant}
                continue
            wide = wide and _check_width(hand, shaped, kind, known[name])
    for kind, known in (("table", tables), ("guard", guards)):
        section = root.get(f"{kind}s")
        for name in known:
            if (kind, name) not in used and section is not None:
                entry = section.entries[name]
                hand.say(
                    "M014",
                    entry.key or entry.place,
                    f"no row uses the {kind} {name!r}",
                    f"add `{kind}: {name}` to a row of fields, or delete it",
                    severity=Severity.WARNING,
                )


def _check_alone(hand: Hand, shaped: Shaped) -> None:
    """Only a table says which values of two fields on the left make one on the right."""
    left = shaped.get("left")
    several = len(left.items) if left is not None and left.sound else 0
    written = shaped.node.entries if isinstance(shaped.node, MappingNode) else {}
    if {"table", "value"} & set(written) or intended(written, ("table",)):
        return
    if left is not None and several > 1:
        hand.say(
            "M018",
            left.place,
            f"{several} fields on the left make one on the right only by a table",
            "add `table: …`, or write a row for each field",
        )


def _say_unknown(hand: Hand, place: Place, kind: str, name: str, known: dict[str, Any]) -> None:
    near = did_you_mean(name, known)
    listed = ", ".join(known) or "none"
    hand.say(
        "M013",
        place,
        f"there is no {kind} {name!r}",
        f"did you mean {near!r}?" if near else f"under `{kind}s:` there is: {listed}",
    )


def _check_width(
    hand: Hand, shaped: Shaped, kind: str, rows: tuple[TableRow | GuardRow, ...]
) -> bool:
    """Whether the states have a value for each left field; a row of two needs two."""
    left = shaped.get("left")
    width = len(left.items or (left,)) if left is not None else 0
    for row in rows:
        states = (
            (row.left, row.came_from, row.through)
            if isinstance(row, TableRow)
            else (row.state, *row.to)
        )
        for state in states:
            if state and width and len(state) != width:
                hand.say(
                    "M015",
                    row.place,
                    f"this {kind} row has {len(state)} values; the field has {width} left paths",
                    "write one value for each path, * for any",
                )
                return False
    return True


# -- the rest ---------------------------------------------------------------------------------


def _brakes(hand: Hand, shaped: Shaped | None) -> Brakes:
    share = hand.text(shaped, "max_changed")
    always = shaped.get("sentinel") if shaped is not None else None
    left, right = (always.get(side) if always is not None else None for side in ("left", "right"))
    return Brakes(
        max_changed=share_of(share) if share is not None else None,
        max_created=hand.integer(shaped, "max_created"),
        max_deleted=hand.integer(shaped, "max_deleted"),
        when_all_changed="go" if hand.text(shaped, "when_all_changed") == "go" else "stop",
        sentinel_left=hand.value(left) if left is not None else None,
        sentinel_right=hand.value(right) if right is not None else None,
    )


def _audit(hand: Hand, shaped: Shaped | None) -> AuditTrail | None:
    field = shaped.get("field") if shaped is not None else None
    if shaped is None or field is None:
        return None
    mark = shaped.get("mark")
    when = shaped.get("mark_when")
    language = shaped.get("language")
    return AuditTrail(
        field=_path(hand, field),
        mark=_path(hand, mark) if mark is not None else None,
        mark_when=hand.value(when) if when is not None else True,
        max_length=hand.integer(shaped, "max_length") or 100000,
        language=hand.value(language) if language is not None else "English",
    )
