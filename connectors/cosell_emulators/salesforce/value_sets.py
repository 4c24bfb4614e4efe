"""The values of the platform's own picklists, as an administrator reads and changes them.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/standardvalueset_names.htm
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cosell_emulators.salesforce.defining import Document, described, flag
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.schema import Choice
from cosell_emulators.salesforce.store import Store

# The fields that share a list; teams of accounts and of deals have their roles in common.
_FIELDS = {
    "AccountType": ("Account.Type",),
    "Industry": ("Account.Industry", "Lead.Industry"),
    "LeadSource": ("Account.AccountSource", "Contact.LeadSource", "Lead.LeadSource", "Opportunity.LeadSource"),
    "OpportunityType": ("Opportunity.Type",),
    "SalesTeamRole": (
        "AccountTeamMember.TeamMemberRole",
        "OpportunityTeamMember.TeamMemberRole",
        "UserAccountTeamMember.TeamMemberRole",
    ),
}  # fmt: skip


def read(store: Store, name: str) -> Document | None:
    """Describe a list."""
    if name not in _FIELDS:
        return None
    kind, _, field = _FIELDS[name][0].partition(".")
    values = [
        {"fullName": one.value, "default": one.default, "label": one.value}
        for one in store.whole[kind].fields[field].choices
    ]
    return {"fullName": name, "sorted": False, "standardValue": values}


def save(store: Store, name: str, said: Mapping[str, Any]) -> None:
    """Put a list in the place of the one there was, wherever it is used."""
    if name not in _FIELDS:
        raise refusal("INVALID_CROSS_REFERENCE_KEY", f"no StandardValueSet named {name} found")
    values = described(said.get("standardValue"))
    if not values or not all(one.get("fullName") for one in values):
        message = "Required field is missing: standardValue"
        raise refusal("REQUIRED_FIELD_MISSING", message, "standardValue")
    choices = tuple(Choice(str(one["fullName"]), flag(one.get("default", False))) for one in values)
    for path in _FIELDS[name]:
        owner, _, field = path.partition(".")
        kind = store.whole[owner]
        store.whole.put(kind, replace(kind.fields[field], choices=choices))
