"""Names, leads that are done, partner accounts and the users who log in from them."""

import re
from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.store import Row, Store

_USERNAME = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def name(values: dict[str, Any]) -> None:
    """Put the full name together."""
    parts = (values.get("FirstName"), values.get("LastName"))
    values["Name"] = " ".join(part for part in parts if part)


def lead(store: Store, values: dict[str, Any], row: Row | None, *, user_id: str) -> None:
    """Keep a converted lead as it is, and a lead with a new owner unread."""
    if row is not None and row.get("IsConverted"):
        message = "cannot reference converted lead"
        raise refusal("CANNOT_UPDATE_CONVERTED_LEAD", message)
    if row is None:
        values["IsUnreadByOwner"] = values["OwnerId"] != user_id
    elif row.get("OwnerId") != values["OwnerId"]:
        values["IsUnreadByOwner"] = True
    if row is None or row.get("Status") == values["Status"]:
        return
    status = store["LeadStatus"].having("MasterLabel", values["Status"])
    if status and status[0].get("IsConverted"):
        # Only convertLead leads to the converted status.
        message = "bad value for restricted picklist field: " + values["Status"]
        raise refusal("INVALID_STATUS", f"Status: {message}", "Status")


def partner(store: Store, values: dict[str, Any], row: Row | None) -> None:
    """Check that an account may become a partner's; when it is one no more, its users are out."""
    was = row is not None and bool(row.get("IsPartner"))
    if was and values.get("IsPartner"):
        _not_theirs(store, values)
    if row is None or bool(values.get("IsPartner")) == was:
        return
    if was:
        for person in store["User"].having("AccountId", row.id):
            if person.get("IsActive"):
                _count(store, person, -1)
            store.merge(person, IsActive=False, IsPortalEnabled=False)
        return
    owner = _not_theirs(store, values)
    if owner is not None and owner.get("UserRoleId") is None:
        raise refusal("UNKNOWN_EXCEPTION", "portal account owner must have a role")
    for contact in store["Contact"].having("AccountId", row.id):
        keeper = store.living(contact.get("OwnerId"))
        if keeper is not None and keeper.get("UserType") == "PowerPartner":
            message = "contacts of a partner account cannot be owned by portal users"
            raise refusal("UNKNOWN_EXCEPTION", message)


def _not_theirs(store: Store, values: Mapping[str, Any]) -> Row | None:
    """Give the owner of a partner's account, who may not be a partner."""
    owner = store.living(values["OwnerId"])
    if owner is not None and owner.get("UserType") == "PowerPartner":
        raise refusal("UNKNOWN_EXCEPTION", "portal users cannot own partner accounts")
    return owner


def user(store: Store, values: dict[str, Any], row: Row | None) -> None:
    """Check a user, and let the profile decide what kind of user it is."""
    if not _USERNAME.fullmatch(str(values["Username"])):
        message = "Username: must be in the form of an email address (for example, john@acme.com)"
        raise refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, "Username")
    profile = store.living(values["ProfileId"])
    if profile is None:
        return
    values["UserType"] = profile.get("UserType")
    if row is None:
        nickname = str(values["Username"]).partition("@")[0][:40]
        values["CommunityNickname"] = values.get("CommunityNickname") or nickname
    if values["UserType"] == "PowerPartner":
        _portal(store, values, row)
    elif values.get("ContactId") is not None:
        message = "Cannot specify a contact for a user who is not a portal user"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message, "ContactId")
    _licence(store, values, row, profile)


def _portal(store: Store, values: dict[str, Any], row: Row | None) -> None:
    """Check that a partner user is somebody at a partner."""
    contact = store.living(values.get("ContactId"))
    if contact is None:
        message = "Required fields are missing: [ContactId]"
        raise refusal("REQUIRED_FIELD_MISSING", message, "ContactId")
    account = store.living(contact.get("AccountId"))
    if account is None or not account.get("IsPartner"):
        raise refusal("PORTAL_NO_ACCESS", "portal user must belong to a partner account")
    for other in store["User"].having("ContactId", contact.id):
        if row is None or other.id != row.id:
            message = "portal user already exists for contact"
            raise refusal("PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT", message)
    values["AccountId"], values["IsPortalEnabled"] = account.id, bool(values.get("IsActive"))
    values["PortalRole"] = values.get("PortalRole") or "Worker"


def _licence(store: Store, values: Mapping[str, Any], row: Row | None, profile: Row) -> None:
    """Take a licence for somebody who becomes active, and give it back when they no longer are."""
    licence = store.living(profile.get("UserLicenseId"))
    before, now = row is not None and bool(row.get("IsActive")), bool(values.get("IsActive"))
    if licence is None or before == now:
        return
    used = int(licence.get("UsedLicenses") or 0)
    if now and used >= int(licence.get("TotalLicenses") or 0):
        raise refusal("LICENSE_LIMIT_EXCEEDED", "license limit exceeded")
    store.merge(licence, UsedLicenses=used + (1 if now else -1))


def _count(store: Store, person: Row, by: int) -> None:
    profile = store.living(person.get("ProfileId"))
    licence = store.living(profile.get("UserLicenseId")) if profile is not None else None
    if licence is not None:
        store.merge(licence, UsedLicenses=int(licence.get("UsedLicenses") or 0) + by)


_RANKS = {"None": 0, "Read": 1, "Edit": 2, "All": 3}
_LEVELS = {
    "AccountAccessLevel": "DefaultAccountAccess",
    "CaseAccessLevel": "DefaultCaseAccess",
    "ContactAccessLevel": "DefaultContactAccess",
    "OpportunityAccessLevel": "DefaultOpportunityAccess",
}


def team_member(store: Store, kind: ObjectType, values: dict[str, Any]) -> None:
    """Name a member of a team; on an account's, check that they get more than everybody has."""
    if kind.name == "OpportunityTeamMember":
        member = store.living(values["UserId"])
        values["Name"] = member.get("Name") if member is not None else None
        return
    org = next(iter(store["Organization"].alive()))
    more = False
    for name, default in _LEVELS.items():
        level, least = _RANKS.get(str(values.get(name))), _RANKS.get(str(org.get(default)))
        if level is None or least is None:
            continue  # controlled by something else
        if level < least:
            message = f"{name} must not be less than the organization's default access"
            raise refusal("INVALID_ACCESS_LEVEL", message, name)
        more |= level > least
    if not more:
        message = "at least one access level must be more than the organization's default"
        raise refusal("INVALID_ACCESS_LEVEL", message)
