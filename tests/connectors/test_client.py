"""Send requests and take the answers."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Connector
from cosell_connectors.transport import download
from cosell_env.connections import Connection

Talking = Callable[..., Any]


def page(items: list[dict[str, Any]], link: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {"value": items}
    if link:
        body["@odata.nextLink"] = link
    return httpx.Response(200, json=body)


def stamped(day: int) -> dict[str, Any]:
    return {"id": str(day), "updatedDateTime": f"2026-11-{day:02}T00:00:00.0000000Z"}


async def test_a_list_is_read_to_its_end(talk: Talking) -> None:
    """Pages are joined, in their order, through Microsoft's misprinted links."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "skiptoken" in str(request.url):
            return page([stamped(1)])
        return page(
            [stamped(3), stamped(2)], "http://api.partner.microsoft.com/v1.0/referrals?$skiptoken=x"
        )

    heard = talk("partner_center", answer)

    made = await heard.client.collect("list_changed_referrals", {})

    assert made == {
        "referrals": [stamped(3), stamped(2), stamped(1)],
        "read_until": "2026-11-03T00:00:00.0000000Z",
    }


async def test_a_list_is_read_no_further_than_needed(talk: Talking) -> None:
    """At the first item older than the watermark, no further page is asked for."""
    heard = talk("partner_center", lambda _: page([stamped(3), stamped(1)], "?$skiptoken=x"))

    made = await heard.client.collect("list_changed_referrals", {"since": "2026-11-02T00:00:00Z"})

    assert (len(made["referrals"]), len(heard.calls)) == (1, 1)


async def test_a_watermark_is_not_sent(talk: Talking) -> None:
    """What a list stops by is ours; the address carries the order alone."""
    heard = talk("partner_center", lambda _: page([]))

    await heard.client.collect("list_changed_referrals", {"since": "2026-11-02T00:00:00Z"})

    assert heard.calls[0].url.query == b"$orderby=updatedDateTime%20desc"


async def test_a_token_never_leaves_its_host(talk: Talking) -> None:
    """A link to another host is followed at our own."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "evil" in str(request.url):
            return page([])
        return page([], "https://evil.example/v1.0/engagements/referrals?evil=1")

    heard = talk("partner_center", answer)

    await heard.client.collect("list_referrals", {})

    assert {one.url.host for one in heard.calls} == {"api.partner.microsoft.com"}


async def test_a_redirect_is_not_followed(talk: Talking) -> None:
    """An answer that sends us elsewhere is an error, and nothing is sent there."""
    heard = talk(
        "salesforce", lambda _: httpx.Response(302, headers={"Location": "https://evil.example/"})
    )

    with pytest.raises(ConnectorError):
        await heard.client.call("limits", {})

    assert len(heard.calls) == 1


async def test_pages_can_be_read_one_by_one(talk: Talking) -> None:
    """Whoever wants answers rather than items gets them as they come."""

    def answer(request: httpx.Request) -> httpx.Response:
        more = (
            {}
            if "01g" in str(request.url)
            else {"nextRecordsUrl": "/services/data/v68.0/query/01g-2"}
        )
        return httpx.Response(200, json={"totalSize": 2, "records": [{}], **more})

    heard = talk("salesforce", answer)

    pages = [one.body async for one in heard.client.pages("query", {"q": "SELECT Id FROM Lead"})]

    assert [one["totalSize"] for one in pages] == [2, 2]


async def test_a_page_that_was_told_of_before_is_asked_for_at_our_own_host(talk: Talking) -> None:
    """Wherever the address was kept meanwhile, a token goes to the connection's host alone."""
    heard = talk("partner_center", lambda _: page([{"id": "1"}]))

    found = await heard.client.page("list_referrals", {}, at="https://evil.example/v1.0/more?at=2")

    assert (found.items, found.following) == ([{"id": "1"}], None)
    assert str(heard.calls[0].url) == "https://api.partner.microsoft.com/v1.0/more?at=2"


async def test_correlation_identifiers_are_new_in_every_call(talk: Talking) -> None:
    """Microsoft's support can tell one call from another."""
    heard = talk("partner_center", lambda _: httpx.Response(200, json={}))

    for _ in range(2):
        await heard.client.call("get_referral", {"id": "1"})

    assert len({one.headers["MS-CorrelationId"] for one in heard.calls}) == 2


async def test_an_error_names_connection_and_operation(talk: Talking) -> None:
    """Whoever reads the error knows what was asked of whom."""
    body = [{"message": "No such column 'foo'", "errorCode": "INVALID_FIELD"}]
    heard = talk("salesforce", lambda _: httpx.Response(400, json=body))

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("query", {"q": "SELECT foo FROM Bar"})

    assert str(caught.value) == "salesforce.query: INVALID_FIELD: No such column 'foo'"


async def test_an_error_names_the_record(talk: Talking) -> None:
    """Whoever reads it knows which record, and which field of it."""
    body = [{"message": "too long", "errorCode": "STRING_TOO_LONG", "fields": ["Name"]}]
    heard = talk("salesforce", lambda _: httpx.Response(400, json=body))
    record = {"object": "Opportunity", "id": "006000000000001AAA"}

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("update_record", {**record, "fields": {}})

    assert (str(caught.value), caught.value.field) == (
        "salesforce.update_record (Opportunity 006000000000001AAA): STRING_TOO_LONG: too long",
        "Name",
    )


async def test_an_unknown_operation_is_named(talk: Talking) -> None:
    """A slip in an operation's name is told with the names there are."""
    heard = talk("salesforce", lambda _: httpx.Response(200))

    with pytest.raises(ConnectorError, match=r"no operation 'qurey'.*describe"):
        await heard.client.call("qurey", {})


def breaking(error: type[httpx.TransportError]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return answer


@pytest.mark.parametrize(
    ("error", "happened"),
    [
        (httpx.ConnectError, "no"),
        (httpx.ConnectTimeout, "no"),
        (httpx.PoolTimeout, "no"),
        (httpx.ProxyError, "no"),
        (httpx.ReadTimeout, "maybe"),
        (httpx.WriteTimeout, "maybe"),
        (httpx.ReadError, "maybe"),
        (httpx.WriteError, "maybe"),
        (httpx.RemoteProtocolError, "maybe"),
    ],
)
async def test_a_broken_write_says_whether_it_may_have_happened(
    talk: Talking, error: type[httpx.TransportError], happened: str
) -> None:
    """Without a connection nothing was sent; once sent, nobody knows."""
    heard = talk("salesforce", breaking(error))

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("create_record", {"object": "Lead", "fields": {}})

    assert (caught.value.error_class, caught.value.happened) == ("unavailable", happened)


async def test_a_read_never_happened(talk: Talking) -> None:
    """Reading changes nothing, however it breaks."""
    heard = talk("salesforce", breaking(httpx.ReadTimeout))

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("limits", {})

    assert caught.value.happened == "no"


async def test_nothing_is_tried_twice(talk: Talking) -> None:
    """Whether to try again is the step's to decide."""
    heard = talk("salesforce", lambda _: httpx.Response(503))

    with pytest.raises(ConnectorError):
        await heard.client.call("limits", {})

    assert len(heard.calls) == 1


async def test_a_call_has_an_end(salesforce: Connector) -> None:
    """However slowly an answer drips, the call ends at its total time."""

    class Dripping(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/token"):
                return httpx.Response(200, json={"access_token": "t"})
            await asyncio.sleep(30)
            raise AssertionError

    settings = {
        "base_url": "https://acme.my.salesforce.com",
        "client_id": "id",
        "client_secret": "s",
        "total_timeout": "50ms",
    }
    connection = Connection(name="salesforce", connector="salesforce", settings=settings)

    with pytest.raises(ConnectorError, match=r"within 0\.05 seconds") as caught:
        async with Client(salesforce, connection, transport=Dripping()) as client:
            await client.call("create_record", {"object": "Lead", "fields": {}})

    assert caught.value.happened == "maybe"


async def test_a_packed_answer_is_unpacked(talk: Talking) -> None:
    """gzip is asked for, and read."""
    packed = gzip.compress(json.dumps({"ok": True}).encode())
    heard = talk(
        "salesforce",
        lambda _: httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"}),
    )

    reply = await heard.client.call("limits", {})

    assert (reply.body, "gzip" in heard.calls[0].headers["Accept-Encoding"]) == ({"ok": True}, True)


async def test_a_missing_setting_is_an_error_of_the_call(talk: Talking) -> None:
    """A flow meets a missing secret as it meets any refusal, with what to do about it."""
    heard = talk("partner_center", lambda _: httpx.Response(200), {})

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("get_referral", {"id": "1"})

    assert (caught.value.error_class, caught.value.code, caught.value.field) == (
        "unauthorized",
        "missing_setting",
        "refresh_token",
    )


@pytest.mark.parametrize("url", ["api.example", "ftp://x", "https://user@x", "https://x?y=1"])
async def test_a_base_url_is_a_plain_address(talk: Talking, url: str) -> None:
    """A base URL that is none is told before anything is sent."""
    heard = talk("salesforce", lambda _: httpx.Response(200), {"base_url": url, "client_id": "i"})

    with pytest.raises(ConnectorError, match="base_url"):
        await heard.client.call("limits", {})

    assert heard.requests == []


CREATED = "2026-11-24T12:00:03.1234567Z"


async def test_a_lost_answer_is_found_again(talk: Talking) -> None:
    """The referral that was made, and whose answer was lost, is found by its reference."""
    made = {"id": "b", "externalReferenceId": "006", "createdDateTime": CREATED}
    heard = talk("partner_center", lambda _: page([made]))

    asked, found = await heard.client.recover(
        "create_referral",
        {"referral": {"externalReferenceId": "006"}},
        intended_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )

    assert (asked, found) == (True, made)


async def test_no_registration_means_it_was_not_made(talk: Talking) -> None:
    """A 404 to the question is an answer: nothing is there."""
    heard = talk("partner_center_events", lambda _: httpx.Response(404, json={"code": 20011}))

    found = await heard.client.recover(
        "register",
        {"url": "https://me/hook", "events": []},
        intended_at=datetime(2026, 11, 24, tzinfo=UTC),
    )

    assert found == (True, None)


async def test_a_certificate_is_small(events: Connector) -> None:
    """A file larger than a certificate can be is not read to its end."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 70_000))

    with pytest.raises(ConnectorError, match="larger"):
        await download("https://certs.example/a.cer", transport=transport)


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_certificate_that_is_not_there_is_said_so(status: int) -> None:
    """A redirect is not followed, and an error page is no certificate."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, headers={"Location": "https://evil.example/"})
    )

    with pytest.raises(ConnectorError, match=f"status {status}"):
        await download("https://certs.example/a.cer", transport=transport)


async def test_a_call_without_a_body_says_its_type(talk: Talking) -> None:
    """Microsoft's own definition asks for it on every verb."""
    heard = talk("partner_center", lambda _: page([stamped(1)]))

    made = await heard.client.collect("list_referrals", {"top": 1, "skip": 2, "count": True})

    assert heard.calls[0].headers["Content-Type"] == "application/json"
    assert (heard.calls[0].url.query, made["total"]) == (b"$top=1&$skip=2&$count=true", None)


async def test_the_time_there_goes_on_from_the_last_answer(talk: Talking) -> None:
    """It is later there than its last answer said by what has passed here since."""
    said = {"Date": "Fri, 27 Nov 2026 03:00:00 GMT"}
    heard = talk("partner_center", lambda _: httpx.Response(200, json={"value": []}, headers=said))
    before = heard.client.time_there()

    await heard.client.collect("list_changed_referrals", {})

    at_least = datetime(2026, 11, 27, 3, tzinfo=UTC)
    assert before is None
    assert at_least <= heard.client.time_there() < at_least + timedelta(hours=1)
