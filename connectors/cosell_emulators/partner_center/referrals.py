"""The referrals themselves: kept, made, changed, and let lapse after fourteen days."""

import heapq
import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cosell_emulators.clock import Clock
from cosell_emulators.partner_center import moments, patching, rules
from cosell_emulators.partner_center.patching import Change
from cosell_emulators.partner_center.problems import ReferralRefusal, invalid, not_found
from cosell_emulators.partner_center.shapes import REFERRAL, bind, fill

Document = dict[str, Any]
Announce = Callable[[str, str, int], None]

PARTNER = {
    "organizationId": "5c1f0a7e-9d24-4b86-a3c5-2e7f41d08b93",
    "organizationName": "Alpine Ski House Consulting",
}
MPN_ID = "6402817"
# Written out, the first eight digits read "msft".
MICROSOFT = {
    "organizationId": "6d736674-0000-4000-8000-000000000001",
    "organizationName": "Microsoft",
}
DAYS_TO_ANSWER = 14

# What only the service sets; a client may send it, and it is passed over.
_SERVERS_OWN = {
    "id",
    "organizationId",
    "organizationName",
    "lastModifiedVia",
    "lastRunId",
    "createdDateTime",
    "updatedDateTime",
    "expirationDateTime",
    "status",
    "substatus",
    "eTag",
    "quality",
    "isSpam",
    "direction",
    "dealSensitivity",
    "createdVia",
    "tags",
    "acceptedDateTime",
    "closedDateTime",
    "callToAction",
    "referralSource",
    "registrationStatus",
    "links",
    "trackingInfo",
    "registrations",
}
_SERVERS_OWN_INSIDE = {
    "customerProfile": {"isMatchingComplete"},
    "details": {"customerRequestedContact", "customerAction", "incentiveLevel"},
}


@dataclass(slots=True, eq=False)
class Referral:
    """One referral as it is now."""

    document: Document
    number: int

    @property
    def id(self) -> str:
        """Give its identifier."""
        return str(self.document["id"])

    @property
    def engagement(self) -> str:
        """Give the identifier all referrals of its engagement share."""
        return str(self.document["engagementId"])

    @property
    def is_microsofts(self) -> bool:
        """Say whether Microsoft owns it."""
        return bool(self.document["organizationId"] == MICROSOFT["organizationId"])


class Referrals:
    """Every referral the partner may see: its own, and Microsoft's of the same engagements."""

    def __init__(self, *, base_url: Callable[[], str], clock: Clock, announce: Announce) -> None:
        self._base_url = base_url
        self._clock = clock
        self._announce = announce
        self._all: dict[str, Referral] = {}
        self._engagements: dict[str, list[Referral]] = defaultdict(list)
        self._lapsing: list[tuple[int, str]] = []
        self._last_tick = 0
        self._writes = secrets.randbits(16)

    def __iter__(self) -> Iterator[Referral]:
        return iter(self._all.values())

    def __contains__(self, referral_id: str) -> bool:
        return referral_id in self._all

    def clear(self) -> None:
        """Forget every referral."""
        self._all.clear()
        self._engagements.clear()
        self._lapsing.clear()

    def get(self, referral_id: str) -> Referral:
        """Find a referral by its identifier."""
        found = self._all.get(referral_id.lower())
        if found is None:
            raise not_found()
        return found

    def engaged(self, engagement_id: str) -> list[Referral]:
        """Find the referrals of one engagement, oldest first."""
        return list(self._engagements.get(engagement_id.lower(), ()))

    def partners(self, engagement_id: str) -> Referral | None:
        """Find the partner's own referral of an engagement."""
        return next((one for one in self.engaged(engagement_id) if not one.is_microsofts), None)

    def microsofts(self, engagement_id: str) -> Referral | None:
        """Find Microsoft's referral of an engagement, the newest if there are several."""
        found = [one for one in self.engaged(engagement_id) if one.is_microsofts]
        return found[-1] if found else None

    def tick(self) -> int:
        """Tell the emulated time; two writes at the same moment get two different ticks."""
        now = moments.ticks_of(self._clock.now())
        if self._last_tick - moments.SECOND < now <= self._last_tick:
            now = self._last_tick + 1
        self._last_tick = now
        return now

    def add(self, document: Document) -> Referral:
        """Keep a referral that is complete but for its links and its eTag."""
        document["links"] = self._links(document["id"], document["engagementId"])
        document["eTag"] = document["eTag"] or self._etag(moments.read(document["updatedDateTime"]))
        referral = Referral(document, len(self._all))
        self._all[referral.id] = referral
        self._engagements[referral.engagement].append(referral)
        if document["status"] == "New" and document["expirationDateTime"]:
            lapse = moments.read(document["expirationDateTime"])
            heapq.heappush(self._lapsing, (lapse, referral.id))
        return referral

    def create(self, body: Any) -> Referral:
        """Make the referral a client asks for; asked twice, make two."""
        bound = bind(REFERRAL, body)
        if bound is None:
            raise invalid("The body must be an object.", target="body")
        rules.check_new(bound)
        given = {name: value for name, value in bound.items() if name not in _SERVERS_OWN}
        for name, own in _SERVERS_OWN_INSIDE.items():
            given[name] = {key: value for key, value in given[name].items() if key not in own}
        if _is_for_microsoft(given):
            return self._connect(given)
        engagement = given.get("engagementId")
        if engagement and not self.engaged(engagement):
            raise _no_engagement()
        referral = self._make(given, PARTNER, self.tick())
        self._announce("referral-created", referral.id, self._last_tick)
        return referral

    def patch(self, referral: Referral, changes: list[Change]) -> None:
        """Change a referral by a patch, wholly or not at all."""
        after = patching.apply(referral.document, changes)
        if patching.is_registration(changes):
            self._register(after)
        else:
            self._check(referral, after)
        self.write(referral, after)

    def replace(self, referral: Referral, body: Any) -> None:
        """Change a referral by its deprecated PUT: what is not sent falls back to its default.

        https://learn.microsoft.com/en-us/partner/develop/update-a-referral
        """
        bound = bind(REFERRAL, body)
        if bound is None:
            raise invalid("The body must be an object.", target="body")
        if "links" in bound:
            raise invalid("links are not part of an update.", target="links")
        if bound.get("id", referral.id) != referral.id:
            raise invalid("The id is another than the address names.", target="id")
        rules.check_new(bound)
        keeping = (_SERVERS_OWN - {"status", "substatus"}) | {"inviteContext"}
        kept = {name: referral.document[name] for name in keeping}
        asked = {name: value for name, value in bound.items() if name not in keeping}
        lasting = {name: referral.document[name] for name in ("engagementId", "mpnId", "target")}
        after = fill(REFERRAL, {**lasting, **asked, **kept})
        for name, own in _SERVERS_OWN_INSIDE.items():
            after[name] |= {key: referral.document[name][key] for key in own}
        after["status"] = after["status"] or referral.document["status"]
        after["substatus"] = after["substatus"] or referral.document["substatus"]
        self._check(referral, after)
        self.write(referral, after)

    def write(self, referral: Referral, after: Document) -> None:
        """Let a change happen: stamp it, date what it brought about, tell the world."""
        now = self.tick()
        before = referral.document["status"]
        if after["status"] != before:
            field = {"Active": "acceptedDateTime", "Closed": "closedDateTime"}.get(after["status"])
            if field is not None:
                after[field] = moments.write(now)
        after["updatedDateTime"] = moments.write(now)
        after["eTag"] = self._etag(now)
        referral.document = after
        related = "related-" if referral.is_microsofts else ""
        self._announce(f"{related}referral-updated", referral.id, now)

    def lapse(self) -> None:
        """Close as expired what nobody answered in fourteen days.

        https://learn.microsoft.com/en-us/partner-center/manage-co-sell-opportunities
        """
        now = moments.ticks_of(self._clock.now())
        while self._lapsing and self._lapsing[0][0] <= now:
            due, referral_id = heapq.heappop(self._lapsing)
            referral = self._all[referral_id]
            written = referral.document["expirationDateTime"]
            still_due = written is not None and moments.read(written) == due
            if referral.document["status"] == "New" and still_due:
                self.expire(referral)

    def expire(self, referral: Referral) -> None:
        """Close one referral as expired."""
        closed = {"status": "Closed", "substatus": "Expired"}
        self.write(referral, {**referral.document, **closed})

    def watch(self, referral: Referral) -> None:
        """Expect a new referral to lapse when its document says, after somebody moved that."""
        written = referral.document["expirationDateTime"]
        if referral.document["status"] == "New" and written:
            heapq.heappush(self._lapsing, (moments.read(written), referral.id))

    def _check(self, referral: Referral, after: Document) -> None:
        submitted = self.microsofts(referral.engagement) is not None
        rules.check_change(referral.document, after, sent_for_co_sell=submitted)

    def _connect(self, given: Document) -> Referral:
        """Make Microsoft's referral beside the partner's: that is what submits a co-sell."""
        rules.check_for_microsoft(given)
        own = self.partners(given["engagementId"])
        if own is None:
            raise _no_engagement()
        rules.check_open(own.document)
        referral = self._make(given, MICROSOFT, self.tick())
        self._announce("related-referral-created", referral.id, self._last_tick)
        self._share(own, referral)
        return referral

    def _share(self, own: Referral, microsofts: Referral) -> None:
        """Make the partner's referral the co-sell it has become.

        Help asked for means visible at once; the kind follows.
        https://learn.microsoft.com/en-us/partner-center/manage-co-sell-opportunities
        """
        document = own.document
        invite, consent = document["inviteContext"], document["consent"]
        wanted = microsofts.document["inviteContext"]["assistanceRequestCode"]
        help_code = invite["assistanceRequestCode"]
        after = {
            **document,
            "type": "Shared",
            "consent": {**consent, rules.SHARING: True},
            "inviteContext": {
                **invite,
                "assistanceRequestCode": wanted if help_code == "Unknown" else help_code,
            },
        }
        if after != document:
            self.write(own, after)

    def _make(self, given: Document, owner: Document, now: int) -> Referral:
        for_microsoft = owner is MICROSOFT
        document: Document = fill(REFERRAL, given)
        rules.check_content(document)
        moment = moments.write(now)
        document |= owner
        document |= {
            "id": str(uuid.uuid4()),
            "engagementId": document["engagementId"] or str(uuid.uuid4()),
            "createdDateTime": moment,
            "updatedDateTime": moment,
            # Even where the request says New and Pending: the documented answer does so too.
            # https://learn.microsoft.com/en-us/partner-center/developer/create-a-referral
            "status": "New" if for_microsoft else "Active",
            "substatus": "Pending" if for_microsoft else "Accepted",
            "acceptedDateTime": None if for_microsoft else moment,
            # The partner's own deals read Incoming in observed answers; Outgoing is what it sent.
            "direction": "Outgoing" if for_microsoft else "Incoming",
        }
        if for_microsoft:
            lapse = now + DAYS_TO_ANSWER * moments.DAY
            document["expirationDateTime"] = moments.write(lapse)
        else:
            document["mpnId"] = document["mpnId"] or MPN_ID
        invite = document["inviteContext"]
        invite["invitedMpnId"] = MPN_ID
        if not invite["invitedBy"]["organizationId"]:
            invite["invitedBy"] = dict(PARTNER)
        return self.add(document)

    def _register(self, after: Document) -> None:
        """Ask for the registration of a deal; a won one may be registered too.

        https://learn.microsoft.com/en-us/partner-center/co-sell-requirements
        """
        for registration in after["registrations"]:
            if registration["id"] is None:
                registration["id"] = str(uuid.uuid4())
                registration["registrationDateTime"] = moments.write(self.tick())
                registration["status"] = "ReviewPending"
        after["registrationStatus"] = "ReviewPending"

    def _etag(self, ticks: int) -> str:
        """Make an eTag as observed: quotes inside, the second of the write in hexadecimal."""
        self._writes += 1
        return f'"{self._writes:08x}-0000-0100-0000-{ticks // moments.SECOND:08x}0000"'

    def _links(self, referral_id: str, engagement_id: str) -> Document:
        # Observed links leave the identifier unquoted, unlike the filters the documents print.
        root = f"{self._base_url()}/v1.0/engagements/referrals"
        return {
            "relatedReferrals": {
                "uri": f"{root}?$filter=engagementId eq {engagement_id}",
                "method": "GET",
            },
            "self": {"uri": f"{root}/{referral_id}", "method": "GET"},
        }


def _is_for_microsoft(given: Document) -> bool:
    return any((target.get("id") or "").lower() == "msft" for target in given.get("target") or ())


def _no_engagement() -> ReferralRefusal:
    return invalid("There is no such engagement.", target="engagementId", inner="InvalidValue")
