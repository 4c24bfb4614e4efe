"""Put what is to be made in an org into a package for the Metadata API. Pure.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based.htm
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from cosell_definitions.settings import FieldShape

from .comparing import PERMISSION_SET, SETTINGS, Step
from .wanted import Wanted, WantedField, WantedObject

_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_SETTINGS_ROOTS = {"Opportunity": "OpportunitySettings", "EnhancedNotes": "EnhancedNotesSettings"}
_WHEN = (1980, 1, 1, 0, 0, 0)  # a zip's beginning of time: the same package is the same bytes


def package(todo: Sequence[Step], wanted: Wanted, *, version: str) -> bytes | None:
    """The zip file that does *todo*; nothing where nothing of it is done by deploying."""
    files: dict[str, bytes] = {}
    members: dict[str, list[str]] = {}
    for owner, fields in _new_fields(todo).items():
        files[f"objects/{owner}.object"] = _xml("CustomObject", {"fields": [*map(_field, fields)]})
        members.setdefault("CustomField", []).extend(one.full_name for one in fields)
    for step in todo:
        if step.making == "object" and step.object is not None:
            files[f"objects/{step.object.name}.object"] = _xml("CustomObject", _object(step.object))
            members.setdefault("CustomObject", []).append(step.object.name)
        if step.making == "setting" and step.setting is not None:
            file, switch, _ = SETTINGS[step.setting]
            files[f"settings/{file}.settings"] = _xml(_SETTINGS_ROOTS[file], {switch: True})
            members.setdefault("Settings", []).append(file)
        if step.making == "permission":
            files[f"permissionsets/{PERMISSION_SET}.permissionset"] = _xml(
                "PermissionSet", _permission_set(wanted)
            )
            members.setdefault("PermissionSet", []).append(PERMISSION_SET)
    if not files:
        return None
    types = [{"members": sorted(names), "name": kind} for kind, names in sorted(members.items())]
    files["package.xml"] = _xml("Package", {"types": types, "version": version})
    return _zipped(files)


def with_related_list(layout: Mapping[str, Any], one: WantedObject, name: str) -> dict[str, Any]:
    """A layout, as the Tooling API gives it, with the related list at its end."""
    shown = [field for field, shape in one.shape.fields.items() if shape.kind != "master_detail"]
    added = {"relatedList": name, "fields": ["NAME", *shown]}
    return {**layout, "relatedLists": [*(layout.get("relatedLists") or ()), added]}


def _new_fields(todo: Sequence[Step]) -> dict[str, list[WantedField]]:
    fields: dict[str, list[WantedField]] = {}
    for step in todo:
        if step.making == "field" and step.field is not None:
            fields.setdefault(step.field.object, []).append(step.field)
    return fields


def _field(one: WantedField) -> dict[str, Any]:
    assert one.shape is not None
    return {"fullName": one.name, "label": one.shape.label, **_kind(one.object, one.shape)}


def _kind(owner: str, shape: FieldShape) -> dict[str, Any]:
    told = {"inlineHelpText": shape.help} if shape.help else {}
    match shape.kind:
        case "checkbox":
            return {**told, "type": "Checkbox", "defaultValue": False}
        case "url":
            return {**told, "type": "Url"}
        case "long_text":
            return {**told, "type": "LongTextArea", "length": shape.length, "visibleLines": 4}
        case "picklist":
            values = [{"fullName": v, "default": False, "label": v} for v in shape.values]
            known = {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}}
            return {**told, "type": "Picklist", "valueSet": known}
        case "master_detail":
            plural = owner.removesuffix("__c")
            return {
                **told, "type": "MasterDetail", "referenceTo": shape.parent,
                "relationshipLabel": plural.replace("_", " ") + "s",
                "relationshipName": f"{plural}s", "relationshipOrder": 0,
                "reparentableMasterDetail": False, "writeRequiresMasterRead": False,
            }  # fmt: skip
        case _:
            marks = {"externalId": shape.external_id, "unique": shape.unique}
            cased = {"caseSensitive": False} if shape.unique else {}
            return {**told, "type": "Text", "length": shape.length, **marks, **cased}


def _object(one: WantedObject) -> dict[str, Any]:
    return {
        "label": one.shape.label,
        "pluralLabel": one.shape.plural,
        "nameField": {"label": f"{one.shape.label} Name", "type": "AutoNumber",
                      "displayFormat": "SOL-{000000}"},
        "deploymentStatus": "Deployed",
        "sharingModel": "ControlledByParent",
        "fields": [_field(field) for field in one.fields],
    }  # fmt: skip


def _permission_set(wanted: Wanted) -> dict[str, Any]:
    """Everybody who has it reads and edits what the sync works with."""
    fields = [
        {"editable": True, "field": one.full_name, "readable": True}
        for one in wanted.every_field
        # A detail's tie to its master cannot be taken from anybody, and so not be given either.
        if one.shape is not None and one.shape.kind != "master_detail"
    ]
    rights = ("allowCreate", "allowDelete", "allowEdit", "allowRead")
    objects = [
        {**dict.fromkeys(rights, True), "modifyAllRecords": False, "object": one.name,
         "viewAllRecords": False}
        for one in wanted.objects
    ]  # fmt: skip
    return {
        "description": "Reads and edits the fields by which deals are kept in step with Microsoft.",
        "fieldPermissions": fields,
        "hasActivationRequired": False,
        "label": "cosell sync",
        "objectPermissions": objects,
    }


def _xml(root: str, said: Mapping[str, Any]) -> bytes:
    element = ElementTree.Element(root, {"xmlns": _NAMESPACE})
    _fill(element, said)
    ElementTree.indent(element)
    text: bytes = ElementTree.tostring(element, encoding="utf-8", xml_declaration=True)
    return text


def _fill(element: ElementTree.Element, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        for one in value if isinstance(value, list) else [value]:
            inner = ElementTree.SubElement(element, name)
            if isinstance(one, Mapping):
                _fill(inner, one)
            else:
                inner.text = str(one).lower() if isinstance(one, bool) else str(one)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _WHEN), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
