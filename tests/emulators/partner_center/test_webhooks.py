"""Webhooks: the registration, the events, their signature, and how deliveries go wrong."""

import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import PolicyBuilder, Store

SUBJECT = "pcnotifications-dispatch.microsoft.com"
URL = "https://partner.example/hooks"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def body(url: str = URL, *events: str, **more: Any) -> dict[str, Any]:
    return {"WebhookUrl": url, "WebhookEvents": list(events or ("referral-created",)), **more}


def test_no_registration_at_first(world: Any) -> None:
    """Asking for a registration where there is none answers 404 in the older shape."""
    answer = world.hook("GET", "/registration")

    assert (answer.status_code, set(answer.json())) == (
        404,
        {"code", "description", "data", "source"},
    )


def test_register(world: Any) -> None:
    """A registration answers the subscriber, the address and the events."""
    answer = world.hook("POST", "/registration", json=body()).json()

    assert GUID.fullmatch(answer.pop("SubscriberId"))
    assert answer == body()


def test_registration_can_be_read(world: Any) -> None:
    """Reading a registration gives no subscriber."""
    world.hook("POST", "/registration", json=body())

    assert world.hook("GET", "/registration").json() == body()


def test_second_registration_is_refused(world: Any) -> None:
    """A tenant has one registration: the second POST answers 409 and changes nothing."""
    world.hook("POST", "/registration", json=body())
    answer = world.hook("POST", "/registration", json=body("https://other.example/"))

    kept = world.hook("GET", "/registration").json()["WebhookUrl"]
    assert (answer.status_code, kept) == (409, URL)


def test_put_replaces(world: Any) -> None:
    """PUT replaces address and events; the subscriber stays."""
    first = world.hook("POST", "/registration", json=body()).json()
    other = body("https://other.example/", "referral-updated")
    second = world.hook("PUT", "/registration", json=other).json()

    assert second == other | {"SubscriberId": first["SubscriberId"]}


def test_put_needs_a_registration(world: Any) -> None:
    """There is nothing to replace where nothing is registered."""
    assert world.hook("PUT", "/registration", json=body()).status_code == 404


def test_names_in_camel_case(world: Any) -> None:
    """Property names are taken in camel case as well."""
    camel = {"webhookUrl": URL, "webhookEvents": ["test-created"]}
    answer = world.hook("POST", "/registration", json=camel)

    assert answer.json()["WebhookEvents"] == ["test-created"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        body("not an address"),
        body("http://partner.example/hooks"),
        body("ftp://127.0.0.1/hooks"),
        body(URL, "referral-deleted"),
        {"WebhookUrl": URL, "WebhookEvents": []},
        {"WebhookUrl": URL, "WebhookEvents": "referral-created"},
    ],
)
def test_senseless_registrations_are_refused(world: Any, wrong: Any) -> None:
    """An address that cannot be called and an event nobody knows answer 400."""
    assert world.hook("POST", "/registration", json=wrong).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "[::1]:1"])
def test_plain_http_on_this_machine(world: Any, host: str) -> None:
    """A callback on this machine may be plain http."""
    answer = world.hook("POST", "/registration", json=body(f"http://{host}/hooks"))

    assert answer.status_code == 200


def test_no_delete(world: Any) -> None:
    """A registration cannot be deleted."""
    world.hook("POST", "/registration", json=body())
    answer = world.hook("DELETE", "/registration")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, PUT")


def test_known_events(world: Any) -> None:
    """The list of events has the four of referrals and the one for tests."""
    events = world.hook("GET", "/registration/events").json()

    assert {
        "referral-created",
        "referral-updated",
        "related-referral-created",
        "related-referral-updated",
        "test-created",
    } <= set(events)


def test_creation_event(world: Any, registered: Any, deal: dict[str, Any]) -> None:
    """A creation raises one thin event, compact, in the printed order."""
    referral = world.create(deal)
    (got,) = world.received(registered, 1)
    moment = got.event["ResourceChangeUtcDate"]

    text = (
        '{"EventName":"referral-created","ResourceUri":"https://api.partnercenter.microsoft.com'
        f'/engagements/v1/referrals/{referral["id"]}","ResourceName":"referral","AuditUri":null,'
        f'"ResourceChangeUtcDate":"{moment}"}}'
    )
    assert got.body.decode() == text
    assert moment == referral["updatedDateTime"].replace("Z", "+00:00")


def test_own_writes_raise_events(world: Any, registered: Any, deal: dict[str, Any]) -> None:
    """Our own patch raises an update as anybody's would."""
    referral = world.create(deal)
    world.patch(referral["id"], ("/details/notes", "x"))
    world.received(registered, 2)

    assert {(one.name, one.referral) for one in registered.got} == {
        ("referral-created", referral["id"]),
        ("referral-updated", referral["id"]),
    }


def test_refused_writes_raise_nothing(world: Any, registered: Any, deal: dict[str, Any]) -> None:
    """A patch that is refused raises no event."""
    referral = world.create(deal)
    world.patch(referral["id"], ("/details/currency", "x"))
    world.quiet()

    assert [one.name for one in registered.got] == ["referral-created"]


def test_connected_referral_event(world: Any, registered: Any, deal: dict[str, Any]) -> None:
    """The second POST raises a related event that names Microsoft's referral."""
    _, theirs = world.co_sell(deal)
    world.quiet()

    related = [one for one in registered.got if one.name.startswith("related")]
    assert [(one.name, one.referral) for one in related] == [
        ("related-referral-created", theirs["id"])
    ]


@pytest.mark.parametrize("act", ["accept", "decline", "expire"])
def test_microsofts_answer_event(
    world: Any, registered: Any, deal: dict[str, Any], act: str
) -> None:
    """Microsoft's answer raises a related update that names its referral."""
    own, theirs = world.co_sell(deal)
    world.quiet()
    registered.got.clear()
    world.control("microsoft", do=act, id=own["id"])
    world.quiet()

    assert ("related-referral-updated", theirs["id"]) in [
        (one.name, one.referral) for one in registered.got
    ]


def test_expiry_event(world: Any, registered: Any) -> None:
    """The clock passing the fourteenth day raises the update at once."""
    deal = world.control("microsoft", do="create")
    world.control("clock", advance_s=15 * 86_400)
    world.received(registered, 2)
    world.quiet()

    assert sorted((one.name, one.referral) for one in registered.got) == [
        ("referral-created", deal["id"]),
        ("referral-updated", deal["id"]),
    ]


def test_only_registered_events(world: Any, receiver: Any) -> None:
    """An event nobody registered for is not sent, not even later."""
    world.hook("POST", "/registration", json=body(receiver.url, "referral-updated"))
    deal = world.control("microsoft", do="create")
    world.control("microsoft", do="update", id=deal["id"], fields={"name": "x"})
    world.quiet()

    assert [one.name for one in receiver.got] == ["referral-updated"]


def certificate(world: Any, delivery: Any) -> x509.Certificate:
    content = world.http.get(delivery.headers["x-ms-certificate-url"]).content
    return x509.load_der_x509_certificate(content)


def test_signature(world: Any, registered: Any) -> None:
    """The signature is over the very bytes sent, by the key of the named certificate."""
    world.control("microsoft", do="create")
    (got,) = world.received(registered, 1)
    scheme, _, signature = got.headers["authorization"].partition(" ")
    key: Any = certificate(world, got).public_key()

    key.verify(base64.b64decode(signature), got.body, padding.PKCS1v15(), SHA256())
    algorithm = got.headers["x-ms-signature-algorithm"]
    assert (scheme, algorithm, key.key_size) == ("Signature", "rsa-sha256", 2048)


def test_certificate(world: Any, registered: Any) -> None:
    """The certificate was issued by the sandbox's authority, in Microsoft's name, for now."""
    world.control("microsoft", do="create")
    (got,) = world.received(registered, 1)
    leaf = certificate(world, got)
    store = Store([x509.load_pem_x509_certificate(world.emulator.ca_pem)])
    PolicyBuilder().store(store).build_server_verifier(x509.DNSName(SUBJECT)).verify(leaf, [])

    now = datetime.now(UTC)
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert "O=Microsoft Corporation" in leaf.issuer.rfc4514_string()
    assert f"CN={SUBJECT}" in leaf.subject.rfc4514_string()
    assert (now - leaf.not_valid_before_utc > timedelta(hours=23), life.days) == (True, 365)


def test_certificate_address(world: Any, registered: Any) -> None:
    """The certificate is served by the sandbox itself, under the printed path."""
    world.control("microsoft", do="create")
    (got,) = world.received(registered, 1)

    assert got.headers["x-ms-certificate-url"] == (
        f"{world.root}/cert/pcnotifications-dispatch.microsoft.com.cer"
    )


@pytest.mark.parametrize("value", [True, "true"])
def test_signature_in_the_other_header(world: Any, receiver: Any, value: Any) -> None:
    """On request the signature comes in x-ms-signature, and not in Authorization."""
    registration = body(receiver.url, SignatureTokenToMsSignatureHeader=value)
    world.hook("POST", "/registration", json=registration)
    world.control("microsoft", do="create")
    (got,) = world.received(receiver, 1)

    assert (got.headers["x-ms-signature"][:10], "authorization" in got.headers) == (
        "Signature ",
        False,
    )


def test_redelivery(world: Any, registered: Any) -> None:
    """What was not answered with success is delivered again, the same bytes, until it is."""
    world.control("webhooks", spacing_s=0.01)
    registered.answers = [500, 404]
    world.control("microsoft", do="create")
    attempts = world.quiet()

    statuses = [(one["attempt"], one["status"]) for one in attempts]
    assert statuses == [(1, 500), (2, 404), (3, 200)]
    assert len({one.body for one in registered.got}) == 1


def test_redelivery_spacing(world: Any, registered: Any) -> None:
    """The pauses between attempts are one, two, four times the spacing."""
    world.control("webhooks", spacing_s=0.1)
    registered.answers = [500, 500]
    world.control("microsoft", do="create")
    moments = [datetime.fromisoformat(one["at"]) for one in world.quiet()]

    first, second = (moments[1] - moments[0]), (moments[2] - moments[1])
    assert 0.1 <= first.total_seconds() < 0.19 <= second.total_seconds()


def test_ten_attempts(world: Any, registered: Any) -> None:
    """After ten attempts an event is given up."""
    world.control("webhooks", spacing_s=0.001)
    registered.answers = [503] * 20
    world.control("microsoft", do="create")
    world.quiet()

    assert len(registered.got) == 10


def test_nobody_listening(world: Any) -> None:
    """A callback that does not answer at all is tried again too."""
    world.control("webhooks", spacing_s=0.001)
    world.hook("POST", "/registration", json=body("http://127.0.0.1:9/"))
    world.control("microsoft", do="create")
    attempts = world.quiet()

    assert (len(attempts), attempts[0]["error"].split(":")[0]) == (10, "ConnectError")


def test_lose(world: Any, registered: Any) -> None:
    """So many events are lost for good, later ones arrive."""
    world.control("webhooks", lose=2)
    deals = [world.control("microsoft", do="create")["id"] for _ in range(3)]
    world.quiet()

    assert [one.referral for one in registered.got] == deals[2:]


def test_duplicate(world: Any, registered: Any) -> None:
    """So many events arrive twice, the same bytes."""
    world.control("webhooks", duplicate=1)
    deals = [world.control("microsoft", do="create")["id"] for _ in range(2)]
    world.quiet()

    bodies = sorted(one.body for one in registered.got)
    assert (len(bodies), len(set(bodies)), len(deals)) == (3, 2, 2)


def test_reorder(world: Any, registered: Any) -> None:
    """Events raised close together arrive the last first."""
    world.control("webhooks", reorder=True)
    deals = [world.control("microsoft", do="create")["id"] for _ in range(3)]
    world.received(registered, 3)

    assert [one.referral for one in registered.got] == deals[::-1]


def test_delay(world: Any, registered: Any) -> None:
    """A delayed event arrives so many seconds late."""
    world.control("webhooks", delay_s=0.2)
    begun = time.monotonic()
    world.control("microsoft", do="create")
    world.received(registered, 1)

    assert time.monotonic() - begun >= 0.2


def test_modes_add_up_and_reset(world: Any) -> None:
    """What is not named stays as it was; a reset sets all of it back."""
    world.control("webhooks", lose=2)
    both = world.control("webhooks", delay_s=0.5)
    world.control("reset", seed="empty")
    after = world.control("webhooks")

    assert (both["lose"], both["delay_s"]) == (2, 0.5)
    assert after == {"lose": 0, "duplicate": 0, "reorder": False, "delay_s": 0, "spacing_s": 1}


@pytest.mark.parametrize(
    "wrong", [{"lose": -1}, {"lose": True}, {"reorder": 1}, {"delay_s": "x"}, {"explode": 1}]
)
def test_senseless_modes_are_refused(world: Any, wrong: dict[str, Any]) -> None:
    """A mode nobody knows, or a senseless value of one, answers 400 with a sentence."""
    assert world.refused("webhooks", **wrong).endswith(".")


def test_validation_event(world: Any, registered: Any) -> None:
    """The test event is delivered, and what came of it can be read."""
    name = world.hook("POST", "/registration/validationEvents").json()["correlationId"]
    (got,) = world.received(registered, 1)
    world.quiet()
    result = world.hook("GET", f"/registration/validationEvents/{name}").json()

    assert (got.name, got.event["ResourceName"], got.referral) == ("test-created", "test", name)
    assert (result["status"], result["callbackUrl"]) == ("completed", registered.url)
    assert [one["responseCode"] for one in result["results"]] == ["OK"]
    assert set(result) == {"correlationId", "partnerId", "status", "callbackUrl", "results"}


def test_validation_is_limited(world: Any, registered: Any) -> None:
    """Two tests a minute are allowed; the third answers the gateway's 429."""
    statuses = []
    for _ in range(3):
        answer = world.hook("POST", "/registration/validationEvents")
        statuses.append(answer.status_code)
    world.control("clock", advance_s=61)
    later = world.hook("POST", "/registration/validationEvents").status_code

    assert (statuses, set(answer.json()), later) == (
        [200, 200, 429],
        {"statusCode", "message"},
        200,
    )
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(("events", "status"), [((), 404), (("referral-created",), 400)])
def test_validation_needs_its_event(world: Any, events: tuple[str, ...], status: int) -> None:
    """Without a registration, or one that lacks the test event, there is no test."""
    if events:
        world.hook("POST", "/registration", json=body(URL, *events))

    assert world.hook("POST", "/registration/validationEvents").status_code == status


def test_validation_is_kept_seven_days(world: Any, registered: Any) -> None:
    """What came of a test is forgotten after seven days."""
    name = world.hook("POST", "/registration/validationEvents").json()["correlationId"]
    world.control("clock", advance_s=7 * 86_400 + 60)
    world.webhook_token = world.new_token("https://api.partnercenter.microsoft.com")

    assert world.hook("GET", f"/registration/validationEvents/{name}").status_code == 404


def test_printed_registration_is_taken(world: Any, samples: Path) -> None:
    """The registration Microsoft prints for a flow is taken as it is."""
    printed = json.loads((samples / "webhook.registration.referrals.request.json").read_text())
    answer = world.hook("POST", "/registration", json=printed | {"WebhookUrl": URL})

    assert answer.json()["WebhookEvents"] == printed["WebhookEvents"]


@pytest.mark.journey
def test_journey(world: Any, receiver: Any, deal: dict[str, Any]) -> None:
    """Register, create, lose the answer, find the deal again, co-sell, accept: all is signed."""
    events = ("referral-created", "referral-updated")
    related = tuple(f"related-{event}" for event in events)
    world.hook("POST", "/registration", json=body(receiver.url, *events, *related))
    match = {"method": "POST", "path": "/referrals$"}
    world.control("faults", match=match, then={"drop": "after"})
    with pytest.raises(httpx.TransportError):
        world.call("POST", "/referrals", json=deal | {"externalReferenceId": "006A"})
    (own,) = [
        one
        for one in world.listed(orderby="createdDateTime desc")["value"]
        if one["externalReferenceId"] == "006A"
    ]
    connected = deal | {
        "engagementId": own["engagementId"],
        "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
        "inviteContext": {"assistanceRequestCode": "GeneralOrOther"},
    }
    theirs = world.create(connected)
    world.control("microsoft", do="accept", id=own["id"])
    world.quiet()

    authority = Store([x509.load_pem_x509_certificate(world.emulator.ca_pem)])
    for got in receiver.got:
        leaf = certificate(world, got)
        verifier = PolicyBuilder().store(authority).build_server_verifier(x509.DNSName(SUBJECT))
        verifier.verify(leaf, [])
        signature = base64.b64decode(got.headers["authorization"].removeprefix("Signature "))
        key: Any = leaf.public_key()
        key.verify(signature, got.body, padding.PKCS1v15(), SHA256())
    assert {(one.name, one.referral) for one in receiver.got} == {
        ("referral-created", own["id"]),
        ("related-referral-created", theirs["id"]),
        ("referral-updated", own["id"]),
        ("related-referral-updated", theirs["id"]),
    }
    assert world.get(own["id"])["trackingInfo"]["microsoftMsxId"] is not None
