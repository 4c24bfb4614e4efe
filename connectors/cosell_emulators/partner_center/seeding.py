"""The demo's referrals: three with the shapes observed in the wild, the others as a year brings."""

import copy
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from cosell_emulators import exact_json
from cosell_emulators.partner_center import moments
from cosell_emulators.partner_center.microsoft import inbound, merge
from cosell_emulators.partner_center.referrals import MICROSOFT, PARTNER, Referrals
from cosell_emulators.partner_center.shapes import REFERRAL

Document = dict[str, Any]

_OBSERVED = (
    "observed-independent-active.json",
    "observed-shared-closed-won.json",
    "observed-shared-active-duns.json",
)
# Identifiers of seeds come from their names, so that every demo has the same.
_SEEDS = uuid.UUID("0b2f6c1e-4d57-4a8b-9f3e-61c8d05a7e94")
_HOUR = 3600 * moments.SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One seed: what differs from a deal as Microsoft sends it, and how long ago it began."""

    days: int
    closes_in: int
    fields: Document
    microsoft: Document | None = None


def plant(referrals: Referrals) -> None:
    """Plant the demo's referrals, oldest first, as seen from the emulated now."""
    for name in _OBSERVED:
        text = resources.files(__package__).joinpath("fixtures", name).read_text("utf-8")
        referrals.add(exact_json.loads(text))
    now = referrals.tick()
    for document in _documents(now):
        referrals.add(document)


def _documents(now: int) -> Iterator[Document]:
    text = resources.files(__package__).joinpath("fixtures", "deals.json").read_text("utf-8")
    deals = [Deal(**deal) for deal in exact_json.loads(text)]
    for number, deal in enumerate(sorted(deals, key=lambda one: -one.days), start=1):
        own = _own(deal, now, number)
        yield own
        if deal.microsoft is not None:
            yield _microsofts(own, deal.microsoft)


def _own(deal: Deal, now: int, number: int) -> Document:
    # Some hours apart, and never in the future.
    began = now - deal.days * moments.DAY - number * 37 * 60 * moments.SECOND
    document = merge(REFERRAL, inbound(began, number=number), deal.fields)
    midnight = (now // moments.DAY + deal.closes_in) * moments.DAY
    document["details"]["closingDateTime"] = moments.write_short(midnight)
    document["id"] = str(uuid.uuid5(_SEEDS, f"referral {document['name']}"))
    document["engagementId"] = str(uuid.uuid5(_SEEDS, f"engagement {document['name']}"))
    if document["status"] != "New":
        document["acceptedDateTime"] = moments.write(began)
        document["updatedDateTime"] = moments.write(began + 5 * _HOUR)
    if document["substatus"] == "Expired":
        document["updatedDateTime"] = document["expirationDateTime"]
    if document["substatus"] in ("Declined", "Expired"):
        document["acceptedDateTime"] = None
    if document["status"] == "Closed":
        document["closedDateTime"] = document["updatedDateTime"]
    return _untold(document)


def _untold(document: Document) -> Document:
    """A deal the partner began itself lapses for nobody, and was invited by nobody else."""
    if document["inviteContext"]["invitedBy"]["organizationId"] != "msft":
        document["expirationDateTime"] = None
        document["inviteContext"]["invitedBy"] = dict(PARTNER)
    return document


def _microsofts(own: Document, fields: Document) -> Document:
    """Microsoft's referral beside a deal of the partner's, an hour younger."""
    began = moments.read(own["createdDateTime"]) + _HOUR
    moment = moments.write(began)
    basis = {
        **copy.deepcopy(own),
        **MICROSOFT,
        "id": str(uuid.uuid5(_SEEDS, f"microsoft {own['name']}")),
        "externalReferenceId": None,
        "createdDateTime": moment,
        "updatedDateTime": moment,
        "expirationDateTime": moments.write(began + 14 * moments.DAY),
        "acceptedDateTime": None,
        "closedDateTime": None,
        "status": "New",
        "substatus": "Pending",
        "direction": "Outgoing",
        "mpnId": None,
        "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
        "eTag": None,
    }
    document: Document = merge(REFERRAL, basis, fields)
    answered = moments.write(began + 2 * _HOUR)
    dated = {"Active": "acceptedDateTime", "Closed": "closedDateTime"}.get(document["status"])
    if dated is not None:
        document[dated] = document["updatedDateTime"] = answered
    return document
