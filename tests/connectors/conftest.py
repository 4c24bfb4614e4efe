"""Connectors as they ship, and clients whose other side is a function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Connector
from cosell_connectors.parsing import load
from cosell_emulators.salesforce import SalesforceEmulator
from cosell_emulators.stage import stage
from cosell_env.connections import Connection, Sources

ROOT = Path(__file__).parents[2]
ADDRESS = "http://org.example"

Handler = Callable[[httpx.Request], httpx.Response]

SETTINGS = {
    "salesforce": {
        "base_url": "https://acme.my.salesforce.com",
        "client_id": "id",
        "client_secret": "s3cret",
    },
    "partner_center": {
        "token_url": "https://login.example/token",
        "client_id": "id",
        "client_secret": "s3cret",
        "refresh_token": "r3fresh",
    },
}
SETTINGS["partner_center_events"] = SETTINGS["partner_center"]


@cache
def _shipped(name: str) -> Connector:
    return load(ROOT / "connectors" / name / "connector.yaml")


@pytest.fixture
def salesforce() -> Connector:
    return _shipped("salesforce")


@pytest.fixture
def partner_center() -> Connector:
    return _shipped("partner_center")


@pytest.fixture
def events() -> Connector:
    return _shipped("partner_center_events")


@dataclass
class Talk:
    """A client, and every request it has sent."""

    client: Client
    requests: list[httpx.Request]

    @property
    def calls(self) -> list[httpx.Request]:
        """The requests that were not for a token."""
        return [one for one in self.requests if not one.url.path.endswith("/token")]

    @property
    def tokens(self) -> list[httpx.Request]:
        """The requests for a token."""
        return [one for one in self.requests if one.url.path.endswith("/token")]


@pytest.fixture
async def talk() -> AsyncIterator[Callable[..., Talk]]:
    """Make a client of a shipped connector whose other side is a function; tokens are given out."""
    clients: list[Client] = []

    def make(
        name: str, handler: Handler, settings: dict[str, str] | None = None, **more: Any
    ) -> Talk:
        requests: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            # A copy: signing a request again changes the one that was sent before.
            requests.append(
                httpx.Request(
                    request.method, request.url, headers=request.headers, content=request.content
                )
            )
            if request.url.path.endswith("/token"):
                number = sum(one.url.path.endswith("/token") for one in requests)
                return httpx.Response(
                    200, json={"access_token": f"T{number}", "expires_in": "3600"}
                )
            return handler(request)

        connection = Connection(
            name=name,
            connector=name,
            settings=SETTINGS[name] if settings is None else settings,
            sources=Sources(),
        )
        client = Client(_shipped(name), connection, transport=httpx.MockTransport(answer), **more)
        clients.append(client)
        return Talk(client, requests)

    yield make
    for client in clients:
        await client.aclose()


@dataclass
class Org:
    """An org in this process, and a client of it."""

    emulator: SalesforceEmulator
    client: Client
    http: httpx.AsyncClient

    async def ask(self, operation: str, /, **arguments: Any) -> Any:
        """An operation's output."""
        return await self.client.collect(operation, arguments)

    async def refused(self, operation: str, /, **arguments: Any) -> ConnectorError:
        """What an operation fails with."""
        with pytest.raises(ConnectorError) as caught:
            await self.client.collect(operation, arguments)
        return caught.value

    async def made(self, kind: str, **fields: Any) -> str:
        """The id of a new record."""
        return str((await self.ask("create_record", object=kind, fields=fields))["id"])

    async def lead(self, **fields: Any) -> str:
        """A new lead."""
        return await self.made("Lead", **{"LastName": "Doe", "Company": "Acme", **fields})

    async def read(self, kind: str, key: str) -> Any:
        """A record as it is."""
        return await self.ask("get_record", object=kind, id=key)

    async def control(self, what: str, body: Any = None) -> Any:
        """Ask the emulator for what only tests may have."""
        method = "GET" if body is None else "POST"
        answer = await self.http.request(method, f"/__sandbox__/{what}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def user(self, name: str) -> str:
        """The id of a user of the demo."""
        return str(self.emulator.org.user(f"{name}@cosell.example.com").id)


@pytest.fixture
async def org(salesforce: Connector) -> AsyncIterator[Org]:
    emulator = SalesforceEmulator(ADDRESS, seed="demo")
    app = stage(emulator)
    settings = {
        "base_url": ADDRESS,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
    }
    client = Client(
        salesforce,
        Connection(name="salesforce", connector="salesforce", settings=settings, sources=Sources()),
        transport=httpx.ASGITransport(app),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS) as http:
        yield Org(emulator, client, http)
        await client.aclose()
