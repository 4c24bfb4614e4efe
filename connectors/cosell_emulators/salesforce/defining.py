"""Custom fields as administrators describe them, and as the org keeps them.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
"""

import re
from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.schema import Choice, Field

Document = dict[str, Any]

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*__c")
_LONGEST_NAME = 40 + len("__c")
# The type an administrator chooses, and the type the API calls it by.
_TYPES = {
    "Checkbox": "boolean",
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Html": "textarea",
    "Url": "url",
    "Email": "email",
    "Phone": "phone",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Date": "date",
    "DateTime": "datetime",
    "Lookup": "reference",
    "MasterDetail": "reference",
    "AutoNumber": "string",
    "Summary": "double",
}
# What a formula can come to.
_COMPUTED = ("Checkbox", "Currency", "Date", "DateTime", "Number", "Percent", "Text")
_LENGTHS = {
    "TextArea": 255, "Url": 255, "Email": 80, "Phone": 40, "Picklist": 255,
    "MultiselectPicklist": 4099, "AutoNumber": 30, "Lookup": 18, "MasterDetail": 18,
}  # fmt: skip
_NEEDS = {
    "Checkbox": ("defaultValue",),
    "Text": ("length",),
    "LongTextArea": ("length", "visibleLines"),
    "Html": ("length", "visibleLines"),
    "Picklist": ("valueSet",),
    "MultiselectPicklist": ("valueSet", "visibleLines"),
    "Number": ("precision", "scale"),
    "Currency": ("precision", "scale"),
    "Percent": ("precision", "scale"),
    "Lookup": ("referenceTo", "relationshipName"),
    "MasterDetail": ("referenceTo", "relationshipName"),
    "AutoNumber": ("displayFormat",),
    "Summary": ("summaryForeignKey", "summaryOperation"),
}
_LENGTH_RANGE = {"Text": (1, 255), "LongTextArea": (256, 131_072), "Html": (256, 131_072)}
_NUMBERS = ("Number", "Currency", "Percent")
_MOST_DIGITS = 18
# What a formula can be as a text.
_LONGEST_TEXT = 1300


def is_field_name(name: str) -> bool:
    """Tell whether a custom field may be called so."""
    return bool(_NAME.fullmatch(name)) and len(name) <= _LONGEST_NAME


def field_of(name: str, said: Mapping[str, Any]) -> Field:
    """Make the field a description is of, or refuse it."""
    if not is_field_name(name):
        message = (
            f"The name '{name}' is not valid: it can only contain alphanumeric characters, must "
            "begin with a letter, cannot contain two consecutive underscore characters, and must "
            "end with __c."
        )
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message)
    _check(name, said)
    kind = str(said["type"])
    computes = "formula" in said and kind == "Text"
    return Field(
        name=name,
        type=_TYPES[kind],
        label=str(said["label"]),
        flags=_flags(kind, said),
        length=int(said.get("length") or (_LONGEST_TEXT if computes else _LENGTHS.get(kind, 0))),
        precision=int(said.get("precision") or _MOST_DIGITS) if kind in _NUMBERS else 0,
        scale=int(said.get("scale") or 0) if kind in _NUMBERS else 0,
        targets=tuple(listed(said.get("referenceTo"))) if _TYPES[kind] == "reference" else (),
        relationship=name.removesuffix("c") + "r" if _TYPES[kind] == "reference" else None,
        children=f"{said['relationshipName']}__r" if said.get("relationshipName") else None,
        choices=_choices(said.get("valueSet")),
        told=dict(said),
    )


def listed(value: Any) -> list[Any]:
    """Give a list, where one thing alone may stand for a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def described(value: Any) -> list[Mapping[str, Any]]:
    """Give the descriptions in a list; anything else in it is refused."""
    found = listed(value)
    if not all(isinstance(one, Mapping) for one in found):
        raise refusal("REQUIRED_FIELD_MISSING", "Required field is missing: fullName")
    return found


def flag(value: Any) -> bool:
    """Read a truth, which XML brings as text."""
    return value if isinstance(value, bool) else str(value).lower() in ("true", "1")


def _check(name: str, said: Mapping[str, Any]) -> None:
    kind = said.get("type")
    if not kind:
        raise _lacking("type", name)
    # One thing alone may stand for a list of one, but nothing else is a list here.
    deep = ("referenceTo", "summaryFilterItems", "valueSet")
    plain = [value for key, value in said.items() if key not in deep]
    targets = listed(said.get("referenceTo"))
    if any(isinstance(value, Mapping) for value in (*plain, *targets)):
        raise refusal(
            "JSON_PARSER_ERROR", "Cannot deserialize instance of string from START_OBJECT"
        )
    if not isinstance(kind, str) or kind not in _TYPES:
        message = f"'{kind}' is not a valid value for the enum 'FieldType'"
        raise refusal("INVALID_TYPE", message)
    if "formula" in said and kind not in _COMPUTED:
        message = f"A formula cannot be a CustomField of type {kind}"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message, name)
    needs = () if "formula" in said else _NEEDS.get(str(kind), ())
    for key in ("label", *needs):
        if said.get(key) in (None, ""):
            raise _lacking(key, name, kind)
    for key in ("length", "precision", "scale", "visibleLines"):
        if said.get(key) is not None and not str(said[key]).isdigit():
            raise refusal("FIELD_INTEGRITY_EXCEPTION", f"{key} must be a number: {said[key]}")
    least, most = _LENGTH_RANGE.get(str(kind), (0, 131_072))
    if not least <= int(said.get("length") or least) <= most:
        message = f"Value for field length is invalid: it must be between {least} and {most}"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message, "length")
    digits = int(said.get("precision") or _MOST_DIGITS) if kind in _NUMBERS else 0
    if digits > _MOST_DIGITS or (digits and int(said.get("scale") or 0) > digits):
        message = f"Precision must be at most {_MOST_DIGITS}, and scale at most precision"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message, "precision")


def _lacking(key: str, name: str, kind: Any = None) -> Refusal:
    if kind is None or key == "label":
        return refusal("REQUIRED_FIELD_MISSING", f"Required field is missing: {key}", key)
    message = f"Must specify '{key}' for a CustomField of type {kind}"
    return refusal("FIELD_INTEGRITY_EXCEPTION", message, name)


def _flags(kind: str, said: Mapping[str, Any]) -> str:
    if "formula" in said or kind == "Summary":
        return "N"
    if kind == "AutoNumber":
        return "ND" + ("XL" if flag(said.get("externalId")) else "")
    flags = "CU"
    if kind == "MasterDetail":
        flags = "CUP" if flag(said.get("reparentableMasterDetail")) else "CP"
    elif kind == "Checkbox":
        flags += "DT" if flag(said.get("defaultValue")) else "D"
    elif not flag(said.get("required")):
        flags += "N"
    if flag(said.get("externalId")):
        flags += "XL"
    if flag(said.get("unique")):
        flags += "Q"
    value_set = said.get("valueSet")
    if isinstance(value_set, Mapping) and flag(value_set.get("restricted")):
        flags += "R"
    return flags


def _choices(value_set: Any) -> tuple[Choice, ...]:
    if not isinstance(value_set, Mapping):
        return ()
    definition = value_set.get("valueSetDefinition")
    values = listed(definition.get("value")) if isinstance(definition, Mapping) else []
    return tuple(
        Choice(str(value.get("fullName")), flag(value.get("default", False)))
        for value in values
        if isinstance(value, Mapping)
    )


def metadata_of(found: Field) -> Document:
    """Describe a field as its maker would; what its maker said is told word for word."""
    if found.told:
        return dict(found.told)
    kind = _kind(found)
    said: Document = {"label": found.label, "type": kind}
    if kind == "Checkbox":
        said["defaultValue"] = "true" if "T" in found.flags else "false"
    elif kind not in ("LongTextArea", "MasterDetail"):
        said["required"] = found.required
    if kind in ("Text", "LongTextArea"):
        said["length"] = found.length
    if kind == "LongTextArea":
        said["visibleLines"] = 4
    if kind == "Text":
        said |= {"externalId": found.external_id, "unique": found.unique}
        said |= {"caseSensitive": False} if found.unique else {}
    if kind in _NUMBERS:
        said |= {"precision": found.precision, "scale": found.scale}
    if kind == "Picklist":
        values = [
            {"fullName": choice.value, "default": choice.default, "label": choice.value}
            for choice in found.choices
        ]
        definition = {"sorted": False, "value": values}
        said["valueSet"] = {"restricted": found.restricted, "valueSetDefinition": definition}
    if found.targets:
        said |= {"referenceTo": found.targets[0], "relationshipLabel": found.children}
        said["relationshipName"] = (found.children or "").removesuffix("__r") or None
    if kind == "MasterDetail":
        said |= {"relationshipOrder": 0, "reparentableMasterDetail": found.updateable}
    return said


def _kind(found: Field) -> str:
    match found.type:
        case "textarea":
            return "TextArea" if found.filterable else "LongTextArea"
        case "reference":
            return "MasterDetail" if found.master else "Lookup"
    return next(kind for kind, plain in _TYPES.items() if plain == found.type)
