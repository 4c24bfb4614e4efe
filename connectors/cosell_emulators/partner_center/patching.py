"""JSON Patch as the Referrals API takes it: replace and add, on the documented paths only.

https://learn.microsoft.com/en-us/partner-center/developer/patch-a-referral
"""

import copy
from dataclasses import dataclass
from typing import Any

from cosell_emulators.partner_center.problems import invalid
from cosell_emulators.partner_center.shapes import (
    REFERRAL,
    REGISTRATION,
    Many,
    Shape,
    Thing,
    bind,
    fill,
)

Document = dict[str, Any]

_PATHS = (
    "/campaignId",
    "/consent/consentToShareReferralWithMicrosoftSellers",
    "/customerProfile/team",
    "/details/closingDateTime",
    "/details/currency",
    "/details/dealValue",
    "/details/notes",
    "/details/requirements/solutions",
    "/externalReferenceId",
    "/referralProgram",
    "/salesStage",
    "/status",
    "/substatus",
    "/statusReason",
    "/team",
)
_REGISTRATION_PATHS = (
    "/contract/startDateTime",
    "/contract/endDateTime",
    "/contract/signDateTime",
    "/contract/term",
    "/contract/value",
    "/solutionDetails/0/value",
    "/solutionDetails/0/currency",
    "/solutionDetails/0/isDeployedOnAzure",
    "/solutionDetails/0/primaryDeploymentOn",
    "/solutionDetails/0/pricingModel",
    "/solutionDetails/0/marketplaceTransactionDetails/isMarketplaceTransacted",
    "/solutionDetails/0/marketplaceTransactionDetails/marketplaceTransactionDateTime",
)
_NOT_EMPTY = {
    "/consent/consentToShareReferralWithMicrosoftSellers",
    "/customerProfile/team",
    "/details/closingDateTime",
    "/details/currency",
    "/details/dealValue",
    "/details/requirements/solutions",
    "/status",
    "/substatus",
    "/team",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A path that may be patched: where it leads and what may stand there."""

    path: str
    keys: tuple[str | int, ...]
    shape: Shape
    appends: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of a patch, read and found sound."""

    place: Place
    value: Any


def read(body: Any) -> list[Change]:
    """Read a patch; refuse the whole of it for one unsound operation."""
    if not isinstance(body, list) or not body:
        raise invalid("The body must be a list of operations.", target="body")
    return [_change(operation, number) for number, operation in enumerate(body)]


def is_registration(changes: list[Change]) -> bool:
    """Say whether a patch is about deal registrations and nothing else."""
    return all(change.place.keys[0] == "registrations" for change in changes)


def apply(document: Document, changes: list[Change]) -> Document:
    """Give a changed copy; the document itself stays as it is, so a refusal leaves no trace."""
    changed = copy.deepcopy(document)
    for change in changes:
        *way, last = change.place.keys
        parent: Any = changed
        for key in way:
            parent = _step(parent, key, change.place.path)
        if change.place.appends:
            _step(parent, last, change.place.path).append(change.value)
        else:
            parent[last] = change.value
    return changed


def _step(parent: Any, key: str | int, path: str) -> Any:
    try:
        return parent[key]
    except IndexError as error:
        raise invalid(f"There is nothing at {path}.", target=path, inner="InvalidPath") from error


def _change(operation: Any, number: int) -> Change:
    if not isinstance(operation, dict):
        raise invalid(f"Operation {number} must be an object.", target="body")
    given = {key.lower(): value for key, value in operation.items()}
    op, path = given.get("op"), given.get("path")
    if not isinstance(op, str) or op.lower() not in ("add", "replace"):
        raise invalid(f"The operation {op!r} is not supported.", target="op", inner="InvalidPatch")
    place = PLACES.get(path.lower()) if isinstance(path, str) else None
    if place is None or (place.appends and op.lower() == "replace"):
        raise invalid(f"The path {path!r} cannot be patched.", target="path", inner="InvalidPath")
    if "value" not in given:
        raise invalid(f"Operation {number} has no value.", target="value", inner="InvalidPatch")
    value = bind(place.shape, given["value"], place.path.strip("/"))
    if value is None and (place.appends or place.path in _NOT_EMPTY):
        raise invalid(f"{place.path} cannot be null.", target=place.path, inner="InvalidValue")
    return Change(place, fill(place.shape, value))


def _shape_at(shape: Shape, names: list[str]) -> Shape:
    for name in names:
        if isinstance(shape, Many):
            shape = shape.item
        elif isinstance(shape, Thing):
            shape = shape.fields[name]
    return shape


def _places() -> dict[str, Place]:
    places = []
    for path in _PATHS:
        keys = tuple(path.strip("/").split("/"))
        shape = _shape_at(REFERRAL, list(keys))
        places.append(Place(path, keys, shape))
        if isinstance(shape, Many):
            places.append(Place(f"{path}/-", keys, shape.item, appends=True))
    places.append(Place("/registrations/-", ("registrations",), REGISTRATION, appends=True))
    for tail in _REGISTRATION_PATHS:
        names = tail.strip("/").split("/")
        steps = tuple(int(name) if name.isdigit() else name for name in names)
        path = f"/registrations/0{tail}"
        places.append(Place(path, ("registrations", 0, *steps), _shape_at(REGISTRATION, names)))
    return {place.path.lower(): place for place in places}


PLACES = _places()
