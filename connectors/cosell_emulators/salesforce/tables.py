"""Read the objects an org is born with from the tables in `objects/`.

A table has a heading, `object <name> | <label> | <plural> | <key prefix> | <flags>`, and one line
for every field: `<name> | <type> | <flags> | <label> | <more>`. `<more>` holds the values of a
picklist, or a lookup's relationship and the name its children go by; a field that is part of
another has that other's name at its end.
Flags of objects: C createable, U updateable, D deletable, Q queryable, S without audit stamps,
T known to the Tooling API only, B known to both.
Flags of fields: C createable, U updateable, N nillable, D defaulted on create, X external id,
Q unique, R restricted picklist, L usable in upserts, M the name field, P cascade delete,
H neither filterable nor sortable, T true unless said otherwise.
"""

import functools
from collections.abc import Iterator
from importlib.resources import files

from cosell_emulators.salesforce.schema import (
    Choice,
    Field,
    ObjectType,
    Schema,
)

_STAMPS = """
IsDeleted | boolean | D | Deleted
CreatedDate | datetime | D | Created Date
CreatedById | reference User | D | Created By ID | CreatedBy
LastModifiedDate | datetime | D | Last Modified Date
LastModifiedById | reference User | D | Last Modified By ID | LastModifiedBy
SystemModstamp | datetime | D | System Modstamp
"""


def shipped() -> Schema:
    """Read the objects that come with the emulator; every org has its own."""
    return Schema(found for text in _texts() for found in _objects(text))


@functools.cache
def _texts() -> tuple[str, ...]:
    folder = files("cosell_emulators.salesforce").joinpath("objects")
    found = [text for text in folder.iterdir() if text.name.endswith(".txt")]
    return tuple(text.read_text(encoding="utf-8") for text in sorted(found, key=str))


def _objects(text: str) -> Iterator[ObjectType]:
    for part in ("\n" + text).split("\nobject ")[1:]:
        heading, *lines = part.strip().splitlines()
        name, label, plural, prefix, flags = (cell.strip() for cell in heading.split("|"))
        fields = [_field(line) for line in lines if line.strip() and not line.startswith("#")]
        yield made(name, label, plural, prefix=prefix, flags=flags, fields=fields)


def made(
    name: str, label: str, plural: str, *, prefix: str, flags: str, fields: list[Field]
) -> ObjectType:
    """Put an object together: its id in front, the audit stamps behind."""
    stamps = [] if "S" in flags else _STAMPS.strip().splitlines()
    own = next((one for one in fields if one.name == "Id"), None)
    first = own or _field(f"Id | id 18 | DL | {label} ID")
    found: dict[str, Field] = {}
    for one in (first, *fields, *(_field(line) for line in stamps)):
        found.setdefault(one.name, one)
    return ObjectType(
        name=name, label=label, plural=plural, prefix=prefix, flags=flags, fields=found
    )


@functools.cache  # a field never changes: it is exchanged
def _field(line: str) -> Field:
    name, shape, flags, label, *more = (cell.strip() for cell in line.split("|"))
    kind, _, size = shape.partition(" ")
    last = more[0] if more else ""
    if kind in ("reference", "definition"):
        relationship, _, children = f"{last} ".partition("< ")
        return Field(
            name=name,
            # What defines an object is pointed to by a name, not by an id.
            type="reference" if kind == "reference" else "string",
            label=label,
            flags=flags,
            length=18 if kind == "reference" else 255,
            targets=tuple(size.split()),
            relationship=relationship.strip() or None,
            children=children.strip() or None,
        )
    if kind in ("currency", "double", "percent"):
        precision, _, scale = size.partition(".")
        return Field(
            name=name,
            type=kind,
            label=label,
            flags=flags,
            precision=int(precision),
            scale=int(scale or 0),
            compound=last or None,
        )
    return Field(
        name=name,
        type=kind,
        label=label,
        flags=flags,
        length=int(size or 0),
        choices=tuple(
            Choice(value.strip().removeprefix("*"), value.strip().startswith("*"))
            for value in last.split(";")
            if kind in ("picklist", "multipicklist") and value.strip()
        ),
        compound=more[-1] if len(more) > (kind in ("picklist", "multipicklist")) else None,
    )
