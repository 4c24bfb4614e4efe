"""Names, leads that are done, partner accounts and the users who log in from them."""

import re
from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce.problems import refusal
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
    """Check that an account may become a partner's."""
    if row is None or not values.get("IsPartner") or row.get("IsPartner"):
        return
    owner = store.living(values["OwnerId"])
    if owner is not None and owner.get("UserType") == "PowerPartner":
        raise refusal("UNKNOWN_EXCEPTION", "portal users cannot own partner accounts")
    if owner is not None and owner.get("UserRoleId") is None:
        raise refusal("UNKNOWN_EXCEPTION", "portal account owner must have a role")


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
    licence = store.living(profile.get("UserLicenseId"))
    active_before = row is not None and row.get("IsActive")
    if licence is None or not values.get("IsActive") or active_before:
        return
    used = int(licence.get("UsedLicenses") or 0) + 1
    if used > int(licence.get("TotalLicenses") or 0):
        raise refusal("LICENSE_LIMIT_EXCEEDED", "license limit exceeded")
    store.merge(licence, UsedLicenses=used)
