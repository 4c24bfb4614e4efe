"""What an org knows about its objects: read from the tables in `objects/`.

A table has a heading, `object <name> | <label> | <plural> | <key prefix> | <flags>`, and one line
for every field: `<name> | <type> | <flags> | <label> | <more>`. `<more>` holds the values of a
picklist, or a lookup's relationship and the name its children go by.
Flags of objects: C createable, U updateable, D deletable, Q queryable, S without audit stamps.
Flags of fields: C createable, U updateable, N nillable, D defaulted on create, X external id,
Q unique, R restricted picklist, L usable in upserts, M the name field, P cascade delete,
H neither filterable nor sortable, T true unless said otherwise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files

# A text area longer than this lies in a place that cannot be filtered or sorted.
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
_FILTERABLE = 255


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a picklist."""

    value: str
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object."""

    name: str
    type: str
    label: str
    flags: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    targets: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    choices: tuple[Choice, ...] = ()
    compound: str | None = None

    @property
    def custom(self) -> bool:
        """Tell whether an administrator made the field."""
        return self.name.endswith("__c")

    @property
    def createable(self) -> bool:
        """Tell whether an insert may name the field."""
        return "C" in self.flags

    @property
    def updateable(self) -> bool:
        """Tell whether an update may name the field."""
        return "U" in self.flags

    @property
    def nillable(self) -> bool:
        """Tell whether the field may be empty."""
        return "N" in self.flags

    @property
    def defaulted(self) -> bool:
        """Tell whether an insert fills the field by itself."""
        return "D" in self.flags

    @property
    def required(self) -> bool:
        """Tell whether an insert must name the field."""
        return self.createable and not (self.nillable or self.defaulted)

    @property
    def external_id(self) -> bool:
        """Tell whether the field holds another system's key."""
        return "X" in self.flags

    @property
    def unique(self) -> bool:
        """Tell whether two rows may not share a value."""
        return "Q" in self.flags

    @property
    def keyed(self) -> bool:
        """Tell whether rows can be addressed by the field."""
        return "X" in self.flags or "L" in self.flags

    @property
    def restricted(self) -> bool:
        """Tell whether only the listed values are allowed."""
        return "R" in self.flags

    @property
    def filterable(self) -> bool:
        """Tell whether a query may filter by the field."""
        if "H" in self.flags or self.type == "base64":
            return False
        return self.type != "textarea" or self.length <= _FILTERABLE

    @property
    def is_number(self) -> bool:
        """Tell whether the field holds numbers."""
        return self.type in ("currency", "double", "percent", "int")


@dataclass(frozen=True, slots=True)
class Child:
    """A field of another object that points here."""

    object: str
    field: str
    relationship: str | None
    cascade: bool


@dataclass(frozen=True, kw_only=True)
class ObjectType:
    """One object: its names, its key prefix and its fields."""

    name: str
    label: str
    plural: str
    prefix: str
    flags: str
    fields: Mapping[str, Field]
    children: list[Child] = field(default_factory=list)

    @cached_property
    def by_lower_name(self) -> Mapping[str, Field]:
        """Find a field whatever the case of its name."""
        return {name.lower(): found for name, found in self.fields.items()}

    @cached_property
    def by_relationship(self) -> Mapping[str, Field]:
        """Find the lookup of a relationship whatever the case of its name."""
        return {
            found.relationship.lower(): found
            for found in self.fields.values()
            if found.relationship is not None
        }

    @cached_property
    def name_field(self) -> str | None:
        """Say which field is the row's name."""
        return next((name for name, found in self.fields.items() if "M" in found.flags), None)

    @property
    def custom(self) -> bool:
        """Tell whether an administrator made the object."""
        return self.name.endswith("__c")

    @property
    def createable(self) -> bool:
        """Tell whether rows can be inserted."""
        return "C" in self.flags

    @property
    def updateable(self) -> bool:
        """Tell whether rows can be changed."""
        return "U" in self.flags

    @property
    def deletable(self) -> bool:
        """Tell whether rows can be deleted."""
        return "D" in self.flags

    def field(self, name: str) -> Field | None:
        """Find a field whatever the case of its name."""
        return self.by_lower_name.get(name.lower())

    def has(self, name: str) -> bool:
        """Tell whether the object has a field of exactly this name."""
        return name in self.fields


class Schema:
    """All objects of an org."""

    def __init__(self, types: Mapping[str, ObjectType]) -> None:
        self.types = types
        self._lower = {name.lower(): found for name, found in types.items()}
        self._prefixes: dict[str, ObjectType] = {}
        for found in types.values():
            # A content note is a content document too, and has the same id.
            self._prefixes.setdefault(found.prefix, found)

    def find(self, name: str) -> ObjectType | None:
        """Find an object whatever the case of its name."""
        return self._lower.get(name.lower())

    def of_id(self, row_id: str) -> ObjectType | None:
        """Find the object an id belongs to."""
        return self._prefixes.get(row_id[:3])

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self.types.values())

    def __getitem__(self, name: str) -> ObjectType:
        return self.types[name]


_STAMPS = """
IsDeleted | boolean | D | Deleted
CreatedDate | datetime | D | Created Date
CreatedById | reference User | D | Created By ID | CreatedBy
LastModifiedDate | datetime | D | Last Modified Date
LastModifiedById | reference User | D | Last Modified By ID | LastModifiedBy
SystemModstamp | datetime | D | System Modstamp
"""


@cache
def shipped() -> Schema:
    """Read the objects that come with the emulator."""
    texts = sorted(files("cosell_emulators.salesforce").joinpath("objects").iterdir(), key=str)
    types: dict[str, ObjectType] = {}
    for text in texts:
        if text.name.endswith(".txt"):
            for found in _objects(text.read_text(encoding="utf-8")):
                types[found.name] = found
    for owner in types.values():
        for lookup in owner.fields.values():
            child = Child(owner.name, lookup.name, lookup.children, "P" in lookup.flags)
            for target in lookup.targets:
                if target in types:
                    types[target].children.append(child)
    return Schema(types)


def _objects(text: str) -> Iterator[ObjectType]:
    for part in ("\n" + text).split("\nobject ")[1:]:
        heading, *lines = part.strip().splitlines()
        name, label, plural, prefix, flags = (cell.strip() for cell in heading.split("|"))
        stamps = [] if "S" in flags else _STAMPS.strip().splitlines()
        rows = [f"Id | id 18 | DL | {label} ID", *lines, *stamps]
        fields: dict[str, Field] = {}
        for line in rows:
            if line.strip() and not line.startswith("#"):
                found = _field(line)
                fields.setdefault(found.name, found)
        yield ObjectType(
            name=name, label=label, plural=plural, prefix=prefix, flags=flags, fields=fields
        )


def _field(line: str) -> Field:
    name, shape, flags, label, *more = (cell.strip() for cell in line.split("|"))
    kind, _, size = shape.partition(" ")
    last = more[0] if more else ""
    if kind == "reference":
        relationship, _, children = last.partition(" < ")
        return Field(
            name=name,
            type=kind,
            label=label,
            flags=flags,
            length=18,
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
        compound=last or None if kind not in ("picklist", "multipicklist") else None,
    )
