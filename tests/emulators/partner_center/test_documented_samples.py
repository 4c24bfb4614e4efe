"""What Microsoft's pages print, replayed: every field of the printed answer is the emulator's too.

What the service makes anew in each answer (identifiers, moments, hosts) is compared by its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{7})?(Z|\+00:00)?$")
_ETAG = re.compile(r'"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"')

# Made anew in each answer; of links, only what they lead to is compared.
_MADE_ANEW = {
    "/id",
    "/engagementId",
    "/organizationId",
    "/organizationName",
    "/createdDateTime",
    "/updatedDateTime",
    "/eTag",
    "/links/relatedReferrals/uri",
    "/links/self/uri",
}


def read(samples: Path, name: str) -> Any:
    return json.loads((samples / f"{name}.json").read_text())


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in *value* that holds no others, with its place."""
    match value:
        case dict() if value:
            for name, inner in value.items():
                yield from leaves(inner, f"{at}/{name}")
        case list() if value:
            for number, inner in enumerate(value):
                yield from leaves(inner, f"{at}/{number}")
        case _:
            yield at, value


def differing(answer: Any, printed: Any, *, without: set[str] = _MADE_ANEW) -> dict[str, Any]:
    """The printed values that the answer does not have, by place, with what it has there."""
    had = dict(leaves(answer))
    return {
        at: had.get(at, "nothing")
        for at, value in leaves(printed)
        if at not in without and (at not in had or had[at] != value)
    }


@pytest.fixture
def made(world: Any, samples: Path) -> Any:
    """The referral that the printed request makes."""
    return world.create(read(samples, "create-referral.shared.request"))


def test_the_printed_creation_is_answered_as_printed(made: Any, samples: Path) -> None:
    """New and Pending were asked for, Active and Accepted come back, and all else as it was sent.

    The page leaves the closing date out of the answer; an observed answer has it.
    """
    assert differing(made, read(samples, "create-referral.shared.response")) == {}


def test_what_was_sent_comes_back(made: Any, samples: Path) -> None:
    """Every value of the request but the state is in the answer."""
    sent = read(samples, "create-referral.shared.request")

    assert differing(made, sent) == {"/status": "Active", "/substatus": "Accepted"}


@pytest.mark.parametrize("field", ["id", "engagementId", "organizationId"])
def test_identifiers_are_guids(made: Any, field: str) -> None:
    """Identifiers are made in the printed form."""
    assert _GUID.fullmatch(made[field])


@pytest.mark.parametrize("field", ["createdDateTime", "updatedDateTime", "acceptedDateTime"])
def test_moments_have_seven_digits(made: Any, field: str) -> None:
    """.NET's fractions, in UTC."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", made[field])


def test_the_etag_has_its_quotes_in_it(made: Any, samples: Path) -> None:
    """The value itself begins and ends with a quote, as printed."""
    printed = read(samples, "create-referral.shared.response")["eTag"]

    assert [bool(_ETAG.fullmatch(one)) for one in (printed, made["eTag"])] == [True, True]


def test_links_lead_to_the_referral_and_its_engagement(world: Any, made: Any) -> None:
    """Both are followed with GET, and find the referral again."""
    self_link, related = made["links"]["self"], made["links"]["relatedReferrals"]
    path = urlsplit(self_link["uri"]).path.removeprefix("/v1.0/engagements")

    assert world.call("GET", path).json()["id"] == made["id"]
    query = dict(parse_qsl(urlsplit(related["uri"]).query))
    found = world.call("GET", "/referrals", params=query).json()["value"]
    assert ([one["id"] for one in found], self_link["method"], related["method"]) == (
        [made["id"]],
        "GET",
        "GET",
    )


def test_the_2024_request_is_taken(world: Any, samples: Path) -> None:
    """Names in mixed case come back in camel case, with their values."""
    sent = read(samples, "create-referral.private.request.2024")
    consent = sent.pop("consent")
    made = world.create({**sent, "consent": consent})

    lowered = {name[0].lower() + name[1:]: value for name, value in consent.items()}
    sent["details"]["requirements"]["additionalRequirements"].pop("iot")  # comes back filled
    assert differing(made, {**sent, "consent": lowered}) == {}


def test_a_private_deal_is_independent_and_unseen(world: Any, samples: Path) -> None:
    """The deal of 2024's page is not shared, asks for no help, and has no related referral."""
    made = world.create(read(samples, "create-referral.private.request.2024"))
    found = world.listed(filter=f"engagementId eq '{made['engagementId']}'")

    assert (
        made["type"],
        made["consent"]["consentToShareReferralWithMicrosoftSellers"],
        made["inviteContext"]["assistanceRequestCode"],
        found["@odata.count"],
    ) == ("Independent", False, "Unknown", 1)


def test_the_two_printed_steps_make_a_co_sell(world: Any, made: Any, samples: Path) -> None:
    """The second POST has the engagement of the first and Microsoft for a target."""
    step = read(samples, "create-referral.connected-step2-target-msft")
    sent = read(samples, "create-referral.shared.request")
    theirs = world.create({**sent, **step, "engagementId": made["engagementId"]})

    assert (
        theirs["engagementId"] == made["engagementId"],
        theirs["id"] != made["id"],
        theirs["target"],
        (theirs["status"], theirs["substatus"]),
    ) == (True, True, step["target"], ("New", "Pending"))


@pytest.fixture
def inbound(world: Any, samples: Path) -> Any:
    """The lead that the printed list and the printed referral hold, sent by Microsoft."""
    printed = read(samples, "get-referral.response")
    own = {"@odata.context", "links", "eTag", "organizationId", "organizationName"}
    fields = {name: value for name, value in printed.items() if name not in own}
    return world.control("microsoft", do="create", fields=fields)


def test_the_printed_referral_is_answered_as_printed(
    world: Any, inbound: Any, samples: Path
) -> None:
    """GET by identifier has every printed value, the misspelt context among them.

    The printed links lack a `?` and a slash, which observed ones have.
    """
    printed = read(samples, "get-referral.response")
    answer = world.get(inbound["id"])

    context = [urlsplit(one.pop("@odata.context")) for one in (answer, printed)]
    made_anew = _MADE_ANEW - {"/id", "/engagementId", "/createdDateTime", "/updatedDateTime"}
    assert differing(answer, printed, without=made_anew) == {}
    assert (context[0].path, context[0].fragment) == (context[1].path, context[1].fragment)


def test_the_printed_list_is_answered_as_printed(world: Any, inbound: Any, samples: Path) -> None:
    """Count, value and every value in it."""
    printed = read(samples, "list-referrals.response")
    answer = world.listed(orderby="createdDateTime desc")

    without = {f"/value/0{at}" for at in _MADE_ANEW - {"/id", "/engagementId"}}
    without |= {"/@odata.nextLink", "/@odata.context"}
    assert differing(answer, printed, without=without) == {}
    assert urlsplit(answer["@odata.context"])[2:] == urlsplit(printed["@odata.context"])[2:]


def test_the_next_link_has_the_printed_oddities(world: Any, deal: Any, samples: Path) -> None:
    """Plain http, no /engagements, and a skip token alone; there is none on the last page."""
    printed = urlsplit(read(samples, "list-referrals.response")["@odata.nextLink"])
    for _ in range(51):
        world.create(deal)

    first = world.listed(orderby="createdDateTime desc")
    link = urlsplit(first["@odata.nextLink"])
    last = world.call("GET", f"/referrals?{link.query}").json()

    assert (link.scheme, link.path) == (printed.scheme, printed.path)
    assert [one.query.partition("=")[0] for one in (link, printed)] == ["$skiptoken"] * 2
    assert (len(first["value"]), len(last["value"]), "@odata.nextLink" in last) == (50, 1, False)


def test_every_printed_question_is_answered(world: Any, deal: Any, samples: Path) -> None:
    """Each printed filter finds what fits it, in the printed order, and nothing else."""
    theirs = world.control("microsoft", do="create", fields={})
    own, microsofts = world.co_sell(
        {**deal, "team": [{"firstName": "R2", "lastName": "D2", "email": "r2d2@contoso.com"}]}
    )
    world.control("microsoft", do="accept", id=own["id"], fields={"team": own["team"]})

    found = []
    for line in read(samples, "list-referrals.requests")["requests"]:
        query = dict(parse_qsl(urlsplit(line.split(" ", 1)[1]).query))
        answer = world.call("GET", "/referrals", params=query)
        found.append([one["id"] for one in answer.json()["value"]])

    assert found == [
        [microsofts["id"], own["id"], theirs["id"]],
        [own["id"], theirs["id"]],
        [theirs["id"]],
        [microsofts["id"]],
    ]


def patched(world: Any, made: Any, samples: Path, name: str, **headers: str) -> Any:
    body = read(samples, f"patch-referral.{name}.request")
    return world.call("PATCH", f"/referrals/{made['id']}", json=body, headers=headers)


def test_a_printed_patch_is_answered_with_nothing(world: Any, made: Any, samples: Path) -> None:
    """204, no body, and an identifier of the request, as printed."""
    printed = read(samples, "patch-referral.response-204")
    answer = patched(world, made, samples, "dealvalue-notes")

    assert (answer.status_code, answer.content) == (printed["status"], b"")
    assert _GUID.fullmatch(answer.headers["Request-ID"])


def test_a_deal_value_in_quotes_becomes_a_number(world: Any, made: Any, samples: Path) -> None:
    """The printed patch sends "10000"; 10000 comes back, and the notes as sent."""
    patched(world, made, samples, "dealvalue-notes")
    details = world.get(made["id"])["details"]

    assert (details["dealValue"], details["notes"]) == (10000, "Lorem ipsum dolor sit amet.")


def test_a_printed_member_joins_the_team(world: Any, made: Any, samples: Path) -> None:
    """`add /team/-` appends; who was there stays."""
    patched(world, made, samples, "dealvalue-team")
    sent = read(samples, "patch-referral.dealvalue-team.request")[1]["value"]
    team = world.get(made["id"])["team"]

    assert differing(team[1], sent, without=set()) == {}
    assert [one["email"] for one in team] == ["john.doe@microsoft.com", "jane.doe@contoso.com"]


def test_the_referral_comes_back_on_request(world: Any, made: Any, samples: Path) -> None:
    """With `Prefer: return=representation` the printed patch is answered 200 with the referral."""
    answer = patched(world, made, samples, "add-team-member", Prefer="return=representation")

    kept = world.get(made["id"])
    del kept["@odata.context"]
    assert (answer.status_code, answer.json()) == (200, kept)
    assert answer.json()["team"][-1]["email"] == "jane.doe@contoso.com"


def test_the_printed_win_closes_for_good(world: Any, made: Any, samples: Path) -> None:
    """Status and substatus change together, the closing is dated, and nothing changes after."""
    patched(world, made, samples, "close-won")
    closed = world.get(made["id"])
    again = patched(world, made, samples, "dealvalue-notes")

    assert (closed["status"], closed["substatus"]) == ("Closed", "Won")
    assert _MOMENT.fullmatch(closed["closedDateTime"])
    assert (again.status_code, again.json()["error"]["code"]) == (400, "invalidRequest")


def test_the_printed_put_is_answered_as_printed(world: Any, samples: Path) -> None:
    """The deprecated PUT takes the whole referral with If-Match, and answers it."""
    printed = read(samples, "put-referral.legacy.request")
    own = {"id", "engagementId", "createdDateTime", "updatedDateTime", "eTag", "expirationDateTime"}
    fields = {name: value for name, value in printed.items() if name not in own}
    made = world.create({**fields, "status": "New", "substatus": "Pending"})
    body = {**printed, "id": made["id"], "engagementId": made["engagementId"]}

    answer = world.call(
        "PUT", f"/referrals/{made['id']}", json=body, headers={"If-Match": made["eTag"]}
    )

    without = _MADE_ANEW | {"/expirationDateTime"}
    expected = read(samples, "put-referral.legacy.response")
    assert (answer.status_code, differing(answer.json(), expected, without=without)) == (200, {})


@pytest.mark.parametrize(
    ("name", "audience"),
    [
        ("token.refresh.response", "https://api.partnercenter.microsoft.com"),
        ("token.ropc.response", "https://api.partner.microsoft.com"),
    ],
)
def test_tokens_are_answered_as_printed(
    world: Any, samples: Path, name: str, audience: str
) -> None:
    """Every printed name is there, of the printed type, and what is no secret has its value."""
    printed = read(samples, name)
    answer = world.ask_token(resource=audience).json()

    fixed = {"token_type", "scope", "expires_in", "ext_expires_in", "resource"} & set(printed)
    assert {key: answer[key] for key in fixed} == {key: printed[key] for key in fixed}
    assert {key: type(answer[key]) for key in printed} == dict.fromkeys(printed, str)
    assert int(answer["expires_on"]) - int(answer["not_before"]) == 3900
    assert int(printed["expires_on"]) - int(printed["not_before"]) == 3900


def test_a_refusal_has_the_printed_shape(world: Any, samples: Path) -> None:
    """The same names at the same places, texts in them."""
    printed = read(samples, "error.partner-api")
    answer = world.call("GET", "/referrals", token="none").json()

    assert [at for at, _ in leaves(answer)] == [at for at, _ in leaves(printed)]
    assert all(isinstance(value, str) for _, value in leaves(answer))


def test_the_older_refusal_has_the_observed_shape(world: Any, samples: Path) -> None:
    """The other host's envelope: a numeric code, a description, data and a source."""
    printed = read(samples, "error.partnercenter-api.20002")
    answer = world.hook("GET", "/registration").json()

    assert {key: type(value) for key, value in answer.items()} == {
        key: type(value) for key, value in printed.items()
    }
    assert (answer["source"], answer["data"]) == (printed["source"], [])


def test_the_gateways_refusal_has_the_printed_shape(
    world: Any, registered: Any, samples: Path
) -> None:
    """Too many tests: Retry-After, and the gateway's own sentence with the same seconds."""
    printed = read(samples, "error.429")
    for _ in range(3):
        answer = world.hook("POST", "/registration/validationEvents")

    seconds = answer.headers["Retry-After"]
    message = printed["body"]["message"].replace(printed["headers"]["Retry-After"], seconds)
    assert (answer.status_code, answer.json()) == (429, {**printed["body"], "message": message})


@pytest.mark.parametrize("name", ["create.response", "view.response"])
def test_registrations_are_answered_as_printed(
    world: Any, receiver: Any, samples: Path, name: str
) -> None:
    """The printed registration: with a subscriber where it is made, without one where it is read."""
    text = (samples / "webhook.registration.create.request.json").read_text()
    body = json.loads(text.replace("{{YourCallbackUrl}}", receiver.url))
    made = world.hook("POST", "/registration", json=body)
    answer = made if name == "create.response" else world.hook("GET", "/registration")

    printed = json.loads(
        (samples / f"webhook.registration.{name}.json")
        .read_text()
        .replace("{{YourCallbackUrl}}", receiver.url)
    )
    assert (answer.status_code, list(answer.json())) == (200, list(printed))
    assert differing(answer.json(), printed, without={"/SubscriberId"}) == {}
    assert {"MS-CorrelationId", "MS-RequestId"} <= {*map(_cased, answer.headers)}


def _cased(name: str) -> str:
    known = {"ms-correlationid": "MS-CorrelationId", "ms-requestid": "MS-RequestId"}
    return known.get(name.lower(), name)


def test_the_known_events_hold_the_printed_ones(world: Any, samples: Path) -> None:
    """The printed list is outdated: it has no referral events."""
    printed = read(samples, "webhook.list-events.response")

    assert set(printed) < set(world.hook("GET", "/registration/events").json())


def test_a_test_is_answered_as_printed(world: Any, registered: Any, samples: Path) -> None:
    """Its correlation is told, then what came of it, name by name and type by type."""
    began = world.hook("POST", "/registration/validationEvents").json()
    world.received(registered, 1)
    world.quiet()
    told = world.hook("GET", f"/registration/validationEvents/{began['correlationId']}").json()

    assert list(began) == list(read(samples, "webhook.validation-event.create.response"))
    printed = read(samples, "webhook.validation-event.get.response")
    without = {"/correlationId", "/partnerId", "/callbackUrl", "/results/0/dateTimeUtc"}
    assert differing(told, printed, without=without) == {}
    assert [at for at, _ in leaves(told)] == [at for at, _ in leaves(printed)]
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{7}", told["results"][0]["dateTimeUtc"])


def test_a_test_is_delivered_as_printed(world: Any, registered: Any, samples: Path) -> None:
    """The body is compact and in the printed order, the headers have the printed names."""
    printed = read(samples, "webhook.delivery.test-created.http")
    event = read(samples, "webhook.event.test-created")
    world.hook("POST", "/registration/validationEvents")
    got = world.received(registered, 1)[0]

    assert got.body == json.dumps(got.event, separators=(",", ":")).encode()
    assert list(got.event) == list(printed["body"]) == list(event)
    without = {"/ResourceUri", "/ResourceChangeUtcDate"}
    assert differing(got.event, event, without=without) == {}
    assert got.event["ResourceUri"].rpartition("/")[0] == event["ResourceUri"].rpartition("/")[0]
    assert {name.lower() for name in printed["headers"]} <= set(got.headers)
    assert got.headers["x-ms-signature-algorithm"] == "rsa-sha256"
    path = urlsplit(printed["headers"]["X-MS-Certificate-Url"]).path
    assert urlsplit(got.headers["x-ms-certificate-url"]).path == path
    assert int(got.headers["content-length"]) == len(got.body)


@pytest.mark.parametrize(
    "name",
    [
        "referral-created",
        "referral-updated",
        "related-referral-created",
        "related-referral-updated",
    ],
)
def test_events_are_delivered_as_printed(
    world: Any, registered: Any, deal: Any, samples: Path, name: str
) -> None:
    """Every one of the four, in its printed order, for the referral it is about."""
    own, theirs = world.co_sell(deal)
    world.control("microsoft", do="accept", id=own["id"])
    about = theirs if name.startswith("related") else own

    printed = json.loads(
        (samples / f"webhook.event.{name}.json").read_text().replace("{{ReferralID}}", about["id"])
    )
    world.received(registered, 4)
    world.quiet()
    got = next(one.event for one in registered.got if one.name == name)
    assert list(got) == list(printed)
    assert differing(got, printed, without={"/ResourceChangeUtcDate"}) == {}
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{7}\+00:00", got["ResourceChangeUtcDate"])


@pytest.mark.parametrize("name", ["independent-active", "shared-active-duns", "shared-closed-won"])
def test_observed_referrals_are_shown_as_observed(world: Any, samples: Path, name: str) -> None:
    """A referral with the observed values shows each of them, nulls and empty lists included."""
    observed = read(samples, f"observed.referral.{name}")
    own = {"links", "eTag", "organizationId", "organizationName", "updatedDateTime"}
    fields = {key: value for key, value in observed.items() if key not in own}
    made = world.control("microsoft", do="create", fields=fields)

    answer = world.get(made["id"])
    del answer["@odata.context"]
    without = _MADE_ANEW - {"/id", "/engagementId", "/createdDateTime"}
    assert list(answer) == list(observed)
    assert differing(answer, observed, without=without) == {}
