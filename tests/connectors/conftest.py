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
from cosell_connectors.model import Connector
from cosell_connectors.parsing import load
from cosell_env.connections import Connection, Sources

ROOT = Path(__file__).parents[2]

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
