"""aiosalesforce, an asynchronous client that knows one kind of host, works with the emulator."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from .conftest import python_packages

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("salesforce-clients"), pytest.mark.long]


@pytest.fixture(scope="module")
def library() -> Iterator[Any]:
    folder = python_packages("aiosalesforce", ("aiosalesforce==0.6.2",))
    sys.path.append(str(folder))  # behind everything of our own
    import aiosalesforce

    yield aiosalesforce
    sys.path.remove(str(folder))


class Turned(httpx.AsyncHTTPTransport):
    """Sends what is meant for an org's own domain to the emulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        where = self._url
        request.url = request.url.copy_with(scheme=where.scheme, host=where.host, port=where.port)
        return await super().handle_async_request(request)


@pytest.fixture
async def client(library: Any, org: Any) -> AsyncIterator[Any]:
    """The client, logged in by client credentials at the org's own domain."""
    async with httpx.AsyncClient(transport=Turned(org.url)) as http:
        auth = library.ClientCredentialsFlow(
            client_id=org.ready["client_id"], client_secret=org.ready["client_secret"]
        )
        yield library.Salesforce(http, base_url="https://acme.my.salesforce.com", auth=auth)


async def test_rows_through_their_life(client: Any) -> None:
    """A row is made, changed, read and deleted; then it is gone."""
    key = await client.sobject.create("Contact", {"LastName": "Aio"})
    await client.sobject.update("Contact", key, {"FirstName": "A"})
    read = await client.sobject.get("Contact", key)
    await client.sobject.delete("Contact", key)

    with pytest.raises(Exception, match="ENTITY_IS_DELETED"):
        await client.sobject.get("Contact", key)
    assert (read["Name"], read["attributes"]["type"]) == ("A Aio", "Contact")


async def test_a_key_makes_a_row_once(client: Any) -> None:
    """The second time it is changed, and the client is told which it was."""
    row = {"Name": "A", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    asked = ("Opportunity", "aio-1", "Referral_Identifier__c", row)
    told = [(await client.sobject.upsert(*asked)).created for _ in range(2)]

    assert told == [True, False]


async def test_a_query_goes_through_its_pages(client: Any, org: Any) -> None:
    """All rows come, whatever the size of a page."""
    org.control("org", page_size=7)
    names = [row["Name"] async for row in client.query("SELECT Name FROM Account")]

    assert len(names) == org.query("SELECT COUNT(Id) n FROM Account")[0]["n"] > 20


async def test_rows_are_loaded_in_bulk(client: Any) -> None:
    """Good rows are told from bad ones."""
    rows = [{"LastName": f"Bulk {n}"} for n in range(5)] + [{"LastName": "", "FirstName": "No"}]
    done = await client.bulk_v2.insert("Contact", rows)

    assert (len(done.successful_results), len(done.failed_results)) == (5, 1)


async def test_a_refusal_has_its_code(client: Any) -> None:
    """What is missing is said in the platform's words."""
    with pytest.raises(Exception, match="REQUIRED_FIELD_MISSING"):
        await client.sobject.create("Contact", {})


async def test_the_limits_are_counted(client: Any) -> None:
    """What is left of the day shrinks."""
    first, second = [(await client.get_limits())["DailyApiRequests"] for _ in range(2)]

    assert first["Remaining"] - second["Remaining"] == 1
