"""The objects and fields of the org as rows, for whoever asks with a query what there is.

https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_entitydefinition.htm
"""

import re
from typing import Any

from cosell_emulators.salesforce.defining import metadata_of
from cosell_emulators.salesforce.schema import Field, ObjectType, Schema
from cosell_emulators.salesforce.store import Row, Store

NAMES = ("EntityDefinition", "FieldDefinition", "CustomObject", "CustomField", "Layout")
_NAMED = re.compile("Definition|CustomObject|CustomField|Layout", re.IGNORECASE)
_MODELS = {
    "ControlledByParent": "ControlledByParent",
    "Edit": "ReadWrite",
    "Read": "Read",
    "ReadEditTransfer": "ReadWriteTransfer",
}
_PUBLISHER = {False: "System", True: "<local>"}
_DATA_TYPES = {
    "boolean": "Checkbox",
    "picklist": "Picklist",
    "multipicklist": "Picklist (Multi-Select)",
    "date": "Date",
    "datetime": "Date/Time",
    "int": "Number(9, 0)",
    "address": "Address",
    "email": "Email",
    "phone": "Phone",
    "base64": "Base64",
    "id": "Lookup()",
}
_SIZED = {"string": "Text", "url": "URL"}
_COUNTED = {"currency": "Currency", "double": "Number", "percent": "Percent"}


def may_be_asked(query: str) -> bool:
    """Whether a query could be about these rows: it would have to name them."""
    return _NAMED.search(query) is not None


def refresh(store: Store, seen: Schema, layouts: list[str]) -> None:
    """Write down what there is now; *seen* is as much of it as the caller may see."""
    rows: dict[str, list[Row]] = {name: [] for name in NAMES}
    store.definitions.clear()
    for kind in store.whole:
        if kind.for_tools:
            continue
        if kind.custom:
            rows["CustomObject"].append(_custom_object(store, kind))
        definition = _entity(store, kind)
        store.definitions[entity_id(store, kind)] = store.definitions[kind.name] = definition
        rows["CustomField"] += (
            _custom_field(store, kind, found) for found in kind.fields.values() if found.custom
        )
        visible = seen.find(kind.name)
        if visible is not None:
            rows["EntityDefinition"].append(definition)
            fields = visible.fields.values()
            rows["FieldDefinition"] += (_field(store, visible, found) for found in fields)
    rows["Layout"] = [_layout(store, name) for name in layouts]
    for name, found in rows.items():
        table = store[name]
        table.rows = {row.id: row for row in found}


def entity_id(store: Store, kind: ObjectType) -> str:
    """Give what definitions call an object: its name, or the id of one an administrator made."""
    return store.named("01I", kind.name)[:15] if kind.custom else kind.name


def field_id(store: Store, kind: ObjectType, found: Field) -> str:
    """Give the id of a custom field."""
    return store.named("00N", f"{kind.name}.{found.name}")


def _entity(store: Store, kind: ObjectType) -> Row:
    values = {
        "DurableId": entity_id(store, kind),
        "QualifiedApiName": kind.name,
        "DeveloperName": kind.name.removesuffix("__c"),
        "MasterLabel": kind.label,
        "Label": kind.label,
        "PluralLabel": kind.plural,
        "KeyPrefix": kind.prefix,
        "PublisherId": _PUBLISHER[kind.custom],
        "InternalSharingModel": kind.told.get("sharingModel", "ReadWrite"),
        "ExternalSharingModel": _for_partners(store, kind),
        "DeploymentStatus": "Deployed" if kind.custom else None,
        "IsCustomSetting": False,
        "IsCustomizable": kind.createable,
        "IsQueryable": "Q" in kind.flags,
        "IsApexTriggerable": kind.createable,
        "IsLayoutable": kind.createable,
        "IsSearchable": kind.createable,
        "IsWorkflowEnabled": kind.createable,
    }
    return Row(store.whole["EntityDefinition"], store.named("4ie", kind.name), values)


def _for_partners(store: Store, kind: ObjectType) -> str:
    """Say what partners may do with rows that are not theirs: here, what everybody may."""
    org = next(iter(store["Organization"].alive()), None)
    default = f"Default{kind.name}Access"
    level = org.get(default) if org is not None and org.type.has(default) else None
    return _MODELS.get(str(level), "Private")


def _field(store: Store, kind: ObjectType, found: Field) -> Row:
    entity = entity_id(store, kind)
    last = field_id(store, kind, found)[:15] if found.custom else found.name
    values = {
        "DurableId": f"{entity}.{last}",
        "QualifiedApiName": found.name,
        "EntityDefinitionId": entity,
        "DeveloperName": found.name.removesuffix("__c"),
        "MasterLabel": found.label,
        "Label": found.label,
        "DataType": _data_type(found),
        "ValueTypeId": found.type,
        "Length": found.length,
        "Precision": found.precision,
        "Scale": found.scale,
        "IsNillable": found.nillable,
        "IsIndexed": found.keyed or found.unique or found.type in ("id", "reference"),
        "IsCalculated": found.calculated,
        "IsCompound": found.type == "address",
        "IsNameField": "M" in found.flags,
        "IsFieldHistoryTracked": False,
        "IsHighScaleNumber": False,
        "IsHtmlFormatted": found.told.get("type") == "Html",
        "IsApiFilterable": found.filterable,
        "IsApiGroupable": found.filterable and not found.is_number,
        "IsApiSortable": found.filterable,
        "RelationshipName": found.relationship,
        "Description": found.told.get("description"),
    }
    key = store.named("4fe", f"{kind.name}.{found.name}")
    return Row(store.whole["FieldDefinition"], key, values)


def _data_type(found: Field) -> str:
    names = ", ".join(found.targets)
    if found.type == "reference":
        return f"Master-Detail({names})" if found.master else f"Lookup({names})"
    if found.type == "textarea":
        return "Text Area(255)" if found.filterable else f"Long Text Area({found.length})"
    shown = _DATA_TYPES.get(found.type)
    if found.type in _SIZED:
        shown = f"{_SIZED[found.type]}({found.length})"
    if found.type in _COUNTED:
        shown = f"{_COUNTED[found.type]}({found.precision - found.scale}, {found.scale})"
    keyed = " (External ID)" if found.external_id else ""
    alone = " (Unique Case Insensitive)" if found.unique and found.custom else ""
    return f"{shown or found.type}{keyed}{alone}"


def _custom_object(store: Store, kind: ObjectType) -> Row:
    values = {
        "DeveloperName": kind.name.removesuffix("__c"),
        "ManageableState": "unmanaged",
        "Language": "en_US",
        "Description": kind.told.get("description"),
        "SharingModel": kind.told.get("sharingModel", "ReadWrite"),
    }
    return Row(store.whole["CustomObject"], store.named("01I", kind.name), values)


def _custom_field(store: Store, kind: ObjectType, found: Field) -> Row:
    entity = entity_id(store, kind)
    values: dict[str, Any] = {
        "DeveloperName": found.name.removesuffix("__c"),
        "TableEnumOrId": entity,
        "EntityDefinitionId": entity,
        "ManageableState": "unmanaged",
        "Description": found.told.get("description"),
        "InlineHelpText": found.told.get("inlineHelpText"),
        "Length": found.length or None,
        "Precision": found.precision or None,
        "Scale": found.scale if found.precision else None,
        "RelationshipLabel": found.told.get("relationshipLabel"),
        "FullName": f"{kind.name}.{found.name}",
        "Metadata": metadata_of(found),
    }
    return Row(store.whole["CustomField"], field_id(store, kind, found), values)


def _layout(store: Store, full_name: str) -> Row:
    owner, _, name = full_name.partition("-")
    kind = store.whole.find(owner)
    entity = entity_id(store, kind) if kind is not None else owner
    values = {"Name": name, "EntityDefinitionId": entity, "TableEnumOrId": entity}
    values |= {"LayoutType": "Standard", "ManageableState": "unmanaged", "FullName": full_name}
    return Row(store.whole["Layout"], store.named("00h", full_name), values)
