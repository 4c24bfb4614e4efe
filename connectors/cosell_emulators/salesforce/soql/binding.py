"""Find what the names of a query mean: fields, parents, children."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cosell_emulators.salesforce.problems import Refusal
from cosell_emulators.salesforce.schema import Child, Field, ObjectType
from cosell_emulators.salesforce.soql.lexing import complaint
from cosell_emulators.salesforce.soql.tree import Path
from cosell_emulators.salesforce.store import Row, Store

_DEEPEST = 5
# A parent that may be one of several objects shows only what their names have in common.
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_name.htm
_NAME_FIELDS = {
    name.lower(): Field(name=name, type=kind, label=name)
    for name, kind in {
        "Id": "id",
        "Name": "string",
        "Type": "picklist",
        "FirstName": "string",
        "LastName": "string",
        "Username": "string",
        "Email": "email",
        "Phone": "phone",
        "Title": "string",
        "Alias": "string",
        "IsActive": "boolean",
        "ProfileId": "reference",
        "UserRoleId": "reference",
    }.items()
}
_RELATION = (
    "Didn't understand relationship '{}' in field path. If you are attempting to use a custom "
    "relationship, be sure to append the '__r' after the custom relationship name. Please "
    "reference your WSDL or the describe call for the appropriate names."
)
_COLUMN = (
    "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure to "
    "append the '__c' after the custom field name. Please reference your WSDL or the describe "
    "call for the appropriate names."
)
_OBJECT = (
    "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to "
    "append the '__c' after the entity name. Please reference your WSDL or the describe call for "
    "the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A field found: the lookups that lead to it, itself, and whether its parent is of any kind."""

    hops: tuple[Field, ...]
    field: Field
    of_any_kind: bool = False

    @property
    def path(self) -> str:
        """Give the canonical name, parents included."""
        return ".".join([*(hop.relationship or "" for hop in self.hops), self.field.name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a query runs against."""

    store: Store
    text: str
    now: datetime
    user_id: str
    version: str
    deleted: bool = False
    # Which rows the caller sees; nothing where it is all of them.
    sees: Callable[[Row], bool] | None = None

    def refuse(self, at: int, code: str, message: str) -> Refusal:
        """Make a refusal that points into the query."""
        return complaint(self.text, at, code, message)

    def source(self, name: str, at: int) -> ObjectType:
        """Find the object a query reads."""
        kind = self.store.schema.find(name)
        if kind is None or "Q" not in kind.flags:
            raise self.refuse(at, "INVALID_TYPE", _OBJECT.format(name))
        return kind

    def children(self, kind: ObjectType, name: str, at: int) -> Child:
        """Find the children a subquery reads."""
        wanted = name.rsplit(".", maxsplit=1)[-1].lower()
        for child in self.store.schema.children_of(kind):
            if child.relationship is not None and child.relationship.lower() == wanted:
                return child
        raise self.refuse(at, "INVALID_TYPE", _RELATION.format(name).replace("field path", "FROM"))

    def bind(self, kind: ObjectType, path: Path, alias: str | None = None) -> Bound:
        """Find the field a path leads to."""
        names = path.names
        own = {kind.name.lower(), (alias or kind.name).lower()}
        if (
            len(names) > 1
            and names[0].lower() in own
            and names[0].lower() not in (kind.by_relationship.keys() - {(alias or "").lower()})
        ):
            names = names[1:]
        if len(names) - 1 > _DEEPEST:
            message = "SOQL relationships cannot go deeper than five levels"
            raise self.refuse(path.at, "INVALID_FIELD", message)
        hops: list[Field] = []
        for name in names[:-1]:
            lookup = kind.by_relationship.get(name.lower())
            if lookup is None or (hops and len(hops[-1].targets) > 1):
                raise self.refuse(path.at, "INVALID_FIELD", _RELATION.format(name))
            hops.append(lookup)
            if len(lookup.targets) == 1:
                found = self.store.schema.find(lookup.targets[0])
                if found is None:
                    raise self.refuse(path.at, "INVALID_FIELD", _RELATION.format(name))
                kind = found
        if hops and len(hops[-1].targets) > 1:
            return self._of_any_kind(tuple(hops), names[-1], path)
        field = kind.field(names[-1])
        if field is None:
            message = _COLUMN.format(names[-1], kind.name)
            raise self.refuse(path.at, "INVALID_FIELD", message)
        return Bound(tuple(hops), field)

    def _of_any_kind(self, hops: tuple[Field, ...], name: str, path: Path) -> Bound:
        field = _NAME_FIELDS.get(name.lower())
        if field is None:
            raise self.refuse(path.at, "INVALID_FIELD", _COLUMN.format(name, "Name"))
        return Bound(hops, field, of_any_kind=True)

    def parent(self, row: Row | None, hop: Field) -> Row | None:
        """Go to the row a lookup points to."""
        if row is None:
            return None
        key = row.values.get(hop.name)
        return self.store.definitions.get(key) if hop.type == "string" else self.store.row(key)

    def getter(self, bound: Bound) -> Callable[[Row], Any]:
        """Make the function that reads a field of a row."""
        name = bound.field.name
        if not bound.hops:
            return lambda row: row.get(name)

        def through(row: Row) -> Any:
            found: Row | None = row
            for hop in bound.hops:
                found = self.parent(found, hop)
            if found is None:
                return None
            if bound.of_any_kind and name == "Type":
                return "Queue" if found.get("Type") == "Queue" else found.type.name
            return found.get(name)

        return through
