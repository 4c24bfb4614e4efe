"""The mails the org would send; nobody sends them, tests read them."""

from collections.abc import Iterator
from typing import Any

from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.store import Row


def new_owner(org: Org, row: Row) -> None:
    """Tell an owner that a row is theirs now.

    Only SOAP and Apex can ask for this; REST never sends it.
    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_header_emailheader.htm
    """
    owner = org.store.living(row.get("OwnerId"))
    for address in _addresses(org, owner) if owner is not None else ():
        _send(org, address, f"{row.type.label} transferred to you.", "owner", row)


def welcome(org: Org, row: Row) -> None:
    """Tell a new user how to log in."""
    _send(org, str(row.get("Email")), "Welcome to Salesforce: Verify your account", "welcome", row)


def password_reset(org: Org, row: Row) -> None:
    """Tell a user how to choose a new password."""
    _send(org, str(row.get("Email")), "Finish resetting your Salesforce password", "reset", row)


def _addresses(org: Org, owner: Row) -> Iterator[str]:
    if owner.type.name == "User":
        yield str(owner.get("Email"))
        return
    if owner.get("Email"):
        yield str(owner.get("Email"))
    if owner.get("Email") and not owner.get("DoesSendEmailToMembers"):
        return
    # A queue without an address of its own writes to its members.
    for member in org.store["GroupMember"].having("GroupId", owner.id):
        user = org.store.living(member.get("UserOrGroupId"))
        if user is not None and user.type.name == "User":
            yield str(user.get("Email"))


def _send(org: Org, to: str, subject: str, kind: str, row: Row) -> None:
    mail: dict[str, Any] = {
        "at": org.now().isoformat().replace("+00:00", "Z"),
        "to": to,
        "subject": subject,
        "kind": kind,
        "object": row.type.name,
        "id": row.id,
    }
    org.mails.append(mail)
