"""The shape of a referral: bind what a client sends, whatever its case, and fill what it left."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, assert_never

from cosell_emulators.partner_center import codes, moments
from cosell_emulators.partner_center.problems import ReferralRefusal, invalid

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# What a .NET decimal holds.
_DIGITS = 28


@dataclass(frozen=True, slots=True)
class Text:
    """Any text; the service reads a number as its text, as its JSON reader does."""

    default: str | None = None


@dataclass(frozen=True, slots=True)
class Guid:
    """An identifier of 36 characters."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes, no, or nothing."""

    default: bool | None = False


@dataclass(frozen=True, slots=True)
class Amount:
    """A decimal, kept digit by digit; a text of digits is read as well."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time in UTC."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a closed list, in any case."""

    values: tuple[str, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """A list of things of one shape."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class Thing:
    """An object; *rare* names the fields that are shown only when given."""

    fields: Mapping[str, "Shape"]
    rare: frozenset[str] = frozenset()


Shape = Text | Guid | Flag | Amount | Moment | Choice | Many | Thing


def is_guid(text: object) -> bool:
    """Say whether something is written like an identifier."""
    return isinstance(text, str) and _GUID.fullmatch(text) is not None


def bind(shape: Shape, value: Any, at: str = "") -> Any:
    """Read what was sent as a shape: names in our spelling, values of our types.

    The documented request mixes ConsentToContact with consentToShareReferral… in one object, so
    names bind in any case; a name nobody knows is passed over.
    https://learn.microsoft.com/en-us/partner-center/developer/create-a-referral
    """
    bound: Any = None
    if value is None:
        return bound
    match shape:
        case Text():
            bound = _text(value, at)
        case Guid():
            bound = _guid(value, at)
        case Flag():
            bound = _flag(value, at)
        case Amount():
            bound = _amount(value, at)
        case Moment():
            bound = _moment(value, at)
        case Choice():
            bound = _choice(shape, value, at)
        case Many():
            bound = _many(shape, value, at)
        case Thing():
            bound = _thing(shape, value, at)
        case unknown:
            assert_never(unknown)
    return bound


def fill(shape: Shape, value: Any) -> Any:
    """Complete a bound value with the defaults the service shows, in the order it shows them."""
    match shape:
        case Thing():
            given = value or {}
            return {
                name: fill(inner, given.get(name))
                for name, inner in shape.fields.items()
                if name not in shape.rare or given.get(name) is not None
            }
        case Many():
            return [fill(shape.item, item) for item in value or []]
        case Text() | Flag() | Choice():
            return shape.default if value is None else value
        case Guid() | Amount() | Moment():
            return value
        case unknown:
            assert_never(unknown)


def _wrong(at: str, wanted: str) -> ReferralRefusal:
    return invalid(f"The value of {at!r} must be {wanted}.", target=at, inner="InvalidValue")


def _text(value: Any, at: str) -> str:
    if isinstance(value, bool | list | dict):
        raise _wrong(at, "text")
    return str(value)


def _guid(value: Any, at: str) -> str:
    if not is_guid(value):
        raise _wrong(at, "a GUID")
    return str(value).lower()


def _flag(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(at, "true or false")
    return value


def _amount(value: Any, at: str) -> Decimal | int:
    if isinstance(value, bool | list | dict):
        raise _wrong(at, "a number")
    try:
        amount = Decimal(value) if isinstance(value, str) else value
        number = Decimal(amount)
    except InvalidOperation as error:
        raise _wrong(at, "a number") from error
    digits = number.as_tuple()
    if not isinstance(digits.exponent, int):
        raise _wrong(at, "a number")
    if len(digits.digits) + max(digits.exponent, 0) > _DIGITS or digits.exponent < -_DIGITS:
        raise _wrong(at, f"a number of at most {_DIGITS} digits")
    return int(number) if digits.exponent >= 0 else number


def _moment(value: Any, at: str) -> str:
    try:
        return moments.write_short(moments.read(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(at, "a date and time like 2026-03-31T00:00:00Z") from error


def _choice(shape: Choice, value: Any, at: str) -> str:
    if isinstance(value, str):
        for known in shape.values:
            if known.lower() == value.lower():
                return known
    raise _wrong(at, f"one of {', '.join(filter(None, shape.values))}")


def _many(shape: Many, value: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(at, "a list")
    bound = [bind(shape.item, item, f"{at}/{number}") for number, item in enumerate(value)]
    if None in bound:
        raise _wrong(at, "a list without null in it")
    return bound


def _thing(shape: Thing, value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(at or "body", "an object")
    spelling = {name.lower(): name for name in shape.fields}
    return {
        (name := spelling[key.lower()]): bind(shape.fields[name], inner, f"{at}/{name}".strip("/"))
        for key, inner in value.items()
        if key.lower() in spelling
    }


_ORGANISATION = Thing({"organizationId": Text(), "organizationName": Text()})
_NAMED = Many(Thing({"id": Text()}))
_LINK = Thing({"uri": Text(), "method": Text()})

MEMBER = Thing(
    {
        "firstName": Text(),
        "lastName": Text(),
        "phoneNumber": Text(),
        "email": Text(),
        "title": Text(),
        "contactPreference": Thing({"locale": Text(), "disableNotifications": Flag(None)}),
    }
)
SOLUTION = Thing(
    {
        "id": Text(),
        "name": Text(),
        "type": Choice(codes.SOLUTION_TYPES, "None"),
        "price": Amount(),
        "quantity": Amount(),
        "currency": Text(),
        "publisherName": Text(),
        "solutionType": Text(),
        "closingDateTime": Moment(),
    }
)
_IOT = Thing(
    {
        "customerLicenseAgreementNumber": Text(),
        "deviceCategory": Text(),
        "siliconType": Text(),
        "azureCertifiedDevice": Flag(),
        "attachServices": Flag(),
    }
)
REQUIREMENTS = Thing(
    {
        "industries": _NAMED,
        "products": _NAMED,
        "services": _NAMED,
        "solutions": Many(SOLUTION),
        "offers": _NAMED,
        "salesPlays": _NAMED,
        "additionalRequirements": Thing(
            {"iot": _IOT, "attributes": Many(Thing({"id": Text(), "type": Text()}))},
            rare=frozenset({"attributes"}),
        ),
    }
)
REGISTRATION = Thing(
    {
        "id": Guid(),
        "type": Choice(("AzureIPCoSell",)),
        "registrationDateTime": Moment(),
        "status": Text(),
        "statusReason": Text(),
        "contract": Thing(
            {
                "value": Amount(),
                "currency": Text(),
                "startDateTime": Moment(),
                "endDateTime": Moment(),
                "signDateTime": Moment(),
                "term": Choice(("Perpetual", "Finite")),
            }
        ),
        "solutionDetails": Many(
            Thing(
                {
                    "id": Text(),
                    "name": Text(),
                    "value": Amount(),
                    "currency": Text(),
                    "isDeployedOnAzure": Flag(),
                    "primaryDeploymentOn": Choice(("Customer", "Partner")),
                    "pricingModel": Choice(("PayAsYouGo", "Other")),
                    "marketplaceTransactionDetails": Thing(
                        {
                            "isMarketplaceTransacted": Flag(),
                            "marketplaceTransactionDateTime": Moment(),
                        }
                    ),
                }
            )
        ),
    }
)

# The fields and their order as observed in answers of the service.
REFERRAL = Thing(
    {
        "id": Guid(),
        "engagementId": Guid(),
        "name": Text(),
        "organizationId": Guid(),
        "organizationName": Text(),
        "lastModifiedVia": Text(),
        "lastRunId": Text(),
        "externalReferenceId": Text(),
        "createdDateTime": Moment(),
        "updatedDateTime": Moment(),
        "expirationDateTime": Moment(),
        "status": Choice(codes.STATUSES),
        "substatus": Choice((*codes.SUBSTATUSES, "Error")),
        "statusReason": Text(),
        "qualification": Choice(codes.QUALIFICATIONS, "None"),
        "type": Choice(codes.TYPES),
        "referralSource": Text(),
        "eTag": Text(),
        "favorite": Flag(),
        "campaignId": Text(),
        "salesStage": Text(),
        "quality": Text("Unknown"),
        "isSpam": Flag(),
        "direction": Choice(("Incoming", "Outgoing"), "Incoming"),
        "mpnId": Text(),
        "referralProgram": Text(),
        "dealSensitivity": Text("None"),
        "createdVia": Text(),
        "tags": Many(Text()),
        "acceptedDateTime": Moment(),
        "closedDateTime": Moment(),
        "callToAction": Text(),
        "registrationStatus": Text("None"),
        "target": Many(Thing({"type": Choice(codes.TARGETS, "None"), "id": Text()})),
        "customerProfile": Thing(
            {
                "name": Text(),
                "size": Choice(codes.SIZES),
                "isMatchingComplete": Flag(),
                "address": Thing(
                    {
                        "addressLine1": Text(),
                        "addressLine2": Text(),
                        "city": Text(),
                        "state": Text(),
                        "postalCode": Text(),
                        "country": Text(),
                        "region": Text(),
                    }
                ),
                "team": Many(MEMBER),
                "ids": Many(Thing({"profileType": Choice(codes.PROFILES), "id": Text()})),
            }
        ),
        "consent": Thing(
            {
                "consentToToShareInfoWithOthers": Flag(),
                "consentToContact": Flag(),
                "consentToShareReferralWithMicrosoftSellers": Flag(),
                "consentToMicrosoftToContactSpecificPartners": Flag(),
            },
            rare=frozenset({"consentToMicrosoftToContactSpecificPartners"}),
        ),
        "details": Thing(
            {
                "notes": Text(),
                "dealValue": Amount(),
                "currency": Text(),
                "closingDateTime": Moment(),
                "customerRequestedContact": Flag(None),
                "customerAction": Text(),
                "incentiveLevel": Text(),
                "requirements": REQUIREMENTS,
            }
        ),
        "team": Many(MEMBER),
        "inviteContext": Thing(
            {
                "notes": Text(),
                "assistanceRequestCode": Choice(codes.HELP, "Unknown"),
                "invitedMpnId": Text(),
                "invitedBy": _ORGANISATION,
            }
        ),
        "links": Thing({"relatedReferrals": _LINK, "self": _LINK}),
        "trackingInfo": Thing(
            {
                "microsoftMsxId": Text(),
                "microsoftUSFedOpportunityId": Text(),
                "microsoftUSFedLeadId": Text(),
                "migratedPSCDealId": Text(),
                "migratedPSCPartnerDealId": Text(),
            }
        ),
        "registrations": Many(REGISTRATION),
    }
)
