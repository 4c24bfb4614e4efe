"""Profiles and permission sets as documents: who may read and edit which fields.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_profile.htm
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cosell_emulators.salesforce.customizing import required
from cosell_emulators.salesforce.defining import Document, described, flag
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.store import Row
from cosell_emulators.salesforce.writing import Doing, Writer

# The names files give the profiles every org has.
_FILES = {"System Administrator": "Admin", "Standard User": "Standard"}
_OBJECT_RIGHTS = {
    "allowCreate": "PermissionsCreate",
    "allowDelete": "PermissionsDelete",
    "allowEdit": "PermissionsEdit",
    "allowRead": "PermissionsRead",
    "modifyAllRecords": "PermissionsModifyAllRecords",
    "viewAllRecords": "PermissionsViewAllRecords",
}


def names(writer: Writer, kind: str) -> Iterator[str]:
    """List the profiles, or the permission sets that are no profile's."""
    for row in writer.store["PermissionSet"].alive():
        if bool(row.get("IsOwnedByProfile")) is (kind == "Profile"):
            yield _name(writer, row)


def read(writer: Writer, kind: str, name: str) -> Document | None:
    """Describe a profile or permission set."""
    row = _found(writer, kind, name)
    if row is None:
        return None
    fields = [
        {
            "editable": bool(one.get("PermissionsEdit")),
            "field": one.get("Field"),
            "readable": bool(one.get("PermissionsRead")),
        }
        for one in writer.store["FieldPermissions"].having("ParentId", row.id)
    ]
    objects = [
        {key: bool(one.get(right)) for key, right in _OBJECT_RIGHTS.items()}
        | {"object": one.get("SobjectType")}
        for one in writer.store["ObjectPermissions"].having("ParentId", row.id)
    ]
    said: Document = {"fullName": _name(writer, row), "fieldPermissions": fields}
    if kind == "PermissionSet":
        said |= {"hasActivationRequired": False, "label": row.get("Label")}
    else:
        said["custom"] = _name(writer, row) not in _FILES.values()
    return {**said, "objectPermissions": objects}


def save(
    writer: Writer, kind: str, name: str, said: Mapping[str, Any], doing: Doing, *, new: bool
) -> None:
    """Make a permission set, or say more of what it or a profile allows."""
    row = _found(writer, kind, name)
    if new and row is not None:
        message = f"duplicate value found: {name}"
        raise refusal("DUPLICATE_DEVELOPER_NAME", message)
    if row is None:
        if not new or kind == "Profile":
            message = f"In field: fullName - no {kind} named {name} found"
            raise refusal("INVALID_CROSS_REFERENCE_KEY", message)
        if not said.get("label"):
            raise refusal("REQUIRED_FIELD_MISSING", "Required field is missing: label", "label")
        body = {"Name": name, "Label": said["label"]}
        row = writer.create(writer.store.whole["PermissionSet"], body, doing)
    for one in described(said.get("fieldPermissions")):
        _field(writer, row, one, doing)
    for one in described(said.get("objectPermissions")):
        _object(writer, row, one, doing)


def delete(writer: Writer, name: str, doing: Doing) -> None:
    """Take a permission set away."""
    row = _found(writer, "PermissionSet", name)
    if row is None:
        raise refusal("INVALID_CROSS_REFERENCE_KEY", f"no PermissionSet named {name} found")
    writer.delete(row, doing)


def _field(writer: Writer, parent: Row, said: Mapping[str, Any], doing: Doing) -> None:
    name = str(said.get("field", ""))
    if required(writer.store, name):
        message = f"You cannot deploy to a required field: {name}"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    edit = flag(said.get("editable", False))
    rights = {"PermissionsEdit": edit, "PermissionsRead": edit or flag(said.get("readable", False))}
    owner = name.partition(".")[0]
    _put(writer, parent, "FieldPermissions", {"SobjectType": owner, "Field": name}, rights, doing)


def _object(writer: Writer, parent: Row, said: Mapping[str, Any], doing: Doing) -> None:
    name = str(said.get("object", ""))
    if writer.store.whole.find(name) is None:
        message = f"In field: object - no CustomObject named {name} found"
        raise refusal("INVALID_CROSS_REFERENCE_KEY", message)
    rights = {right: flag(said.get(key, False)) for key, right in _OBJECT_RIGHTS.items()}
    _put(writer, parent, "ObjectPermissions", {"SobjectType": name}, rights, doing)


def _put(
    writer: Writer,
    parent: Row,
    table: str,
    key: dict[str, str],
    rights: dict[str, bool],
    doing: Doing,
) -> None:
    """Make, change or take away the row that says what is allowed."""
    rows = writer.store[table].having("ParentId", parent.id)
    there = next((one for one in rows if all(one.get(n) == v for n, v in key.items())), None)
    kind = writer.store.whole[table]
    if there is not None and not any(rights.values()):
        writer.delete(there, doing)
    elif there is not None:
        writer.update(there, rights, doing)
    elif any(rights.values()):
        writer.create(kind, {"ParentId": parent.id, **key, **rights}, doing)


def _name(writer: Writer, row: Row) -> str:
    profile = writer.store.living(row.get("ProfileId"))
    if profile is None:
        return str(row.get("Name"))
    return _FILES.get(str(profile.get("Name")), str(profile.get("Name")))


def _found(writer: Writer, kind: str, name: str) -> Row | None:
    for row in writer.store["PermissionSet"].alive():
        of_kind = bool(row.get("IsOwnedByProfile")) is (kind == "Profile")
        if of_kind and _name(writer, row).lower() == name.lower():
            return row
    return None
