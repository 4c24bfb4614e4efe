"""Changing referrals: PATCH, its paths, its rules, eTags, and the deprecated PUT."""

import json
from pathlib import Path
from typing import Any

import pytest


def came_in(world: Any, **fields: Any) -> Any:
    return world.control("microsoft", do="create", fields=fields)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


VALUES = {
    "/campaignId": "spring",
    "/consent/consentToShareReferralWithMicrosoftSellers": True,
    "/customerProfile/team": [{"firstName": "A", "email": "a@b.example"}],
    "/details/closingDateTime": "2028-01-31T00:00:00Z",
    "/details/currency": "DKK",
    "/details/dealValue": 99.95,
    "/details/notes": "seen",
    "/details/requirements/solutions": [{"id": "SOL-1", "name": "One"}],
    "/externalReferenceId": "006000000000001AAA",
    "/referralProgram": "p",
    "/salesStage": "40",
    "/statusReason": "because",
    "/team": [{"firstName": "B", "email": "b@b.example"}],
}


@pytest.mark.parametrize("path", VALUES)
@pytest.mark.parametrize("op", ["replace", "add"])
def test_documented_paths(world: Any, deal: dict[str, Any], path: str, op: str) -> None:
    """Every documented path can be replaced, and set by add."""
    referral = world.create(deal)
    body = [{"op": op, "path": path, "value": VALUES[path]}]
    answer = world.call("PATCH", f"/referrals/{referral['id']}", json=body)
    value: Any = world.get(referral["id"])
    for name in path.strip("/").split("/"):
        value = value[name]
    if isinstance(value, list):
        value = [{name: item[name] for name in VALUES[path][0]} for item in value]

    assert (answer.status_code, value) == (204, VALUES[path])


@pytest.mark.parametrize("path", ["/team", "/customerProfile/team"])
def test_add_appends(world: Any, deal: dict[str, Any], path: str) -> None:
    """Adding at the end of a list keeps what is there; what is not said is null."""
    referral = world.create(deal)
    person = {"email": "jo@alpine.example", "firstName": "Jo"}
    body = [{"op": "add", "path": f"{path}/-", "value": person}]
    world.call("PATCH", f"/referrals/{referral['id']}", json=body)
    team: Any = world.get(referral["id"])
    for name in path.strip("/").split("/"):
        team = team[name]

    assert (len(team), team[1]["firstName"], team[1]["title"]) == (2, "Jo", None)


def test_paths_in_any_case(world: Any, deal: dict[str, Any]) -> None:
    """Paths are found in any case."""
    referral = world.create(deal)
    world.patch(referral["id"], ("/Details/DEALVALUE", 7))

    assert world.get(referral["id"])["details"]["dealValue"] == 7


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/details/notes"},
        {"op": "test", "path": "/details/notes", "value": "x"},
        {"op": "move", "from": "/team", "path": "/details/notes"},
        {"op": "replace", "path": "/name", "value": "x"},
        {"op": "replace", "path": "/customerProfile/name", "value": "x"},
        {"op": "replace", "path": "/inviteContext/notes", "value": "x"},
        {"op": "replace", "path": "/eTag", "value": "x"},
        {"op": "replace", "path": "/team/0", "value": {}},
        {"op": "replace", "path": "/team/-", "value": {}},
        {"op": "replace", "path": "details/notes", "value": "x"},
        {"op": "replace", "path": "/details/notes"},
        {"op": "replace", "path": None, "value": 1},
        {"op": "replace", "path": "/details/dealValue", "value": None},
        {"op": "replace", "path": "/details/dealValue", "value": "many"},
        {"op": "replace", "path": "/details/dealValue", "value": -5},
        {"op": "replace", "path": "/details/currency", "value": "EURO"},
        {"op": "replace", "path": "/details/closingDateTime", "value": "2028-01-31"},
        {"op": "replace", "path": "/details/requirements/solutions", "value": []},
        {"op": "replace", "path": "/team", "value": None},
        {"op": "replace", "path": "/status", "value": "Open"},
        "replace",
    ],
)
def test_anything_else_is_refused(world: Any, deal: dict[str, Any], operation: Any) -> None:
    """Other operations, other paths and senseless values answer 400 invalidRequest."""
    referral = world.create(deal)
    answer = world.call("PATCH", f"/referrals/{referral['id']}", json=[operation])

    assert told(answer) == (400, "invalidRequest")


@pytest.mark.parametrize("body", [{}, [], "replace"])
def test_patch_is_a_list(world: Any, deal: dict[str, Any], body: Any) -> None:
    """A patch that is no list of operations answers 400."""
    referral = world.create(deal)
    answer = world.call("PATCH", f"/referrals/{referral['id']}", json=body)

    assert told(answer) == (400, "invalidRequest")


def test_all_or_nothing(world: Any, deal: dict[str, Any]) -> None:
    """One unsound operation, and none of the others happens."""
    referral = world.create(deal)
    world.patch(referral["id"], ("/details/notes", "half"), ("/details/currency", "nope"))

    assert world.call("GET", f"/referrals/{referral['id']}").json()["eTag"] == referral["eTag"]


def test_every_write_is_stamped(world: Any, deal: dict[str, Any]) -> None:
    """A write gives a new eTag and a later moment, and leaves the creation alone."""
    before = world.create(deal)
    world.patch(before["id"], ("/details/notes", "x"))
    after = world.get(before["id"])

    assert after["eTag"] != before["eTag"]
    assert after["updatedDateTime"] > before["updatedDateTime"]
    assert after["createdDateTime"] == before["createdDateTime"]


def test_answers_nothing_by_default(world: Any, deal: dict[str, Any]) -> None:
    """A patch answers 204 without a body, the new eTag in a header."""
    referral = world.create(deal)
    answer = world.patch(referral["id"], ("/details/notes", "x"))

    etag = world.get(referral["id"])["eTag"]
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", etag)


def test_answers_the_referral_when_preferred(world: Any, deal: dict[str, Any]) -> None:
    """With the Prefer header a patch answers the referral as it is now."""
    referral = world.create(deal)
    answer = world.patch(referral["id"], ("/details/notes", "x"), Prefer="return=representation")

    assert (answer.status_code, answer.json()["details"]["notes"]) == (200, "x")


def test_current_etag_passes(world: Any, deal: dict[str, Any]) -> None:
    """The eTag of the last answer, quotes and all, opens the way."""
    referral = world.create(deal)
    answer = world.patch(referral["id"], ("/details/notes", "x"), **{"If-Match": referral["eTag"]})

    assert answer.status_code == 204


@pytest.mark.parametrize("spoil", [str.upper, lambda tag: tag.strip('"'), lambda _: '"old"'])
def test_other_etags_are_refused(world: Any, deal: dict[str, Any], spoil: Any) -> None:
    """An eTag that is not exactly the current one answers 412, and nothing is written."""
    referral = world.create(deal)
    header = {"If-Match": spoil(referral["eTag"])}
    answer = world.patch(referral["id"], ("/details/notes", "x"), **header)

    notes = world.get(referral["id"])["details"]["notes"]
    assert (*told(answer), notes) == (412, "preconditionFailed", "Twelve cranes.")


STATES = {
    "New": ["Pending", "Received"],
    "Active": ["Accepted"],
    "Closed": ["Won", "Lost", "Declined", "Expired"],
}
LEGAL = {
    (old, new, substatus)
    for old, following in {"New": STATES, "Active": ["Active", "Closed"], "Closed": []}.items()
    for new in following
    for substatus in STATES[new]
}


@pytest.mark.parametrize("old", STATES)
@pytest.mark.parametrize("new", [*STATES, "None"])
@pytest.mark.parametrize("substatus", [one for many in STATES.values() for one in many])
def test_state_machine(world: Any, old: str, new: str, substatus: str) -> None:
    """A referral moves along the legal ways with a legal pair, and no other."""
    referral = came_in(world, status=old, substatus=STATES[old][0])
    answer = world.patch(referral["id"], ("/status", new), ("/substatus", substatus))

    assert (answer.status_code == 204) is ((old, new, substatus) in LEGAL)


@pytest.mark.parametrize("path", ["/status", "/substatus"])
def test_half_a_pair_is_refused(world: Any, path: str) -> None:
    """Status or substatus alone leaves an illegal pair, and answers 400."""
    referral = came_in(world)
    value = {"/status": "Active", "/substatus": "Accepted"}[path]
    answer = world.patch(referral["id"], (path, value))

    assert told(answer) == (400, "invalidRequest")


def test_pair_counts_after_the_whole_patch(world: Any) -> None:
    """The pair is judged at the end, whatever the order of the operations."""
    referral = came_in(world)
    answer = world.patch(referral["id"], ("/substatus", "Accepted"), ("/status", "Active"))

    assert answer.status_code == 204


def test_acceptance_and_closing_are_dated(world: Any) -> None:
    """Accepting sets the moment of acceptance, closing that of closing."""
    referral = came_in(world)
    dates = []
    for pair in (("Active", "Accepted"), ("Closed", "Won")):
        world.patch(referral["id"], ("/status", pair[0]), ("/substatus", pair[1]))
        now = world.get(referral["id"])
        dates.append((now["acceptedDateTime"] is not None, now["closedDateTime"] is not None))

    assert dates == [(True, False), (True, True)]


def test_closed_is_closed(world: Any) -> None:
    """A closed referral takes no change at all."""
    referral = came_in(world, status="Closed", substatus="Lost")
    answer = world.patch(referral["id"], ("/details/notes", "late"))

    assert told(answer) == (400, "invalidRequest")


def test_visibility_is_one_way(world: Any, deal: dict[str, Any]) -> None:
    """A referral once visible to Microsoft sellers stays visible."""
    path = "/consent/consentToShareReferralWithMicrosoftSellers"
    referral = world.create(deal)
    statuses = [
        world.patch(referral["id"], (path, value)).status_code for value in (False, True, False)
    ]

    assert statuses == [204, 204, 400]


def test_contact_is_frozen_by_co_sell(world: Any, deal: dict[str, Any]) -> None:
    """Once a deal was sent to Microsoft its customer contact cannot be changed."""
    own, _ = world.co_sell(deal)
    answer = world.patch(own["id"], ("/customerProfile/team", [{"email": "other@b.example"}]))

    assert told(answer) == (400, "invalidRequest")


def test_the_rest_is_not_frozen_by_co_sell(world: Any, deal: dict[str, Any]) -> None:
    """A deal sent to Microsoft can still change its value and its team."""
    own, _ = world.co_sell(deal)
    answer = world.patch(own["id"], ("/details/dealValue", 1), ("/team", []))

    assert answer.status_code == 204


def test_microsofts_referral_is_not_ours_to_write(world: Any, deal: dict[str, Any]) -> None:
    """Microsoft's referral of the engagement can be read, not written."""
    _, theirs = world.co_sell(deal)
    answer = world.patch(theirs["id"], ("/details/notes", "x"))

    assert told(answer) == (403, "accessDenied")


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_deal_registration(world: Any, slashes: str) -> None:
    """A won deal can be registered, under the spellings of the connector's definition."""
    referral = came_in(world, status="Closed", substatus="Won")
    contract = {"term": "Finite", "value": 10, "currency": "USD"}
    value = {"type": "AzureIPCoSell", "contract": contract, "solutionDetails": [{"id": "SOL-1"}]}
    body = [{"op": "add", "path": "/registrations/-", "value": value}]
    answer = world.call("PATCH", f"/referrals/{referral['id']}{slashes}", json=body)
    now = world.get(referral["id"])

    seen = (answer.status_code, now["registrationStatus"], now["registrations"][0]["status"])
    assert seen == (204, "ReviewPending", "ReviewPending")


def test_deal_registration_can_be_patched(world: Any) -> None:
    """The documented paths into the first registration lead there, once there is one."""
    referral = came_in(world)
    change = ("/registrations/0/contract/term", "Perpetual")
    statuses = [world.patch(referral["id"], change).status_code]
    body = [{"op": "add", "path": "/registrations/-", "value": {"type": "AzureIPCoSell"}}]
    world.call("PATCH", f"/referrals/{referral['id']}", json=body)
    statuses.append(world.patch(referral["id"], change).status_code)

    term = world.get(referral["id"])["registrations"][0]["contract"]["term"]
    assert (statuses, term) == ([400, 204], "Perpetual")


def whole(referral: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give a referral as a PUT sends it: everything but the links."""
    return {name: value for name, value in referral.items() if name != "links"} | changes


def test_put_replaces(world: Any, deal: dict[str, Any]) -> None:
    """A PUT with the current eTag replaces what may be changed."""
    referral = world.create(deal)
    details = referral["details"] | {"notes": "put", "dealValue": 1}
    answer = world.call(
        "PUT",
        f"/referrals/{referral['id']}",
        json=whole(referral, details=details, status="Closed", substatus="Won"),
        headers={"If-Match": referral["eTag"]},
    )
    now = world.get(referral["id"])

    seen = (answer.status_code, now["details"]["notes"], now["substatus"])
    assert seen == (200, "put", "Won")


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({}, {}, 400),
        ({}, {"If-Match": '"old"'}, 412),
        ({"links": {}}, {"If-Match": "*"}, 400),
        ({"id": "11111111-1111-4111-8111-111111111111"}, {"If-Match": "*"}, 400),
        ({"customerProfile": {"name": "x", "address": {"country": "PL"}}}, {"If-Match": "*"}, 400),
        ({"mpnId": "1"}, {"If-Match": "*"}, 400),
        ({"details": {}}, {"If-Match": "*"}, 400),
    ],
)
def test_put_is_refused(
    world: Any, deal: dict[str, Any], changes: Any, headers: dict[str, str], status: int
) -> None:
    """A PUT without If-Match, with links, or with changes of what is fixed is refused."""
    referral = world.create(deal)
    body = whole(referral, **changes)
    answer = world.call("PUT", f"/referrals/{referral['id']}", json=body, headers=headers)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        ("DELETE /referrals/{id}", 405, "invalidRequest"),
        ("POST /referrals/{id}", 405, "invalidRequest"),
        ("PATCH /referrals", 405, "invalidRequest"),
        ("GET /referrals/11111111-1111-4111-8111-111111111111", 404, "itemNotFound"),
        ("GET /referrals/nonsense", 404, "itemNotFound"),
        ("PATCH /referrals/11111111-1111-4111-8111-111111111111", 404, "itemNotFound"),
        ("GET /solutions", 404, "itemNotFound"),
    ],
)
def test_what_is_not_there(
    world: Any, deal: dict[str, Any], request_line: str, status: int, code: str
) -> None:
    """Other methods answer 405, other addresses and unknown identifiers 404."""
    referral = world.create(deal)
    method, path = request_line.split(" ")
    answer = world.call(method, path.replace("{id}", referral["id"]))

    assert told(answer) == (status, code)


def test_headers_of_every_answer(world: Any, deal: dict[str, Any]) -> None:
    """Correlation headers come back, the server adds its own, errors included."""
    names = ("MS-CorrelationId", "MS-RequestId", "client-request-id")
    sent = dict.fromkeys(names, "5d0c7b1e-93fa-4826-b7d4-0e1f2a3c4b5d")
    for path in ("/referrals", "/referrals/nonsense"):
        answer = world.call("GET", path, headers=sent)
        assert {name: answer.headers[name] for name in sent} == sent
        assert {"request-id", "timestamp"} <= set(answer.headers)


def test_etag_header(world: Any, deal: dict[str, Any]) -> None:
    """The ETag header is the eTag of the body, character by character."""
    referral = world.create(deal)
    answer = world.call("GET", f"/referrals/{referral['id']}")

    assert answer.headers["etag"] == answer.json()["eTag"]


def test_throttling_by_fault(world: Any) -> None:
    """A 429 with the gateway's own shape can be ordered."""
    body = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}
    then = {"status": 429, "headers": {"Retry-After": "57"}, "body": body}
    world.control("faults", match={"path": "/referrals"}, then=then)
    answer = world.call("GET", "/referrals")

    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "57", body)


@pytest.mark.parametrize(
    "name",
    ["dealvalue-team", "dealvalue-notes", "close-won", "add-team-member"],
)
def test_printed_patches_are_taken(
    world: Any, deal: dict[str, Any], samples: Path, name: str
) -> None:
    """The patches Microsoft prints are taken as they are."""
    body = json.loads((samples / f"patch-referral.{name}.request.json").read_text())
    referral = world.create(deal)
    answer = world.call("PATCH", f"/referrals/{referral['id']}", json=body)

    assert answer.status_code == 204


def test_paths_are_those_of_the_connector(samples: Path) -> None:
    """The paths that can be patched are those of Microsoft's own connector, no more, no less."""
    from cosell_emulators.partner_center.patching import PLACES

    known = json.loads((samples / "connector.swagger-enums.json").read_text())
    wanted = {
        *known["patch"]["path"],
        *known["dealRegistration"]["path"],
        *known["dealRegistrationPatchPaths"],
    }

    assert {place.path for place in PLACES.values()} == wanted
