"""What Microsoft does: send a deal, answer ours, change it, let it lapse."""

import copy
import secrets
import string
import uuid
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from cosell_emulators import exact_json
from cosell_emulators.faults import BadControl
from cosell_emulators.partner_center import moments, rules
from cosell_emulators.partner_center.problems import ReferralRefusal
from cosell_emulators.partner_center.referrals import (
    DAYS_TO_ANSWER,
    MPN_ID,
    PARTNER,
    Announce,
    Referral,
    Referrals,
)
from cosell_emulators.partner_center.shapes import REFERRAL, Shape, Thing, bind, fill

Document = dict[str, Any]

# Who owns a referral and how it is stamped is nobody's wish.
_NOT_TO_WISH = {"organizationId", "organizationName", "links", "eTag", "updatedDateTime"}
_IDENTITY = {"id", "engagementId", "createdDateTime"}
_DAYS_TO_CLOSE = 60
_SELLER = {
    "firstName": "Ingrid",
    "lastName": "Haugland",
    "phoneNumber": "4255550143",
    "email": "ingrid.haugland@microsoft.example",
}


class Microsoft:
    """Acts as Microsoft; every act answers with the partner's referral."""

    def __init__(self, *, referrals: Referrals, announce: Announce) -> None:
        self._referrals = referrals
        self._announce = announce
        self._sent = 0

    def reset(self) -> None:
        """Count the deals sent from one again."""
        self._sent = 0

    def act(self, body: Mapping[str, Any]) -> Document:
        """Do what a control call asks for."""
        if unknown := sorted(set(body) - {"do", "id", "fields"}):
            raise BadControl(f'There is no {unknown[0]!r}; there are "do", "id" and "fields".')
        fields = _fields(body.get("fields"))
        try:
            if body.get("do") == "create":
                return self.create(fields).document
            return self._answer(body.get("do"), self._own(body.get("id")), fields).document
        except ReferralRefusal as refusal:
            raise BadControl(refusal.message) from refusal

    def create(self, fields: Document) -> Referral:
        """Send the partner a deal: a co-sell to answer within fourteen days, unless told else."""
        now = self._referrals.tick()
        self._sent += 1
        document = merge(REFERRAL, inbound(now, number=self._sent), fields)
        rules.check_content(document)
        _check_pair(document)
        if document["id"] in self._referrals:
            raise BadControl(f"There is a referral {document['id']} already.")
        document["createdDateTime"] = _stamp(document["createdDateTime"])
        document["updatedDateTime"] = document["createdDateTime"]
        referral = self._referrals.add(document)
        self._announce("referral-created", referral.id, now)
        return referral

    def _answer(self, act: Any, own: Referral, fields: Document) -> Referral:
        match act:
            case "accept":
                self._accept(own, fields)
            case "decline":
                changes = {"status": "Closed", "substatus": "Declined", **fields}
                self._change(self._pending(own), changes)
            case "update":
                self._change(own, fields)
                self._referrals.watch(own)
            case "expire":
                lapsing = own if own.document["status"] == "New" else self._pending(own)
                self._referrals.expire(lapsing)
            case _:
                raise BadControl('"do" is create, accept, decline, update or expire.')
        return own

    def _accept(self, own: Referral, fields: Document) -> None:
        theirs = self._pending(own)
        changes = {"status": "Active", "substatus": "Accepted", "team": [_SELLER], **fields}
        after = merge(REFERRAL, theirs.document, changes)
        tracking = after["trackingInfo"]
        tracking["microsoftMsxId"] = tracking["microsoftMsxId"] or _msx_id()
        _check_pair(after)
        self._referrals.write(theirs, after)
        seen = {"trackingInfo": {"microsoftMsxId": tracking["microsoftMsxId"]}}
        self._referrals.write(own, merge(REFERRAL, own.document, seen))

    def _change(self, referral: Referral, fields: Document) -> None:
        wished = {name: value for name, value in fields.items() if name not in _IDENTITY}
        after = merge(REFERRAL, referral.document, wished)
        if after["status"] not in rules.NEXT.get(referral.document["status"], set()):
            raise BadControl(
                f"A referral does not go from {referral.document['status']} to {after['status']}."
            )
        _check_pair(after)
        rules.check_content(after)
        self._referrals.write(referral, after)

    def _own(self, referral_id: Any) -> Referral:
        if not isinstance(referral_id, str):
            raise BadControl('The "id" of the partner\'s referral is missing.')
        try:
            named = self._referrals.get(referral_id)
        except ReferralRefusal as refusal:
            raise BadControl(f"There is no referral {referral_id}.") from refusal
        own = self._referrals.partners(named.engagement) if named.is_microsofts else named
        if own is None:
            raise BadControl(f"The partner has no referral in the engagement of {referral_id}.")
        return own

    def _pending(self, own: Referral) -> Referral:
        theirs = self._referrals.microsofts(own.engagement)
        if theirs is None:
            raise BadControl("The deal was not sent to Microsoft: it has no referral of its own.")
        if theirs.document["status"] != "New":
            state = f"{theirs.document['status']}/{theirs.document['substatus']}"
            raise BadControl(f"Microsoft has answered already: its referral is {state}.")
        return theirs


def inbound(now: int, *, number: int) -> Document:
    """Make a deal as Microsoft sends it: shared, new, complete, to answer within fourteen days."""
    document: Document = fill(REFERRAL, exact_json.loads(_template()))
    moment = moments.write(now)
    document |= {
        **PARTNER,
        "id": str(uuid.uuid4()),
        "engagementId": str(uuid.uuid4()),
        "name": f"{document['name']} {number}",
        "createdDateTime": moment,
        "updatedDateTime": moment,
        "expirationDateTime": moments.write(now + DAYS_TO_ANSWER * moments.DAY),
        "mpnId": MPN_ID,
    }
    midnight = (now // moments.DAY + _DAYS_TO_CLOSE) * moments.DAY
    document["details"]["closingDateTime"] = moments.write_short(midnight)
    document["inviteContext"]["invitedMpnId"] = MPN_ID
    return document


@cache
def _template() -> str:
    return resources.files(__package__).joinpath("fixtures", "inbound.json").read_text("utf-8")


def merge(shape: Shape, target: Any, fields: Any) -> Any:
    """Merge fields into a copy of a document, as a JSON merge patch; null means the default."""
    if not isinstance(shape, Thing) or not isinstance(fields, dict):
        return fill(shape, fields)
    merged = copy.deepcopy(target) if isinstance(target, dict) else fill(shape, None)
    for name, value in fields.items():
        merged[name] = merge(shape.fields[name], merged.get(name), value)
    return merged


def _fields(value: Any) -> Document:
    try:
        bound = bind(REFERRAL, value if value is not None else {})
    except ReferralRefusal as refusal:
        raise BadControl(refusal.message) from refusal
    return {name: given for name, given in bound.items() if name not in _NOT_TO_WISH}


def _check_pair(document: Document) -> None:
    # The portal closes deals as erroneous; the API's own table does not know the substatus.
    # https://learn.microsoft.com/en-us/partner-center/manage-co-sell-opportunities
    if (document["status"], document["substatus"]) != ("Closed", "Error"):
        rules.check_pair(document)


def _stamp(moment: str) -> str:
    """A stamp of the service has its seven digits also on the full second."""
    return moment if "." in moment else moments.write(moments.read(moment))


def _msx_id() -> str:
    letters = string.ascii_uppercase + string.digits
    return f"7-{''.join(secrets.choice(letters) for _ in range(10))}"
