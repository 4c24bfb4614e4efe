"""How a connection breaks, and what the failure of a call without an answer comes to."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import httpx

from .errors import ConnectorError, Happened

_BEGAN = "cosell_began"  # marks a request that has been handed to the wire


def wire_errors() -> tuple[type[Exception], ...]:
    """What sending may raise."""
    aiohttp = _aiohttp()
    return (httpx.RequestError,) if aiohttp is None else (httpx.RequestError, aiohttp.ClientError)


def _aiohttp() -> Any:
    """What is underneath, where it was loaded; else nothing of it can have broken."""
    return sys.modules.get("aiohttp")


async def begin(request: httpx.Request) -> None:
    """Mark *request* as handed to the wire; a hook of httpx."""
    request.extensions[_BEGAN] = True


def happened(sent: httpx.Request) -> Happened:
    """Whether *sent* may have been done, although no answer came."""
    return "maybe" if sent.extensions.get(_BEGAN) else "no"


def transport_error(sent: httpx.Request, error: Exception) -> ConnectorError:
    """The failure that a broken connection comes to."""
    failed = sent
    if isinstance(error, httpx.RequestError):
        with suppress(RuntimeError):  # it has no request where it failed outside of one
            failed = error.request
    host = failed.url.netloc.decode()
    # A token that could not be fetched: the call itself had not begun, or was answered with 401.
    doubt: Happened = happened(sent) if failed.extensions is sent.extensions else "no"
    if _was_refused(error):
        text = f"{host} could not be reached: {error}"
        return unreachable(text, code="no_connection", happened="no")
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return unreachable(f"{host} did not answer in time", code="timeout", happened=doubt)
    text = f"the connection to {host} broke before the answer was complete"
    return unreachable(text, code="connection_lost", happened=doubt)


def _was_refused(error: BaseException) -> bool:
    """Whether there never was a connection to send anything over."""
    cause = error.__cause__
    aiohttp = _aiohttp()
    if aiohttp is not None and isinstance(cause, aiohttp.ClientError):
        # The transport calls every broken connection a ConnectTimeout; aiohttp knows better.
        return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    refusals = (
        httpx.ConnectError
        | httpx.ConnectTimeout
        | httpx.PoolTimeout
        | httpx.ProxyError
        | httpx.UnsupportedProtocol
    )
    return isinstance(error, refusals)


def unreachable(text: str, *, code: str, happened: Happened) -> ConnectorError:
    """The failure of a call that got no answer."""
    return ConnectorError("unavailable", text, code=code, happened=happened)
