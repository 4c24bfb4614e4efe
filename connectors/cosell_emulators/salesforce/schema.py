"""What an org knows about its objects; an administrator may add to it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

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
    # What its maker said of it that only the setup pages show.
    told: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def custom(self) -> bool:
        """Tell whether an administrator made the field."""
        return self.name.endswith("__c")

    @property
    def calculated(self) -> bool:
        """Tell whether the field computes itself."""
        return "formula" in self.told or self.told.get("type") == "Summary"

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
    def master(self) -> bool:
        """Tell whether rows go when the row they point to goes."""
        return "P" in self.flags

    @property
    def permissionable(self) -> bool:
        """Tell whether the field can be kept from some of the users."""
        if not self.custom:
            return self.createable and self.nillable
        return not self.master and (self.nillable or self.defaulted or not self.createable)

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
    fields: dict[str, Field]
    children: list[Child] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    # How to work out, from a row, the fields that compute themselves.
    computed: dict[str, Callable[[Any], Any]] = field(default_factory=dict, compare=False)

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

    @cached_property
    def required(self) -> tuple[str, ...]:
        """List what an insert must name."""
        return tuple(name for name, found in self.fields.items() if found.required)

    @cached_property
    def unique(self) -> tuple[Field, ...]:
        """List the fields in which no two rows may agree."""
        return tuple(found for found in self.fields.values() if found.unique)

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """Give what a row holds where nobody says otherwise."""
        flags = {
            name: "T" in found.flags
            for name, found in self.fields.items()
            if found.type == "boolean" and name != "IsDeleted"
        }
        chosen = {
            name: choice.value
            for name, found in self.fields.items()
            for choice in found.choices
            if choice.default
        }
        return {**flags, **chosen}

    @property
    def custom(self) -> bool:
        """Tell whether an administrator made the object."""
        return self.name.endswith("__c")

    @property
    def for_tools(self) -> bool:
        """Tell whether only the Tooling API knows the object."""
        return "T" in self.flags

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


_DERIVED = (
    "by_lower_name", "by_relationship", "defaults", "name_field", "required", "unique"
)  # fmt: skip


class Schema:
    """All objects of an org, or those that somebody may see."""

    def __init__(self, types: Iterable[ObjectType]) -> None:
        self.types: dict[str, ObjectType] = {}
        self._lower: dict[str, ObjectType] = {}
        self._prefixes: dict[str, ObjectType] = {}
        # Grows with every change, so that what was derived from the schema can be told stale.
        self.generation = 0
        for found in types:
            self.enter(found)
        for found in list(self.types.values()):
            for lookup in found.fields.values():
                self._link(found, lookup)

    def find(self, name: str) -> ObjectType | None:
        """Find an object whatever the case of its name."""
        return self._lower.get(name.lower())

    def of_id(self, row_id: str) -> ObjectType | None:
        """Find the object an id belongs to."""
        return self._prefixes.get(row_id[:3])

    def children_of(self, kind: ObjectType) -> Iterator[Child]:
        """Go through the fields that point to an object."""
        for child in kind.children:
            owner = self.types.get(child.object)
            if owner is not None and child.field in owner.fields:
                yield child

    def enter(self, kind: ObjectType) -> None:
        """Add an object."""
        self.types[kind.name] = kind
        self._lower[kind.name.lower()] = kind
        # A content note is a content document too, and has the same id.
        self._prefixes.setdefault(kind.prefix, kind)
        self.generation += 1

    def leave(self, kind: ObjectType) -> None:
        """Take an object away, and every field that points to it."""
        for other in self.types.values():
            other.children[:] = [child for child in other.children if child.object != kind.name]
        for child in kind.children:
            owner = self.types[child.object]
            if owner.fields[child.field].targets == (kind.name,):
                self.drop(owner, child.field)
        del self.types[kind.name], self._lower[kind.name.lower()]
        if self._prefixes.get(kind.prefix) is kind:
            del self._prefixes[kind.prefix]
        self.generation += 1

    def put(self, kind: ObjectType, found: Field) -> None:
        """Add a field to an object, or change it."""
        if found.name in kind.fields:
            self._unlink(kind, found.name)
        kind.fields[found.name] = found
        self._link(kind, found)
        self._altered(kind)

    def drop(self, kind: ObjectType, name: str) -> None:
        """Take a field away."""
        del kind.fields[name]
        self._unlink(kind, name)
        self._altered(kind)

    def _altered(self, kind: ObjectType) -> None:
        for derived in _DERIVED:
            kind.__dict__.pop(derived, None)
        self.generation += 1

    def _link(self, kind: ObjectType, lookup: Field) -> None:
        child = Child(kind.name, lookup.name, lookup.children, lookup.master)
        for target in lookup.targets:
            if target in self.types:
                self.types[target].children.append(child)

    def _unlink(self, kind: ObjectType, name: str) -> None:
        for other in self.types.values():
            other.children[:] = [
                child
                for child in other.children
                if (child.object, child.field) != (kind.name, name)
            ]

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self.types.values())

    def __getitem__(self, name: str) -> ObjectType:
        return self.types[name]


class SchemaView(Schema):
    """The objects and fields that one caller may see; made anew when anything changes."""

    def __init__(self, types: Iterable[ObjectType]) -> None:
        super().__init__(())
        for found in types:
            self.enter(found)
