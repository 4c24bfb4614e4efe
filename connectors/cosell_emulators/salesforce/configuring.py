"""The org's setup pages as documents: objects, fields, layouts, permissions and switches.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_calls_intro.htm
"""

from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce import customizing, granting, sharing, value_sets
from cosell_emulators.salesforce.defining import Document, flag, listed
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.writing import Doing, Writer

TYPES = {
    "AccountSettings": "settings",
    "CommunitiesSettings": "settings",
    "CustomField": "fields",
    "CustomObject": "objects",
    "CustomTab": "tabs",
    "EnhancedNotesSettings": "settings",
    "Layout": "layouts",
    "OpportunitySettings": "settings",
    "PermissionSet": "permissionsets",
    "Profile": "profiles",
    "SharingCriteriaRule": "sharingRules",
    "SharingOwnerRule": "sharingRules",
    "SharingRules": "sharingRules",
    "StandardValueSet": "standardValueSets",
}
_RULES = ("SharingCriteriaRule", "SharingOwnerRule", "SharingRules")
# A kind of settings, the one name it goes by, and the switches in it that do something here.
_SWITCHES = {
    "AccountSettings": ("Account", {"enableAccountTeams": "account_teams"}),
    "CommunitiesSettings": (
        "Communities",
        {"enableEnablePRM": "partner_management", "enableNetworksEnabled": "communities"},
    ),
    "EnhancedNotesSettings": ("EnhancedNotes", {"enableEnhancedNotes": "enhanced_notes"}),
    "OpportunitySettings": ("Opportunity", {"enableOpportunityTeam": "opportunity_teams"}),
}
_LAYOUTS = {
    "Account-Account Layout": ("RelatedContactList", "RelatedOpportunityList"),
    "Contact-Contact Layout": ("RelatedOpportunityList", "RelatedNoteList"),
    "Lead-Lead Layout": ("RelatedActivityList", "RelatedHistoryList"),
    "Opportunity-Opportunity Layout": ("RelatedContactRoleList", "RelatedOpenActivityList"),
}


class Setup:
    """What an administrator can read and change of an org."""

    def __init__(self, writer: Writer, settings: Settings) -> None:
        self._writer = writer
        self._store = writer.store
        self._settings = settings
        self._documents: dict[tuple[str, str], Document] = {
            ("Layout", name): {
                "fullName": name,
                "relatedLists": [{"relatedList": r} for r in lists],
            }
            for name, lists in _LAYOUTS.items()
        }
        for kind in self._store.whole:
            if kind.custom:
                self._lay_out(kind.name, kind.label)
                self._relate(kind)

    def names(self, kind: str) -> list[str]:
        """List what there is of a kind."""
        match kind:
            case "CustomObject":
                return [found.name for found in self._store.whole if not found.for_tools]
            case "CustomField":
                return [
                    f"{owner.name}.{field.name}"
                    for owner in self._store.whole
                    for field in owner.fields.values()
                    if field.custom
                ]
            case "Profile" | "PermissionSet":
                return list(granting.names(self._writer, kind))
            case _ if kind in _RULES:
                return sharing.names(self._store, kind, self._settings)
            case _ if kind in _SWITCHES:
                return [_SWITCHES[kind][0]]
        return [name for type_, name in self._documents if type_ == kind]

    def read(self, kind: str, name: str) -> Document | None:
        """Describe one thing; nothing when there is no such thing."""
        match kind:
            case "CustomObject":
                return customizing.read_object(self._store, name)
            case "CustomField":
                return customizing.read_field(self._store, name)
            case "Profile" | "PermissionSet":
                return granting.read(self._writer, kind, name)
            case "StandardValueSet":
                return value_sets.read(self._store, name)
            case _ if kind in _RULES:
                return sharing.read(self._store, kind, name, self._settings)
            case _ if kind in _SWITCHES and name == _SWITCHES[kind][0]:
                on = {key: getattr(self._settings, a) for key, a in _SWITCHES[kind][1].items()}
                return {"fullName": name, **self._documents.get((kind, name), {}), **on}
        return self._documents.get((kind, name))

    def save(self, kind: str, said: Mapping[str, Any], doing: Doing, *, new: bool) -> None:
        """Make a thing, or change one."""
        if kind not in TYPES:
            raise refusal("INVALID_TYPE", f"Unknown type:{kind}")
        name = str(said.get("fullName") or "")
        if not name:
            raise refusal("REQUIRED_FIELD_MISSING", "Required field is missing: fullName")
        match kind:
            case "CustomObject":
                customizing.save_object(self._store, name, said, new=new)
                self._lay_out(name, str(said.get("label", name)))
            case "CustomField":
                customizing.save_field(self._store, name, said, new=new)
            case "Profile" | "PermissionSet":
                granting.save(self._writer, kind, name, said, doing, new=new)
            case "StandardValueSet":
                value_sets.save(self._store, name, said)
            case "SharingRules":
                sharing.save(self._store, name, said, self._settings)
            case _ if kind in _SWITCHES:
                self._switch(kind, name, said, new=new)
            case _:
                self._put(kind, name, said, new=new)

    def delete(self, kind: str, name: str, doing: Doing) -> None:
        """Take a thing away."""
        match kind:
            case "CustomObject":
                customizing.drop_object(self._store, name)
            case "CustomField":
                customizing.drop_field(self._store, name)
            case "PermissionSet":
                granting.delete(self._writer, name, doing)
            case _ if kind in _SWITCHES or (kind, name) not in self._documents:
                raise refusal("INVALID_CROSS_REFERENCE_KEY", f"no {kind} named {name} found")
            case _:
                del self._documents[kind, name]

    def strip(self) -> None:
        """Leave the org as it was before anybody prepared it: nothing custom, everything off."""
        for kind in list(self._store.whole):
            if kind.custom:
                customizing.drop_object(self._store, kind.name)
        for full_name in self.names("CustomField"):
            customizing.drop_field(self._store, full_name)
        self._documents = {
            key: _without_custom(document)
            for key, document in self._documents.items()
            if "__c" not in key[1].partition("-")[0]
        }
        for _, switches in _SWITCHES.values():
            for attribute in switches.values():
                setattr(self._settings, attribute, False)

    def _switch(self, kind: str, name: str, said: Mapping[str, Any], *, new: bool) -> None:
        own, switches = _SWITCHES[kind]
        if new or name != own:
            raise refusal("INVALID_CROSS_REFERENCE_KEY", f"no {kind} named {name} to create")
        if self._settings.partner_management and not flag(said.get("enableEnablePRM", True)):
            message = "Partner relationship management cannot be disabled"
            raise refusal("FIELD_INTEGRITY_EXCEPTION", message, "enableEnablePRM")
        for key, value in said.items():
            if key in switches:
                setattr(self._settings, switches[key], flag(value))
        kept = self._documents.get((kind, name), {})
        more = {k: v for k, v in said.items() if k not in (*switches, "fullName", "@type")}
        self._documents[kind, name] = {**kept, **more}

    def _put(self, kind: str, name: str, said: Mapping[str, Any], *, new: bool) -> None:
        there = (kind, name) in self._documents
        if new and there:
            raise refusal("DUPLICATE_DEVELOPER_NAME", f"There is already a {kind} named {name}.")
        if not new and not there:
            raise refusal("INVALID_CROSS_REFERENCE_KEY", f"no {kind} named {name} found")
        if kind == "Layout":
            self._check_layout(said)
        self._documents[kind, name] = {k: v for k, v in said.items() if k != "@type"}

    def _check_layout(self, said: Mapping[str, Any]) -> None:
        for related in listed(said.get("relatedLists")):
            name = str(related.get("relatedList", "")) if isinstance(related, Mapping) else ""
            owner, dot, field = name.partition(".")
            kind = self._store.whole.find(owner)
            off = name == "RelatedAccountSalesTeam" and not self._settings.account_teams
            if off or (dot and (kind is None or kind.field(field) is None)):
                raise refusal("FIELD_INTEGRITY_EXCEPTION", f"Cannot find related list:{name}")

    def _relate(self, kind: ObjectType) -> None:
        """Put the list of an object's rows on the pages of those they belong to."""
        for field in kind.fields.values():
            for (type_, name), document in self._documents.items():
                if field.custom and type_ == "Layout" and name.partition("-")[0] in field.targets:
                    document["relatedLists"].append({"relatedList": f"{kind.name}.{field.name}"})

    def _lay_out(self, name: str, label: str) -> None:
        if name.endswith("__c"):
            full_name = f"{name}-{label} Layout"
            self._documents.setdefault(
                ("Layout", full_name), {"fullName": full_name, "relatedLists": []}
            )


def _without_custom(document: Document) -> Document:
    lists = document.get("relatedLists")
    if not isinstance(lists, list):
        return document
    kept = [one for one in lists if "__c" not in str(one.get("relatedList"))]
    return {**document, "relatedLists": kept}


def described(error: Refusal) -> list[Document]:
    """Say what was wrong, as the calls of the Metadata API do."""
    return [
        {"fields": list(p.fields or ()), "message": p.message, "statusCode": p.code}
        for p in error.problems
    ]
