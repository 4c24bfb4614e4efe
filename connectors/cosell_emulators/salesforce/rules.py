"""What the platform does by itself when rows of its own objects are written."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cosell_emulators.salesforce import opportunities, people, permitting
from cosell_emulators.salesforce.opportunities import Make
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.store import Row, Store

_CURRENCY = "USD"
# Where the number goes in a name like S-{0000}.
_NUMBER = re.compile(r"\{(0+)\}")
_OF_THEIR_OWN = ("Account", "Contact", "Lead", "Opportunity")
_PARENTS = ("OpportunityId", "Opportunity__c", "AccountId")
_NOBODY: Mapping[str, Any] = {}


def new_id(store: Store, kind: ObjectType) -> str:
    """Make the id of a new row."""
    return store.mint(kind)


def twin(store: Store, kind: ObjectType, values: Mapping[str, Any]) -> Row | None:
    """Find the row an insert changes instead: one team member per user.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunityteammember.htm
    """
    parent = {"OpportunityTeamMember": "OpportunityId", "AccountTeamMember": "AccountId"}
    if kind.name not in parent:
        return None
    name = parent[kind.name]
    rows = store[kind.name].having(name, values.get(name))
    return next((row for row in rows if row.get("UserId") == values.get("UserId")), None)


def before(
    store: Store,
    kind: ObjectType,
    values: dict[str, Any],
    row: Row | None,
    *,
    user_id: str,
    now: datetime,
    named: Mapping[str, Any] = _NOBODY,
) -> None:
    """Complete and check the values of a row about to be written; *named* are the caller's."""
    if kind.has("OwnerId") and values.get("OwnerId") is None:
        values["OwnerId"] = user_id
    _currency(store, kind, values)
    _own(store, kind, values, row)
    match kind.name:
        case "Opportunity":
            opportunities.complete(store, values, row, now=now, named=named)
        case "Lead":
            people.name(values)
            people.lead(store, values, row, user_id=user_id)
        case "Contact":
            people.name(values)
        case "User":
            people.name(values)
            people.user(store, values, row)
        case "Account":
            people.partner(store, values, row)
        case "Task":
            values["IsClosed"] = values.get("Status") == "Completed"
            values["IsHighPriority"] = values.get("Priority") == "High"
        case "AccountTeamMember" | "OpportunityTeamMember":
            people.team_member(store, kind, values)
        case "FieldPermissions":
            permitting.field_permission(store, values, row)
        case "Group" | "UserRole":
            if values.get("DeveloperName") is None:
                values["DeveloperName"] = "_".join(str(values["Name"]).split())
        case _:
            pass


def after(
    store: Store,
    row: Row,
    old: Mapping[str, Any] | None,
    now: datetime,
    make: Make,
) -> None:
    """Do what follows from a row that was written."""
    match row.type.name:
        case "Opportunity" if old is None and row.get("ContactId"):
            opportunities.primary_role(store, row, make=make, now=now)
        case "OpportunityContactRole":
            opportunities.only_primary(store, row)
        case "Account" | "Contact" | "User" | "Lead":
            pass
        case "ContentNote" if old is None:
            opportunities.document_of(store, row, make=make, now=now)
        case _ if row.type.custom and row.get("Name") is None:
            store.merge(row, Name=_custom_name(store, row))


def _custom_name(store: Store, row: Row) -> str:
    """Name a row of a custom object that got no name: by the next number, or else by its id."""
    shape = str(row.type.fields["Name"].told.get("displayFormat", ""))
    number = len(store[row.type.name].rows)
    return _NUMBER.sub(lambda m: str(number).zfill(len(m[1])), shape) if shape else row.id


def before_delete(store: Store, row: Row) -> None:
    """Do what must happen before a row is deleted."""
    if row.type.name == "OpportunityContactRole" and row.get("IsPrimary"):
        deal = store.living(row.get("OpportunityId"))
        if deal is not None:
            store.merge(deal, ContactId=None)


def shared(kind: ObjectType, found: Field, other: Row) -> Refusal:
    """Refuse a value that another row has and that must be its own."""
    if kind.name == "User" and found.name == "Username":
        message = (
            "Duplicate Username.<br>The username already exists in this or another Salesforce "
            "organization. Usernames must be unique across all Salesforce organizations."
        )
        return refusal("DUPLICATE_USERNAME", message, "Username")
    message = (
        f"duplicate value found: {found.name} duplicates value on record with id: {other.id[:15]}"
    )
    return refusal("DUPLICATE_VALUE", message)


def _currency(store: Store, kind: ObjectType, values: dict[str, Any]) -> None:
    """Give a row a currency: its parent's where it may have no other, the org's otherwise."""
    for name in ("CurrencyIsoCode", "DefaultCurrencyIsoCode"):
        if not kind.has(name) or values.get(name) is not None:
            continue
        parents = () if kind.name in _OF_THEIR_OWN else _PARENTS
        rows = (store.living(values.get(key)) for key in parents)
        found = next((row for row in rows if row is not None), None)
        values[name] = (found.get("CurrencyIsoCode") if found is not None else None) or _CURRENCY


def _own(store: Store, kind: ObjectType, values: Mapping[str, Any], row: Row | None) -> None:
    """Refuse an owner who cannot own the row."""
    if "OwnerId" not in kind.fields or not kind.fields["OwnerId"].createable:
        return
    owner = store.living(values.get("OwnerId"))
    if owner is None or (row is not None and row.get("OwnerId") == owner.id):
        return
    if owner.type.name == "User" and not owner.get("IsActive"):
        message = f"operation performed with inactive user [{owner.id[:15]}]"
        raise refusal("INACTIVE_OWNER_OR_USER", message)
    if owner.type.name == "Group":
        kinds = store["QueueSobject"].having("QueueId", owner.id)
        if not any(link.get("SobjectType") == kind.name for link in kinds):
            message = "Queue not associated with this SObject type"
            raise refusal("INVALID_OPERATION", message, "OwnerId")
