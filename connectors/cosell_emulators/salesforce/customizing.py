"""Custom objects and fields: made, changed and taken away by an administrator.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customobject.htm
"""

from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce import calculating
from cosell_emulators.salesforce.defining import (
    Document,
    described,
    field_of,
    is_field_name,
    metadata_of,
)
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.store import Store, Table
from cosell_emulators.salesforce.tables import made

_NEEDED = ("label", "pluralLabel", "nameField", "deploymentStatus", "sharingModel")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def read_field(store: Store, full_name: str) -> Document | None:
    """Describe a custom field."""
    found = _found(store, full_name)
    return None if found is None else {"fullName": full_name, **metadata_of(found[1])}


def save_field(store: Store, full_name: str, said: Mapping[str, Any], *, new: bool) -> None:
    """Make a custom field, or change it."""
    owner, _, name = full_name.partition(".")
    kind = store.whole.find(owner)
    if kind is None or kind.for_tools:
        message = f"Entity Enumeration Or ID: bad value for restricted picklist field: {owner}"
        raise refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "TableEnumOrId")
    existing = kind.field(name)
    if new and existing is not None:
        message = f"There is already a field named {name.removesuffix('__c')} on {kind.label}."
        raise refusal("DUPLICATE_DEVELOPER_NAME", message, "DeveloperName")
    if not new and existing is None:
        raise _no_such("CustomField", full_name)
    plain = {key: value for key, value in said.items() if key not in ("fullName", "@type")}
    found = field_of(existing.name if existing is not None else name, plain)
    _check(store, kind, found, existing)
    store.whole.put(kind, calculating.prepared(store, kind, found))
    store.tables[kind.name].index()
    if found.master and "OwnerId" in kind.fields and kind.custom:
        # The owner of a detail is its master's.
        store.whole.drop(kind, "OwnerId")


def drop_field(store: Store, full_name: str) -> None:
    """Take a custom field away, and what rows held in it."""
    found = _found(store, full_name)
    if found is None:
        raise _no_such("CustomField", full_name)
    kind, field = found
    store.whole.drop(kind, field.name)
    kind.computed.pop(field.name, None)
    table = store.tables[kind.name]
    table.indexes.pop(field.name, None)
    for permission in store["FieldPermissions"].having("Field", full_name):
        store.forget(permission)
    for row in table.rows.values():
        row.values = {key: value for key, value in row.values.items() if key != field.name}


def read_object(store: Store, name: str) -> Document | None:
    """Describe an object with its custom fields."""
    kind = store.whole.find(name)
    if kind is None or kind.for_tools:
        return None
    custom = [found for found in kind.fields.values() if found.custom]
    fields = [{"fullName": found.name, **metadata_of(found)} for found in custom]
    said: Document = {"fullName": kind.name, "fields": fields, "label": kind.label}
    if not kind.custom:
        return said
    first = kind.fields["Name"]
    usual = {
        "deploymentStatus": "Deployed",
        "enableReports": False,
        "nameField": {"label": first.label, "type": "Text"},
        "pluralLabel": kind.plural,
        "sharingModel": "ControlledByParent" if _detail(kind) else "ReadWrite",
    }
    return {**said, **usual, **kind.told}


def save_object(store: Store, name: str, said: Mapping[str, Any], *, new: bool) -> None:
    """Make a custom object, or change one."""
    kind = store.whole.find(name)
    if new and kind is not None:
        message = f"There is already an object named {name}."
        raise refusal("DUPLICATE_DEVELOPER_NAME", message, "DeveloperName")
    if kind is None:
        if not new:
            raise _no_such("CustomObject", name)
        kind = _make(store, name, said)
        try:
            _put_fields(store, kind, said)
            _shared(kind, said)
        except Refusal:
            drop_object(store, kind.name)
            raise
        return
    if kind.custom:
        kind.told.update(_plain(said))
    _put_fields(store, kind, said)


def drop_object(store: Store, name: str) -> None:
    """Take a custom object away, with its rows and the fields that lead to it."""
    kind = store.whole.find(name)
    if kind is None or not kind.custom:
        raise _no_such("CustomObject", name)
    for field in [found.name for found in kind.fields.values() if found.custom]:
        drop_field(store, f"{kind.name}.{field}")
    for permission in store["ObjectPermissions"].having("SobjectType", kind.name):
        store.forget(permission)
    store.whole.leave(kind)
    del store.tables[kind.name]


def _make(store: Store, name: str, said: Mapping[str, Any]) -> ObjectType:
    if not is_field_name(name):
        raise refusal("FIELD_INTEGRITY_EXCEPTION", f"The object name '{name}' is not valid.")
    for key in _NEEDED:
        if not said.get(key):
            raise refusal("REQUIRED_FIELD_MISSING", f"Required field is missing: {key}", key)
    first = said["nameField"]
    first = first if isinstance(first, Mapping) else {}
    numbered = first.get("type") == "AutoNumber"
    if numbered and not first.get("displayFormat"):
        message = "Must specify 'displayFormat' for a CustomField of type AutoNumber"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    label = str(first.get("label") or f"{said['label']} Name")
    flags, length = ("DM", 30) if numbered else ("CUNDM", 80)
    own = Field(name="Name", type="string", label=label, flags=flags, length=length, told=first)
    owner = Field(
        name="OwnerId", type="reference", label="Owner ID", flags="CUD", length=18,
        targets=("Group", "User"), relationship="Owner",
    )  # fmt: skip
    currency = Field(
        name="CurrencyIsoCode", type="picklist", label="Currency", flags="CUNDR", length=3
    )
    kind = made(
        name,
        str(said["label"]),
        str(said["pluralLabel"]),
        prefix=_prefix(store),
        flags="CUDQ",
        fields=[own, owner, currency],
    )
    kind.told.update(_plain(said))
    store.whole.enter(kind)
    for found in kind.fields.values():
        store.whole.put(kind, found)
    store.tables[kind.name] = Table(kind)
    return kind


def _plain(said: Mapping[str, Any]) -> Document:
    return {key: value for key, value in said.items() if key not in ("fullName", "fields", "@type")}


def _put_fields(store: Store, kind: ObjectType, said: Mapping[str, Any]) -> None:
    for field in described(said.get("fields")):
        name = str(field.get("fullName", ""))
        if name and not name.endswith("__c") and kind.has(name):
            continue  # a field the platform made, mentioned only
        full_name = f"{kind.name}.{name}"
        save_field(store, full_name, field, new=_found(store, full_name) is None)


def _shared(kind: ObjectType, said: Mapping[str, Any]) -> None:
    if said["sharingModel"] == "ControlledByParent" and not _detail(kind):
        message = "Cannot set sharingModel to ControlledByParent on a CustomObject without a "
        raise refusal("INVALID_FIELD_FOR_INSERT_UPDATE", f"{message}MasterDetail relationship")


def _prefix(store: Store) -> str:
    taken = {kind.prefix for kind in store.whole}
    free = (f"a{tens}{ones}" for tens in _DIGITS for ones in _DIGITS)
    return next(prefix for prefix in free if prefix not in taken)


def _check(store: Store, kind: ObjectType, found: Field, existing: Field | None) -> None:
    for target in found.targets:
        if store.whole.find(target) is None:
            message = f"In field: referenceTo - no CustomObject named {target} found"
            raise refusal("INVALID_CROSS_REFERENCE_KEY", message, "referenceTo")
        taken = store.whole[target].children
        if any(
            child.relationship == found.children
            and (child.object, child.field) != (kind.name, found.name)
            for child in taken
            if found.children
        ):
            message = f"There is already a Child Relationship named {found.children} on {target}."
            raise refusal("DUPLICATE_DEVELOPER_NAME", message)
    if found.master:
        if not kind.custom:
            message = "Cannot create a Master-Detail field on a standard object"
            raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
        if existing is None and any(True for _ in store.tables[kind.name].alive()):
            message = "Can't create a Master-Detail field on an object with records"
            raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    if existing is not None and found.calculated != existing.calculated:
        message = f"Cannot make {kind.name}.{found.name} a formula, or no formula any more"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    summed = found.told.get("type") == "Summary"
    if existing is not None and found.type != existing.type and not summed:
        message = f"Cannot change the type of {kind.name}.{found.name} to {found.told['type']}"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)


def _detail(kind: ObjectType) -> bool:
    return any(found.master and found.custom for found in kind.fields.values())


def _found(store: Store, full_name: str) -> tuple[ObjectType, Field] | None:
    owner, _, name = full_name.partition(".")
    kind = store.whole.find(owner)
    field = kind.field(name) if kind is not None else None
    return (kind, field) if kind is not None and field is not None and field.custom else None


def _no_such(kind: str, name: str) -> Refusal:
    return refusal("INVALID_CROSS_REFERENCE_KEY", f"no {kind} named {name} found")


def required(store: Store, full_name: str) -> bool:
    """Tell whether everybody sees a field, so that nobody can be given it; refuse what is not."""
    owner, _, name = full_name.partition(".")
    kind = store.whole.find(owner)
    field = kind.field(name) if kind is not None else None
    if field is None:
        message = f"In field: field - no CustomField named {full_name} found"
        raise refusal("INVALID_CROSS_REFERENCE_KEY", message)
    return not field.permissionable
