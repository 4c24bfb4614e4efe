"""Creating referrals."""

import json
import re
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
ETAG = re.compile(r'"[0-9a-f]{8}-0000-0100-0000-[0-9a-f]{8}0000"')


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    changed = deepcopy(document)
    *way, last = path.split("/")
    place: Any = changed
    for name in way:
        place = place[name]
    del place[last]
    return changed


def replaced(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(document)
    *way, last = path.split("/")
    place: Any = changed
    for name in way:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    return changed


def test_born_active(world: Any, deal: dict[str, Any]) -> None:
    """A partner's deal is born Active and Accepted, even where New and Pending was asked for."""
    referral = world.create(deal | {"status": "New", "substatus": "Pending"})

    states = (referral["status"], referral["substatus"], referral["expirationDateTime"])
    assert states == ("Active", "Accepted", None)


def test_server_sets_what_is_its_own(world: Any, deal: dict[str, Any]) -> None:
    """What only the service sets is passed over, not taken and not refused."""
    wished = {"id": "11111111-1111-4111-8111-111111111111", "eTag": "x", "organizationName": "x"}
    referral = world.create(deal | wished | {"direction": "Outgoing"})

    assert not any(referral[name] == value for name, value in wished.items())


def test_stamps(world: Any, deal: dict[str, Any]) -> None:
    """Moments have seven digits, the eTag its quotes, acceptance is creation."""
    referral = world.create(deal)

    assert MOMENT.fullmatch(referral["updatedDateTime"])
    assert ETAG.fullmatch(referral["eTag"])
    assert referral["acceptedDateTime"] == referral["createdDateTime"]


def test_success_is_200_or_201(world: Any, deal: dict[str, Any]) -> None:
    """A creation answers 200, or 201 where the emulator is told so."""
    statuses = [world.call("POST", "/referrals", json=deal).status_code]
    world.emulator.api.created_status = 201
    try:
        statuses.append(world.call("POST", "/referrals", json=deal).status_code)
    finally:
        world.emulator.api.created_status = 200

    assert statuses == [200, 201]


def test_created_referral_can_be_read(world: Any, deal: dict[str, Any]) -> None:
    """What a creation answers is what reading gives, but for the context."""
    referral = world.create(deal)
    read = world.get(referral["id"])
    del read["@odata.context"]

    assert read == referral


def test_same_body_twice_makes_two(world: Any, deal: dict[str, Any]) -> None:
    """Nothing recognises a repeated creation, not even the same MS-RequestId."""
    headers = {"MS-RequestId": "8f9c2b64-0d1e-4a57-b3c6-7e5f10d2a948"}
    for _ in range(2):
        world.call("POST", "/referrals", json=deal, headers=headers)

    assert world.listed()["@odata.count"] == 2


def test_names_bind_in_any_case(world: Any, deal: dict[str, Any]) -> None:
    """Property names and closed lists bind in any case."""
    body = without(deal, "type") | {"TYPE": "shared", "ExternalReferenceId": "006xx"}
    body["consent"] = {"ConsentToToShareInfoWithOthers": True, "CONSENTTOCONTACT": False}
    referral = world.create(body)

    seen = (referral["type"], referral["externalReferenceId"], referral["consent"])
    assert seen == (
        "Shared",
        "006xx",
        {
            "consentToToShareInfoWithOthers": True,
            "consentToContact": False,
            "consentToShareReferralWithMicrosoftSellers": False,
        },
    )


def test_unknown_names_are_passed_over(world: Any, deal: dict[str, Any]) -> None:
    """A property nobody knows is neither kept nor refused."""
    assert "colour" not in world.create(deal | {"colour": "blue"})


@pytest.mark.parametrize(
    "path",
    [
        "type",
        "customerProfile",
        "customerProfile/name",
        "customerProfile/address",
        "customerProfile/address/country",
        "consent",
        "consent/consentToContact",
        "consent/consentToToShareInfoWithOthers",
        "details",
        "details/dealValue",
        "details/currency",
        "details/closingDateTime",
        "details/requirements/solutions",
    ],
)
def test_required_fields(world: Any, deal: dict[str, Any], path: str) -> None:
    """A body without a required field answers 400 and names the field."""
    answer = world.call("POST", "/referrals", json=without(deal, path))
    error = answer.json()["error"]

    assert (answer.status_code, error["code"], error["target"]) == (400, "invalidRequest", path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("type", "Mixed"),
        ("qualification", "Maybe"),
        ("status", "Open"),
        ("customerProfile/address/country", "Poland"),
        ("customerProfile/address/country", "QQ"),
        ("customerProfile/size", "some"),
        ("customerProfile/team", {"email": "x"}),
        ("customerProfile/team", [None]),
        ("consent/consentToContact", "yes"),
        ("details/currency", "EURO"),
        ("details/dealValue", "a lot"),
        ("details/dealValue", True),
        ("details/dealValue", -1),
        ("details/dealValue", "1" * 29),
        ("details/closingDateTime", "2027-03-31"),
        ("details/closingDateTime", "2027-02-31T00:00:00Z"),
        ("details/requirements/solutions", []),
        ("details/requirements/solutions", [{"name": "no id"}]),
        ("details/requirements/solutions", [{"id": str(n)} for n in range(51)]),
        ("team", [{"email": str(n)} for n in range(51)]),
        ("name", ["x"]),
        ("engagementId", "x"),
        ("engagementId", "11111111-1111-4111-8111-111111111111"),
        ("target/0/type", "Moon"),
        ("inviteContext", {"assistanceRequestCode": "Money"}),
    ],
)
def test_wrong_values(world: Any, deal: dict[str, Any], path: str, value: Any) -> None:
    """A value of the wrong kind answers 400 and creates nothing."""
    answer = world.call("POST", "/referrals", json=replaced(deal, path, value))
    error = answer.json().get("error", {})

    told = (answer.status_code, error.get("code"), world.listed()["@odata.count"])
    assert told == (400, "invalidRequest", 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"details":NaN}'])
def test_body_must_be_an_object(world: Any, body: bytes) -> None:
    """A body that is no JSON object answers 400."""
    headers = {"Content-Type": "application/json"}
    answer = world.call("POST", "/referrals", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalidRequest")


def test_body_must_be_json_by_name(world: Any, deal: dict[str, Any]) -> None:
    """A body under another content type answers 415."""
    headers = {"Content-Type": "text/plain"}
    answer = world.call("POST", "/referrals", content=json.dumps(deal), headers=headers)

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("1234567890123.45", "1234567890123.45"),
        ("10.10", "10.10"),
        ("52500.125", "52500.125"),
        ('"10000"', "10000"),
        ('"0.10"', "0.10"),
        ("1E+5", "100000"),
        ("0", "0"),
    ],
)
def test_amounts_keep_their_digits(world: Any, deal: dict[str, Any], sent: str, shown: str) -> None:
    """An amount comes back digit by digit, and as a number where it was sent as text."""
    body = json.dumps(deal).replace('"dealValue": 50000', f'"dealValue": {sent}')
    headers = {"Content-Type": "application/json"}
    answer = world.call("POST", "/referrals", content=body, headers=headers)

    assert f'"dealValue":{shown},' in answer.text


def test_moments_are_in_utc(world: Any, deal: dict[str, Any]) -> None:
    """A moment with an offset comes back in UTC."""
    body = replaced(deal, "details/closingDateTime", "2027-03-31T01:00:00+02:00")

    assert world.create(body)["details"]["closingDateTime"] == "2027-03-30T23:00:00Z"


def test_private_deal_needs_no_solution(world: Any, deal: dict[str, Any]) -> None:
    """A private deal can be made without a solution."""
    body = without(deal, "details/requirements") | {"type": "Independent"}

    assert world.create(body)["type"] == "Independent"


def test_unknown_ids_are_fine(world: Any, deal: dict[str, Any]) -> None:
    """Free texts, references and solutions of any name are taken as they are."""
    body = replaced(deal, "details/requirements/solutions", [{"id": "SOL-00000-NEW"}])
    referral = world.create(body | {"externalReferenceId": "whatever ✔"})

    solution = referral["details"]["requirements"]["solutions"][0]["id"]
    assert (referral["externalReferenceId"], solution) == ("whatever ✔", "SOL-00000-NEW")


def test_connected_referral_is_microsofts(world: Any, deal: dict[str, Any]) -> None:
    """The second POST for msft makes Microsoft's referral: new, pending, fourteen days to go."""
    own, theirs = world.co_sell(deal)
    lapse = datetime.fromisoformat(theirs["expirationDateTime"])
    life = lapse - datetime.fromisoformat(theirs["createdDateTime"])

    seen = (theirs["engagementId"], theirs["organizationName"], theirs["status"])
    assert seen == (own["engagementId"], "Microsoft", "New")
    assert (theirs["substatus"], theirs["direction"]) == ("Pending", "Outgoing")
    assert (theirs["organizationId"] != own["organizationId"], life) == (True, timedelta(days=14))


def test_co_sell_is_visible(world: Any, deal: dict[str, Any]) -> None:
    """Sending a deal to Microsoft makes it visible, shared, and says which help was asked for."""
    own, _ = world.co_sell(deal | {"type": "Independent"} | {"type": "Shared"})

    visible = own["consent"]["consentToShareReferralWithMicrosoftSellers"]
    assert (visible, own["inviteContext"]["assistanceRequestCode"]) == (True, "QuotesOrLicensing")


def test_private_deal_can_become_a_co_sell(world: Any, deal: dict[str, Any]) -> None:
    """A private deal sent to Microsoft later on becomes a shared one."""
    own = world.create(deal | {"type": "Independent"})
    target = [{"type": "BusinessProfileLocation", "id": "msft"}]
    world.create(deal | {"engagementId": own["engagementId"], "target": target})

    assert world.get(own["id"])["type"] == "Shared"


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"engagementId": None}, "engagementId"),
        ({"engagementId": "11111111-1111-4111-8111-111111111111"}, "engagementId"),
        ({"type": "Independent"}, "type"),
        ({"customerProfile/team": []}, "customerProfile/team"),
    ],
)
def test_connected_referral_needs_more(
    world: Any, deal: dict[str, Any], changes: dict[str, Any], target: str
) -> None:
    """A referral for Microsoft needs a known engagement, the shared type and a contact."""
    own = world.create(deal)
    body = deal | {
        "engagementId": own["engagementId"],
        "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
    }
    for path, value in changes.items():
        body = replaced(body, path, value)
    answer = world.call("POST", "/referrals", json=body)

    assert (answer.status_code, answer.json()["error"]["target"]) == (400, target)


@pytest.mark.parametrize(
    "name", ["create-referral.shared.request.json", "create-referral.private.request.2024.json"]
)
def test_printed_requests_are_taken(world: Any, samples: Path, name: str) -> None:
    """The requests Microsoft prints are taken as they are, and their values come back."""
    body = json.loads((samples / name).read_text())
    referral = world.create(body)

    assert (referral["name"], referral["customerProfile"]["size"]) == (
        body["name"],
        body["customerProfile"]["size"],
    )


@pytest.mark.parametrize(
    ("status", "substatus", "answer"),
    [
        ("New", "Pending", 200),
        ("New", "Accepted", 200),
        ("Active", "Accepted", 200),
        ("Active", "Won", 400),
        ("Closed", "Accepted", 400),
    ],
)
def test_a_new_referral_says_what_goes_together(
    world: Any, deal: dict[str, Any], status: str, substatus: str, answer: int
) -> None:
    """Status and substatus are a pair that there is, although all are born accepted."""
    body = deal | {"status": status, "substatus": substatus}

    assert world.call("POST", "/referrals", json=body).status_code == answer
