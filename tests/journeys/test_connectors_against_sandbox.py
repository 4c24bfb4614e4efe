"""The connectors against the emulators, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from cosell_connectors.certificates import Doorkeeper
from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.hooks import Event
from cosell_connectors.parsing import load
from cosell_connectors.transport import download
from cosell_emulators.sandbox import Sandbox
from cosell_env.connections import Connection, Sources

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("connectors")]

ROOT = Path(__file__).parents[2]

REFERRAL = {
    "name": "A deal",
    "type": "Shared",
    "externalReferenceId": "006000000000001AAA",
    "customerProfile": {
        "name": "Fabrikam",
        "address": {"addressLine1": "1 Road", "city": "Redmond", "country": "US"},
        "team": [
            {
                "firstName": "Ann",
                "lastName": "Lee",
                "email": "ann@fabrikam.test",
                "phoneNumber": "+1 425 555 0100",
            }
        ],
    },
    "consent": {
        "consentToToShareInfoWithOthers": True,
        "consentToContact": True,
        "consentToShareReferralWithMicrosoftSellers": True,
    },
    "details": {
        "dealValue": Decimal("1234567.89"),
        "currency": "USD",
        "closingDateTime": datetime(2027, 3, 31, tzinfo=UTC),
        "requirements": {"solutions": [{"id": "SOL-12345-ABC", "type": "Name"}]},
    },
    "inviteContext": {"assistanceRequestCode": "GeneralOrOther"},
}


@dataclass
class World:
    """The two systems, and a client for each connection."""

    env: dict[str, str]
    salesforce_url: str
    partner_center_url: str
    http: httpx.AsyncClient
    clients: dict[str, Client] = field(default_factory=dict)

    def connection(self, name: str, **overrides: str) -> Connection:
        """A connection as a project has it."""
        changed = {f"COSELL_CONNECTION_{name.upper()}_{k.upper()}": v for k, v in overrides.items()}
        return Connection(
            name=name, connector=name, sources=Sources(process={**self.env, **changed})
        )

    def client(self, name: str, **overrides: str) -> Client:
        """A client of one of the shipped connectors."""
        connector = load(ROOT / "connectors" / name / "connector.yaml")
        key = f"{name}{sorted(overrides.items())}"
        if key not in self.clients:
            self.clients[key] = Client(connector, self.connection(name, **overrides))
        return self.clients[key]

    @property
    def salesforce(self) -> Client:
        """The client of Salesforce."""
        return self.client("salesforce")

    @property
    def partner_center(self) -> Client:
        """The client of Partner Center."""
        return self.client("partner_center")

    @property
    def events(self) -> Client:
        """The client of Partner Center's webhooks."""
        return self.client("partner_center_events")

    async def control(self, url: str, call: str, body: dict[str, Any]) -> None:
        """Change how an emulator behaves."""
        answer = await self.http.post(f"{url}/__sandbox__/{call}", json=body)
        assert answer.is_success, answer.text

    async def requests(self, url: str) -> list[dict[str, Any]]:
        """What an emulator was asked since the last reset."""
        answer = await self.http.get(f"{url}/__sandbox__/requests")
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    """Both emulators, in a thread of their own."""
    with Sandbox() as found:
        yield found


@pytest.fixture
async def world(ready: dict[str, Any]) -> AsyncIterator[World]:
    async with httpx.AsyncClient() as http:
        made = World(
            env=ready["env"],
            salesforce_url=ready["salesforce"]["url"],
            partner_center_url=ready["partner_center"]["url"].removesuffix("/v1.0/engagements"),
            http=http,
        )
        for url in (made.salesforce_url, made.partner_center_url):
            await made.control(url, "reset", {"seed": "demo"})
        yield made
        for client in made.clients.values():
            await client.aclose()


async def failure(client: Client, operation: str, arguments: dict[str, Any]) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await client.collect(operation, arguments)
    return caught.value


# -- Salesforce


@pytest.mark.parametrize(
    "name",
    ["A+B % & = # ? / C", "O\\'Brien", "Ærø ☃ 日本", 'say "x"', "a%2Fb%20c"],
)
async def test_any_text_survives_a_query(world: World, name: str) -> None:
    """Whatever a name holds, it is found again by it."""
    plain = name.replace("\\'", "'")
    made = await world.salesforce.collect(
        "create_record", {"object": "Account", "fields": {"Name": plain}}
    )

    found = await world.salesforce.collect(
        "query", {"q": f"SELECT Id, Name FROM Account WHERE Name = '{name}'"}
    )

    assert [(one["Id"], one["Name"]) for one in found["records"]] == [(made["id"], plain)]


async def test_all_pages_of_a_query_are_read(world: World) -> None:
    """A query of more records than fit a page gives all of them."""
    records = [{"LastName": f"Person {number}"} for number in range(200)]
    for _ in range(11):
        await world.salesforce.collect("create_records", {"object": "Contact", "records": records})

    found = await world.salesforce.collect(
        "query", {"q": "SELECT Id FROM Contact WHERE LastName LIKE 'Person %'"}
    )

    assert (len(found["records"]), found["total_size"]) == (2200, 2200)


async def test_money_keeps_its_digits(world: World) -> None:
    """What is written as a decimal is read as the same decimal."""
    fields = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2027-03-31"}
    made = await world.salesforce.collect(
        "create_record",
        {"object": "Opportunity", "fields": {**fields, "Amount": Decimal("1234567.89")}},
    )

    read = await world.salesforce.collect(
        "get_record", {"object": "Opportunity", "id": made["id"], "fields": ["Amount"]}
    )

    assert read["Amount"] == Decimal("1234567.89")


async def test_an_upsert_twice_makes_one_record(world: World) -> None:
    """The key of an upsert is what makes it safe to repeat."""
    arguments = {
        "object": "Opportunity",
        "key_field": "Referral_Identifier__c",
        "key": "31a40b52-cda1-5004-ada6-add410fe614c",
        "fields": {"Name": "D", "StageName": "Prospecting", "CloseDate": "2027-03-31"},
    }

    made = [await world.salesforce.collect("upsert_record", arguments) for _ in range(2)]

    assert made[0]["id"] == made[1]["id"]


async def test_a_record_that_moved_is_a_conflict(world: World) -> None:
    """An update of what somebody changed meanwhile is refused, and did not happen."""
    (account,) = (await world.salesforce.collect("query", {"q": "SELECT Id FROM Account LIMIT 1"}))[
        "records"
    ]
    stale = datetime.now(UTC) - timedelta(days=4000)

    error = await failure(
        world.salesforce,
        "update_record",
        {
            "object": "Account",
            "id": account["Id"],
            "fields": {"Name": "X"},
            "unmodified_since": stale,
        },
    )

    assert (error.error_class, error.status, error.happened) == ("conflict", 412, "no")


@pytest.mark.parametrize(
    ("operation", "arguments", "error_class", "code"),
    [
        ("query", {"q": "SELEKT"}, "invalid", "MALFORMED_QUERY"),
        ("query", {"q": "SELECT Foo FROM Account"}, "invalid", "INVALID_FIELD"),
        ("get_record", {"object": "Account", "id": "001000000000000AAA"}, "not_found", "NOT_FOUND"),
        ("create_record", {"object": "Account", "fields": {}}, "invalid", "REQUIRED_FIELD_MISSING"),
    ],
)
async def test_salesforce_refusals_have_a_class(
    world: World, operation: str, arguments: dict[str, Any], error_class: str, code: str
) -> None:
    """What Salesforce refuses keeps its code, and gets a class flows can name."""
    error = await failure(world.salesforce, operation, arguments)

    assert (error.error_class, error.code) == (error_class, code)


async def test_a_deleted_record_is_called_deleted(world: World) -> None:
    """Writing to what is in the recycle bin is not the same as writing to what never was."""
    made = await world.salesforce.collect(
        "create_record", {"object": "Account", "fields": {"Name": "Gone"}}
    )
    target = {"object": "Account", "id": made["id"]}
    await world.salesforce.collect("delete_record", target)

    error = await failure(world.salesforce, "update_record", {**target, "fields": {"Name": "X"}})

    assert error.error_class == "deleted"


async def test_what_was_deleted_is_listed(world: World) -> None:
    """The deletions of the last hour name the record that was deleted."""
    made = await world.salesforce.collect(
        "create_record", {"object": "Account", "fields": {"Name": "Gone"}}
    )
    await world.salesforce.collect("delete_record", {"object": "Account", "id": made["id"]})
    now = datetime.now(UTC)

    listed = await world.salesforce.collect(
        "list_deleted",
        {
            "object": "Account",
            "start": now - timedelta(hours=1),
            "end": now + timedelta(minutes=5),
        },
    )

    assert made["id"] in [one["id"] for one in listed["deleted"]]


@pytest.mark.parametrize("operation", ["limits", "who_am_i"])
async def test_the_org_can_be_asked_about(world: World, operation: str) -> None:
    """A connection is tested by asking who one is, and what is left."""
    assert await world.salesforce.collect(operation, {})


async def test_a_describe_tells_the_fields(world: World) -> None:
    """The fields of an object are known by their API names."""
    described = await world.salesforce.collect("describe", {"object": "Opportunity"})

    assert "Referral_Identifier__c" in [one["name"] for one in described["fields"]]


async def test_salesforce_takes_a_signed_assertion(world: World, ready: dict[str, Any]) -> None:
    """With a key and a user's name, no secret is sent at all."""
    theirs = ready["salesforce"]
    settings = {
        "base_url": theirs["url"],
        "client_id": theirs["client_id"],
        "username": theirs["username"],
        "private_key": Path(theirs["jwt_key_file"]).read_text(),
    }
    connection = Connection(name="salesforce", connector="salesforce", settings=settings)

    async with Client(world.salesforce.connector, connection) as client:
        told = await client.collect("who_am_i", {})

    assert told["preferred_username"] == theirs["username"]


# -- Partner Center


async def test_changes_are_read_down_to_a_watermark(world: World) -> None:
    """Reading again from the watermark gives what is as new, and no more."""
    everything = await world.partner_center.collect("list_changed_referrals", {})

    again = await world.partner_center.collect(
        "list_changed_referrals", {"since": everything["read_until"]}
    )

    assert (len(everything["referrals"]) >= 15, len(again["referrals"])) == (True, 1)


async def test_a_referral_is_made_and_read(world: World) -> None:
    """What was sent is what is read, the deal value with its digits."""
    made = await world.partner_center.collect("create_referral", {"referral": REFERRAL})

    read = await world.partner_center.collect("get_referral", {"id": made["id"]})

    assert read["details"]["dealValue"] == Decimal("1234567.89")


async def test_a_patch_answers_with_the_referral(world: World) -> None:
    """An update gives the new eTag back, so that nothing need be read again."""
    made = await world.partner_center.collect("create_referral", {"referral": REFERRAL})

    patched = await world.partner_center.collect(
        "update_referral",
        {
            "id": made["id"],
            "operations": [{"op": "replace", "path": "/details/notes", "value": "Ærø ☃"}],
            "if_match": made["eTag"],
        },
    )

    assert (patched["details"]["notes"], patched["eTag"] != made["eTag"]) == ("Ærø ☃", True)


async def test_an_old_etag_is_a_conflict(world: World) -> None:
    """The loser of a race reads again."""
    made = await world.partner_center.collect("create_referral", {"referral": REFERRAL})
    patch = {
        "id": made["id"],
        "operations": [{"op": "replace", "path": "/details/notes", "value": "x"}],
        "if_match": made["eTag"],
    }
    await world.partner_center.collect("update_referral", patch)

    error = await failure(world.partner_center, "update_referral", patch)

    assert (error.error_class, error.happened) == ("conflict", "no")


@pytest.mark.parametrize(
    ("cut", "made"),
    [("before", False), ("after", True)],
)
async def test_a_cut_off_post_can_be_asked_about(world: World, cut: str, made: bool) -> None:
    """Whether a referral was made whose answer was lost is found out, either way."""
    await world.control(
        world.partner_center_url,
        "faults",
        {"match": {"method": "POST", "path": "/referrals"}, "then": {"drop": cut}},
    )
    arguments = {"referral": {**REFERRAL, "externalReferenceId": "006-lost"}}
    at = datetime.now(UTC)
    error = await failure(world.partner_center, "create_referral", arguments)
    assert error.happened == "maybe"

    asked, found = await world.partner_center.recover("create_referral", arguments, intended_at=at)

    assert (asked, found is not None) == (True, made)


async def test_microsofts_half_can_be_asked_about(world: World) -> None:
    """The connected referral is told from our own by its target."""
    ours = await world.partner_center.collect("create_referral", {"referral": REFERRAL})
    await world.control(
        world.partner_center_url,
        "faults",
        {"match": {"method": "POST", "path": "/referrals"}, "then": {"drop": "after"}},
    )
    arguments = {
        "referral": {
            **REFERRAL,
            "externalReferenceId": None,
            "engagementId": ours["engagementId"],
            "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
        }
    }
    at = datetime.now(UTC)
    await failure(world.partner_center, "create_referral", arguments)

    _, found = await world.partner_center.recover("create_referral", arguments, intended_at=at)

    assert found is not None
    assert found["id"] != ours["id"]


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_broken_read_is_sent_once(world: World, cut: str) -> None:
    """Not even a read is tried again behind the step's back."""
    listed = await world.partner_center.collect("list_changed_referrals", {})
    target = {"id": listed["referrals"][0]["id"]}
    await world.partner_center.collect("get_referral", target)
    await world.control(
        world.partner_center_url,
        "faults",
        {"match": {"method": "GET", "path": target["id"]}, "then": {"drop": cut}},
    )

    error = await failure(world.partner_center, "get_referral", target)

    asked = [
        one for one in await world.requests(world.partner_center_url) if target["id"] in one["path"]
    ]
    assert (error.code, [one["fault"] for one in asked]) == (
        "connection_lost",
        [None, f"drop_{cut}"],
    )


async def test_being_throttled_says_how_long(world: World) -> None:
    """The pause Partner Center asks for reaches whoever decides about it."""
    await world.control(
        world.partner_center_url,
        "faults",
        {
            "match": {"method": "GET", "path": "/referrals"},
            "then": {
                "status": 429,
                "headers": {"Retry-After": "57"},
                "body": {"statusCode": 429, "message": "Try again in 57 seconds."},
            },
        },
    )

    error = await failure(world.partner_center, "list_referrals", {})

    assert (error.error_class, error.retry_after) == ("rate_limited", timedelta(seconds=57))


async def test_a_slow_answer_is_not_waited_for_for_ever(world: World) -> None:
    """A call ends at its time, and says that the write may have happened."""
    client = world.client("partner_center", read_timeout="200ms")
    await client.collect("list_referrals", {"top": 1})
    await world.control(
        world.partner_center_url,
        "faults",
        {"match": {"method": "POST", "path": "/referrals"}, "then": {"delay_ms": 1500}},
    )

    error = await failure(client, "create_referral", {"referral": REFERRAL})

    assert (error.error_class, error.code, error.happened) == ("unavailable", "timeout", "maybe")


async def test_nobody_there_means_it_did_not_happen(world: World) -> None:
    """A refused connection leaves no doubt."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = world.client("salesforce", base_url=url, token_url=f"{url}/token")

        error = await failure(client, "create_record", {"object": "Lead", "fields": {}})

    assert (error.error_class, error.code, error.happened) == ("unavailable", "no_connection", "no")


async def test_expired_tokens_are_renewed_once_for_all(world: World) -> None:
    """Eight calls that find the token expired fetch one between them."""
    await world.partner_center.collect("list_referrals", {"top": 1})
    await world.control(world.partner_center_url, "clock", {"advance_s": 4000})

    await asyncio.gather(
        *(world.partner_center.collect("list_referrals", {"top": 1}) for _ in range(8))
    )

    asked = await world.requests(world.partner_center_url)
    assert sum(one["path"].endswith("/token") for one in asked) == 2


async def test_a_refused_refresh_token_is_for_a_person(world: World) -> None:
    """A connection that lost its rights says so, and says no secret."""
    client = world.client("partner_center", refresh_token="hunter2")

    error = await failure(client, "list_referrals", {})

    assert (error.error_class, "hunter2" in str(error)) == ("unauthorized", False)


# -- Events


class Receiver:
    """A door for webhooks, on a socket of its own."""

    def __init__(self, door: Doorkeeper) -> None:
        self._door = door
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/webhooks/partner-center"

    async def __aenter__(self) -> Receiver:
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app, interface="asgi3", log_level="error", lifespan="off", ws="none"
            )
        )
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._task
        self._socket.close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        await self.events.put(await self._door.admit(headers, body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_a_change_over_there_is_told_to_us(world: World) -> None:
    """Register, change a referral, and a signed webhook names it."""
    webhook = world.events.connector.webhook
    assert webhook is not None
    door = Doorkeeper(webhook, world.connection("partner_center_events"), download=download)
    async with Receiver(door) as receiver:
        await world.events.collect(
            "register", {"url": receiver.url, "events": ["referral-created", "test-created"]}
        )
        made = await world.partner_center.collect("create_referral", {"referral": REFERRAL})

        async with asyncio.timeout(10):
            event = await receiver.events.get()
            while event.resource_id != made["id"]:  # of what was made before we registered
                event = await receiver.events.get()

    assert (event.name, event.resource_id) == ("referral-created", made["id"])


async def test_a_test_event_reports_how_it_went(world: World) -> None:
    """The round trip of a test event can be followed to its end."""
    webhook = world.events.connector.webhook
    assert webhook is not None
    door = Doorkeeper(webhook, world.connection("partner_center_events"), download=download)
    async with Receiver(door) as receiver:
        await world.events.collect("register", {"url": receiver.url, "events": ["test-created"]})
        sent = await world.events.collect("send_test", {})
        await asyncio.wait_for(receiver.events.get(), timeout=10)

        result: dict[str, Any] = {}
        for _ in range(50):
            result = await world.events.collect("test_result", sent)
            if result.get("status") == "completed":
                break
            await asyncio.sleep(0.1)

    assert (result["status"], result["callbackUrl"]) == ("completed", receiver.url)


async def test_there_is_one_registration(world: World) -> None:
    """None at first, then one; a second is a conflict, and replaces it only when asked to."""
    first = {"url": "http://127.0.0.1:1/a", "events": ["referral-updated"]}
    second = {**first, "url": "http://127.0.0.1:1/b"}
    classes = [(await failure(world.events, "view_registration", {})).error_class]
    await world.events.collect("register", first)
    classes.append((await failure(world.events, "register", second)).error_class)

    await world.events.collect("replace_registration", second)

    viewed = await world.events.collect("view_registration", {})
    assert (classes, viewed["WebhookUrl"]) == (["not_found", "conflict"], second["url"])
