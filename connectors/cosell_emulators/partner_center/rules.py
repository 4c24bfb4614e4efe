"""What a referral must have, and which changes of it are legal.

Where Microsoft's pages leave the answer open, every refusal here is a 400 `invalidRequest`.
https://learn.microsoft.com/en-us/partner-center/developer/referral-resources
"""

from typing import Any

from cosell_emulators.partner_center import codes
from cosell_emulators.partner_center.problems import ReferralRefusal, invalid

Document = dict[str, Any]

NEXT = {
    "New": {"New", "Active", "Closed"},
    "Active": {"Active", "Closed"},
    "Closed": {"Closed"},
}
PAIRS = {
    "New": {"Pending", "Received"},
    "Active": {"Accepted"},
    "Closed": {"Won", "Lost", "Declined", "Expired"},
}
SHARING = "consentToShareReferralWithMicrosoftSellers"

_MOST = 50

# https://learn.microsoft.com/en-us/partner-center/developer/create-a-referral
_REQUIRED = (
    "type",
    "customerProfile",
    "customerProfile/name",
    "customerProfile/address",
    "customerProfile/address/country",
    "consent",
    "consent/consentToToShareInfoWithOthers",
    "consent/consentToContact",
    "details",
    "details/dealValue",
    "details/currency",
    "details/closingDateTime",
)
# https://learn.microsoft.com/en-us/partner-center/bulk-operations
_IMMUTABLE = (
    "customerProfile/name",
    "customerProfile/address",
    "customerProfile/ids",
    "consent/consentToToShareInfoWithOthers",
    "consent/consentToContact",
    "mpnId",
    "type",
    "engagementId",
)
_FROZEN_BY_CO_SELL = (
    "customerProfile/team",
    "inviteContext/assistanceRequestCode",
    "inviteContext/notes",
)


def at(document: Document, path: str) -> Any:
    """Look a path like details/dealValue up; nothing where it is not there."""
    value: Any = document
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def check_new(body: Document) -> None:
    """Refuse a body no referral can be made of."""
    for path in _REQUIRED:
        if at(body, path) in (None, ""):
            raise _missing(path)
    said = (body.get("status"), body.get("substatus"))
    # A deal in a file of many may be New and yet accepted: it is born so.
    if not {None, "None"} & {*said} and said != ("New", "Accepted"):
        check_pair(body)


def check_for_microsoft(body: Document) -> None:
    """Refuse a connected referral without what a co-sell needs besides.

    https://learn.microsoft.com/en-us/partner-center/developer/create-a-referral
    """
    if not body.get("engagementId"):
        raise _missing("engagementId")
    if body["type"] != "Shared":
        raise invalid("A referral for Microsoft is of type Shared.", target="type")
    if not at(body, "customerProfile/team"):
        raise _missing("customerProfile/team")


def check_content(document: Document) -> None:
    """Refuse a referral whose fields make no sense together, new or changed."""
    country = at(document, "customerProfile/address/country")
    if not isinstance(country, str) or country.upper() not in codes.COUNTRIES:
        raise _invalid("customerProfile/address/country", "a country code of two letters")
    currency = at(document, "details/currency")
    if currency not in codes.CURRENCIES:
        raise _invalid("details/currency", "an ISO 4217 currency code")
    value = at(document, "details/dealValue")
    if value is None or value < 0:
        raise _invalid("details/dealValue", "an amount of zero or more")
    if at(document, "details/closingDateTime") is None:
        raise _missing("details/closingDateTime")
    for path in ("team", "customerProfile/team", "details/requirements/solutions"):
        if len(at(document, path) or []) > _MOST:
            raise _invalid(path, f"a list of at most {_MOST}")
    _check_solutions(document)


def check_pair(document: Document) -> None:
    """Refuse a status and a substatus that do not go together."""
    status, substatus = document["status"], document["substatus"]
    if substatus not in PAIRS.get(status, set()):
        raise invalid(
            f"The substatus {substatus} does not go with the status {status}.",
            target="substatus",
            inner="InvalidStatusTransition",
        )


def check_open(before: Document) -> None:
    """Refuse any change of a closed referral.

    https://learn.microsoft.com/en-us/partner-center/manage-co-sell-opportunities
    """
    if before["status"] == "Closed":
        raise invalid("A closed referral cannot be changed.", inner="ReferralClosed")


def check_change(before: Document, after: Document, *, sent_for_co_sell: bool) -> None:
    """Refuse a change that the life of a referral does not allow."""
    check_open(before)
    if after["status"] not in NEXT.get(before["status"], set()):
        raise invalid(
            f"A referral does not go from {before['status']} to {after['status']}.",
            target="status",
            inner="InvalidStatusTransition",
        )
    check_pair(after)
    frozen = _IMMUTABLE + (_FROZEN_BY_CO_SELL if sent_for_co_sell else ())
    for path in frozen:
        if at(before, path) != at(after, path):
            raise invalid(f"{path} cannot be changed any more.", target=path, inner="ReadOnly")
    if at(before, f"consent/{SHARING}") and not at(after, f"consent/{SHARING}"):
        raise invalid(
            "A referral shared with Microsoft sellers stays shared.",
            target=f"consent/{SHARING}",
            inner="ReadOnly",
        )
    check_content(after)


def _check_solutions(document: Document) -> None:
    solutions = at(document, "details/requirements/solutions") or []
    if document["type"] == "Shared" and not solutions:
        raise invalid(
            "A shared referral needs at least one solution.",
            target="details/requirements/solutions",
            inner="MissingRequiredField",
        )
    for number, solution in enumerate(solutions):
        if not solution.get("id"):
            raise _missing(f"details/requirements/solutions/{number}/id")


def _missing(path: str) -> ReferralRefusal:
    return invalid(f"{path} is required.", target=path, inner="MissingRequiredField")


def _invalid(path: str, wanted: str) -> ReferralRefusal:
    return invalid(f"{path} must be {wanted}.", target=path, inner="InvalidValue")
