"""A client whose requests are really built and answers really read, with a script in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import httpx

from cosell_env.connections import Connection

from .client import Client
from .imitating import Answered
from .model import Connector


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request, as it went out."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes


class Lost(Exception):
    """The request arrived, and its answer is lost on the way."""


class Late(Exception):
    """The answer does not come in time."""


Script = Callable[[Sent], Answered]
"""Answers a request; raises Lost or Late where no answer comes, ConnectorError to fail outright."""


class Time(Protocol):
    """What tells the client the time, and lets it pass."""

    def now(self) -> datetime:
        """The time, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""


def scripted_client(connector: Connector, *, connection: str, script: Script, time: Time) -> Client:
    """A client of *connector* that asks *script* instead of the wire, and needs no account."""
    settings = {} if connector.base_url else {"base_url": f"https://{connector.name}.example"}
    bound = Connection(name=connection, connector=connector.name, settings=settings)
    # Without a way to sign in, no token is fetched: the script answers operations only.
    return Client(
        replace(connector, auth=()),
        bound,
        transport=_Transport(script),
        clock=lambda: time.now().timestamp(),
        sleep=time.sleep,
    )


class _Transport(httpx.AsyncBaseTransport):
    """Hands every request to the script."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The script's answer, or what happens where it has none."""
        sent = Sent(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            content=await request.aread(),
        )
        try:
            made = self._script(sent)
        except Lost as lost:
            raise httpx.ReadError(str(lost) or "the answer was lost", request=request) from None
        except Late:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        return httpx.Response(
            made.status, headers=dict(made.headers), content=made.content, request=request
        )
