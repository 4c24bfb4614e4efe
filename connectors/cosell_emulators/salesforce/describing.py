"""Describe objects and fields with every key clients look at.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources_sobject_describe.html
"""

from typing import Any

from cosell_emulators.salesforce.schema import Field, ObjectType, Schema
from cosell_emulators.salesforce.store import Store

Document = dict[str, Any]

# Characters are counted, bytes are reserved: three for each.
_BYTES = 3
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "currency": "xsd:double",
    "double": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    "base64": "xsd:base64Binary",
}


def everything(schema: Schema, *, version: str) -> Document:
    """Answer GET /sobjects."""
    objects = sorted(schema, key=lambda kind: kind.name)
    shown = [brief(kind, version=version) for kind in objects]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown}


def brief(kind: ObjectType, *, version: str) -> Document:
    """Describe an object without its fields."""
    base = f"/services/data/v{version}/sobjects/{kind.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": kind.createable,
        "custom": kind.custom,
        "customSetting": False,
        "deepCloneable": kind.name == "Opportunity",
        "deletable": kind.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": kind.name in ("Account", "Contact", "Lead", "Opportunity"),
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": kind.prefix,
        "label": kind.label,
        "labelPlural": kind.plural,
        "layoutable": kind.createable,
        "mergeable": kind.name in ("Account", "Contact", "Lead"),
        "mruEnabled": kind.name in ("Account", "Contact", "Lead", "Opportunity"),
        "name": kind.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": kind.name in ("Account", "Contact", "Lead", "Opportunity", "User"),
        "triggerable": kind.createable,
        "undeletable": kind.deletable and kind.name != "OpportunityContactRole",
        "updateable": kind.updateable,
        "urls": _urls(kind, base),
    }


def _urls(kind: ObjectType, base: str) -> Document:
    urls = {
        "compactLayouts": f"{base}/describe/compactLayouts",
        "rowTemplate": f"{base}/{{ID}}",
        "approvalLayouts": f"{base}/describe/approvalLayouts",
        "listviews": f"{base}/listviews",
        "describe": f"{base}/describe",
        "quickActions": f"{base}/quickActions",
        "layouts": f"{base}/describe/layouts",
        "sobject": base,
    }
    if kind.name_field is None:  # what has no name is in no list
        del urls["approvalLayouts"], urls["listviews"]
    return urls


def full(store: Store, kind: ObjectType, *, version: str) -> Document:
    """Answer GET /sobjects/X/describe."""
    shown = brief(kind, version=version)
    return {
        "actionOverrides": [],
        **shown,
        "childRelationships": [
            {
                "cascadeDelete": child.cascade,
                "childSObject": child.object,
                "deprecatedAndHidden": False,
                "field": child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.relationship,
                "restrictedDelete": False,
            }
            for child in store.schema.children_of(kind)
        ],
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [field(store, found) for found in kind.fields.values()],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_master(kind, version=version)],
        "searchLayoutable": shown["searchable"],
        "sobjectDescribeOption": "FULL",
        "supportedScopes": _scopes(kind),
    }


def _scopes(kind: ObjectType) -> list[Document]:
    plural = kind.plural.lower()
    labels = {"everything": f"All {plural}"}
    if kind.has("OwnerId"):
        labels["mine"] = f"My {plural}"
    if kind.name == "Lead":
        labels["queue_owned"] = f"Queue owned {plural}"
    if kind.name in ("Contact", "Lead", "Opportunity"):
        labels["scopingRule"] = "Filter by scope"
    if kind.name in ("Account", "Contact", "Lead", "Opportunity"):
        labels["team"] = f"My team's {plural}"
    if kind.name == "Lead":
        labels["user_owned"] = f"User owned {plural}"
    return [{"label": label, "name": name} for name, label in labels.items()]


# What no field of this org has; clients expect the keys all the same.
_ALIKE: Document = {
    "aiPredictionField": False,
    "autoNumber": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "writeRequiresMasterRead": False,
}


def field(store: Store, found: Field) -> Document:
    """Describe a field."""
    texts = found.type not in _SOAP and found.type != "base64"
    address = found.type == "address"
    length = found.length if texts or found.type in ("id", "reference") else 0
    values = choices(store, found)
    return _ALIKE | {
        "aggregatable": _aggregatable(found),
        "byteLength": length * _BYTES if texts and found.name != "Fiscal" else length,
        "cascadeDelete": found.master and found.custom,
        "compoundFieldName": found.compound,
        "createable": found.createable,
        "calculated": found.calculated,
        "calculatedFormula": found.told.get("formula"),
        "custom": found.custom,
        "defaultValue": _default(found, values),
        "defaultedOnCreate": found.defaulted,
        "digits": 8 if found.type == "int" else 0,
        "externalId": found.external_id,
        "extraTypeInfo": _extra(found),
        "filterable": found.filterable,
        "groupable": _groupable(found),
        "idLookup": found.keyed or "L" in found.flags,
        "label": found.label,
        "length": length,
        "name": found.name,
        "nameField": "M" in found.flags,
        "namePointing": len(found.targets) > 1,
        "nillable": found.nillable,
        "permissionable": _permissionable(found),
        "picklistValues": values,
        "queryByDistance": address,
        "polymorphicForeignKey": len(found.targets) > 1,
        "precision": found.precision,
        "referenceTo": list(found.targets),
        "relationshipName": _ODD_RELATIONSHIPS.get(found.name, found.relationship),
        "restrictedPicklist": found.restricted,
        "scale": found.scale,
        "searchPrefilterable": found.name in _PREFILTERING
        or (found.custom and bool(found.targets)),
        "soapType": _SOAP.get(found.type, "xsd:string"),
        "sortable": found.filterable and not address,
        "type": found.type,
        "unique": found.unique,
        "updateable": found.updateable,
    }


# Where the recorded descriptions follow no rule of their own.
_ODD_RELATIONSHIPS = {"JigsawCompanyId": "JigsawCompany", "JigsawContactId": "JigsawContact"}
_PREFILTERING = {
    "AccountId", "CampaignId", "ConvertedAccountId", "ConvertedContactId",
    "ConvertedOpportunityId", "DandbCompanyId", "IndividualId", "LastAmountChangedHistoryId",
    "LastCloseDateChangedHistoryId", "OperatingHoursId", "ParentId", "Pricebook2Id", "ReportsToId",
}  # fmt: skip
_FOR_EVERYONE = {
    "ContactId", "EmailBouncedDate", "EmailBouncedReason", "FirstName", "ForecastCategoryName",
    "IndividualId", "LastModifiedDate", "Pricebook2Id", "RecordTypeId", "Role", "Salutation",
}  # fmt: skip
_PERSON_NAMES = {"FirstName", "LastName", "Salutation"}
_UNGROUPABLE = {"address", "base64", "currency", "datetime", "double", "percent"}


def _extra(found: Field) -> str | None:
    if found.type == "textarea":
        return "plaintextarea"
    if found.name == "PhotoUrl":
        return "imageurl"
    if found.compound == "Name" and found.name == "Name":
        return "switchablepersonname"
    return "personname" if found.name in _PERSON_NAMES or found.label == "Full Name" else None


def _groupable(found: Field) -> bool:
    long_text = found.type == "textarea" and not found.filterable
    return found.type not in _UNGROUPABLE and not long_text


def _aggregatable(found: Field) -> bool:
    long_text = found.type == "textarea" and not found.filterable
    return found.type not in ("address", "base64", "boolean") and not long_text


def _permissionable(found: Field) -> bool:
    if found.custom:
        return found.permissionable
    if found.type == "address" or found.name in ("IsPrivate", "ExpectedRevenue"):
        return True
    return found.permissionable and found.name not in _FOR_EVERYONE


def choices(store: Store, found: Field) -> list[Document]:
    """List the values of a picklist; currencies are those the org has."""
    if found.name.endswith("CurrencyIsoCode"):
        rows = store["CurrencyType"].alive()
        codes = [row.get("IsoCode") for row in rows if row.get("IsActive")]
        return [_choice(code, default=code == "USD") for code in codes]
    return [_choice(choice.value, default=choice.default) for choice in found.choices]


def _choice(value: str, *, default: bool) -> Document:
    return {
        "active": True,
        "defaultValue": default,
        "label": value,
        "validFor": None,
        "value": value,
    }


def _default(found: Field, values: list[Document]) -> Any:
    if found.type == "boolean":
        return "T" in found.flags
    return next((value["value"] for value in values if value["defaultValue"]), None)


def _master(kind: ObjectType, *, version: str) -> Document:
    record_type = "012000000000000AAA"
    url = f"/services/data/v{version}/sobjects/{kind.name}/describe/layouts/{record_type}"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": record_type,
        "urls": {"layout": url},
    }
