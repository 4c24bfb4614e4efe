"""Who may see which objects and fields: profiles and permission sets say so.

A field that was just made is seen by nobody, its maker included, until a permission set lets them.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_fieldpermissions.htm
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.schema import Field, ObjectType, Schema, SchemaView
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import Row, Store

_GOVERNING = ("PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions")
# What the platform offers only where an administrator switched it on.
_SWITCHED = {
    "opportunity_teams": ("OpportunityTeamMember",),
    "account_teams": ("AccountTeamMember", "UserAccountTeamMember"),
    "enhanced_notes": ("ContentNote",),
    "multi_currency": ("CurrencyType", "DatedConversionRate"),
}
_RIGHTS = {"C": "PermissionsCreate", "U": "PermissionsEdit", "D": "PermissionsDelete"}


@dataclass(frozen=True, slots=True)
class _Rights:
    """What somebody's permission sets allow, taken together."""

    everything: bool
    objects: dict[str, set[str]]
    read: set[str]
    edit: set[str]


class Permissions:
    """The org as each of its users sees it."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._views: dict[tuple[str, bool], Schema] = {}
        self._seen: tuple[Any, ...] = ()

    def view(self, user_id: str, *, tools: bool = False) -> Schema:
        """Give the objects and fields a user may see, through the data or the Tooling API."""
        store, off, now = self._store, self._off(), self.marks()
        if now != self._seen:
            self._seen, self._views = now, {}
        key = (user_id, tools)
        if key not in self._views:
            rights = self._rights(user_id)
            kinds = (kind for kind in store.whole if kind.name not in off and _for(kind, tools))
            shown = (self._single(kind) for kind in kinds)
            visible = (seen for kind in shown if (seen := _seen(kind, rights)) is not None)
            self._views[key] = SchemaView(visible)
        return self._views[key]

    def may_customize(self, user_id: str) -> bool:
        """Tell whether somebody may change the setup of the org."""
        return any(row.get("PermissionsCustomizeApplication") for row in self._sets(user_id))

    def marks(self) -> tuple[Any, ...]:
        """Give what changes with every change of what is there and who may see it."""
        tables = (self._store[name].generation for name in (*_GOVERNING, "User"))
        return (self._store.whole.generation, *tables, *self._off())

    def _off(self) -> tuple[str, ...]:
        return tuple(
            name
            for switch, names in _SWITCHED.items()
            if not getattr(self._settings, switch)
            for name in names
        )

    def _single(self, kind: ObjectType) -> ObjectType:
        """Leave currencies out where there is only one."""
        if self._settings.multi_currency:
            return kind
        fields = {n: f for n, f in kind.fields.items() if not n.endswith("CurrencyIsoCode")}
        return replace(kind, fields=fields) if len(fields) < len(kind.fields) else kind

    def _rights(self, user_id: str) -> _Rights:
        sets = [found.id for found in self._sets(user_id)]
        everything = any(row.get("PermissionsModifyAllData") for row in self._sets(user_id))
        objects: dict[str, set[str]] = {}
        for row in self._belonging("ObjectPermissions", sets):
            if row.get("PermissionsRead"):
                given = {flag for flag, name in _RIGHTS.items() if row.get(name)}
                objects.setdefault(str(row.get("SobjectType")).lower(), set()).update(given)
        fields = list(self._belonging("FieldPermissions", sets))
        read = {str(row.get("Field")).lower() for row in fields if row.get("PermissionsRead")}
        edit = {str(row.get("Field")).lower() for row in fields if row.get("PermissionsEdit")}
        return _Rights(everything, objects, read, edit)

    def _sets(self, user_id: str) -> Iterator[Row]:
        user = self._store.living(user_id)
        if user is None:
            return
        if user.get("ProfileId"):
            yield from self._store["PermissionSet"].having("ProfileId", user.get("ProfileId"))
        for assignment in self._store["PermissionSetAssignment"].having("AssigneeId", user_id):
            found = self._store.living(assignment.get("PermissionSetId"))
            if found is not None:
                yield found

    def _belonging(self, name: str, sets: list[str]) -> Iterator[Row]:
        for key in dict.fromkeys(sets):
            yield from self._store[name].having("ParentId", key)


def field_permission(store: Store, values: dict[str, Any], row: Row | None) -> None:
    """Check and complete a row that says who may see a field."""
    owner, _, name = str(values.get("Field")).partition(".")
    kind = store.whole.find(owner)
    found = kind.field(name) if kind is not None else None
    if kind is None or found is None or not found.permissionable:
        message = f"Field Name: bad value for restricted picklist field: {values.get('Field')}"
        raise refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "Field")
    values |= {"SobjectType": kind.name, "Field": f"{kind.name}.{found.name}"}
    if values.get("PermissionsEdit") and not values.get("PermissionsRead"):
        message = "Permission Edit Field depends on permission(s): Read Field"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    for other in store["FieldPermissions"].having("ParentId", values["ParentId"]):
        if other.get("Field") == values["Field"] and (row is None or other.id != row.id):
            message = (
                f"duplicate value found: Field duplicates value on record with id: {other.id[:15]}"
            )
            raise refusal("DUPLICATE_VALUE", message)


def _for(kind: ObjectType, tools: bool) -> bool:
    """Tell whether an API knows an object."""
    return kind.for_tools or "B" in kind.flags if tools else not kind.for_tools


def _seen(kind: ObjectType, rights: _Rights) -> ObjectType | None:
    """Show an object as far as the rights go; nothing where they do not reach it."""
    flags = kind.flags
    if kind.custom and not rights.everything:
        given = rights.objects.get(kind.name.lower())
        if given is None:
            return None
        flags = "".join(flag for flag in flags if flag not in _RIGHTS or flag in given)
    governed = {name for name, f in kind.fields.items() if f.custom and f.permissionable}
    fields = {
        name: found
        for name, field in kind.fields.items()
        if (found := _field(kind, field, rights) if name in governed else field) is not None
    }
    if flags == kind.flags and all(fields.get(n) is f for n, f in kind.fields.items()):
        return kind
    return replace(kind, flags=flags, fields=fields)


def _field(kind: ObjectType, field: Field, rights: _Rights) -> Field | None:
    name = f"{kind.name}.{field.name}".lower()
    if name in rights.edit:
        return field
    if name in rights.read:
        return replace(field, flags=field.flags.replace("C", "").replace("U", ""))
    return None
