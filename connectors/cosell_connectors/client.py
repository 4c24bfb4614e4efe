"""Send requests and take the answers: the one client of all connectors.

It never sleeps and never tries again, but for one new token after a 401: whether to try again is
the step's to decide. What it raises says whether the write may have happened.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from cosell_env.connections import Connection, MissingSetting

from . import incoming, outgoing, paging, recovering
from .errors import ConnectorError, Happened
from .hooks import LARGEST_CERTIFICATE
from .incoming import Reply
from .model import Connector, Operation
from .signing import Rotation, signature

USER_AGENT = "cosell"
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_BEGAN = "cosell_began"  # marks a request that has been handed to the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """What a connection comes to, once its settings are read."""

    http: httpx.AsyncClient
    base_url: str
    settings: Mapping[str, str]
    total: float  # seconds a call may take


class Client:
    """Calls the operations of one connector, over one connection."""

    def __init__(
        self,
        connector: Connector,
        connection: Connection,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_rotation: Rotation | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.connector = connector
        self.connection = connection
        self._transport = transport
        self._on_rotation = on_rotation
        self._clock = clock
        self._opened: _Bound | None = None

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def call(self, operation: str, arguments: Mapping[str, Any]) -> Reply:
        """Do *operation* once and hand over the answer; of a list, its first page."""
        with self._naming(operation) as described:
            return await self._send(described, self._request(described, arguments))

    async def pages(self, operation: str, arguments: Mapping[str, Any]) -> AsyncIterator[Reply]:
        """The pages of a list, one after the other, until its end or its `stop`."""
        async for reply, _ in self._walk(operation, arguments):
            yield reply

    async def collect(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """The operation's output, as its connector file declares it; a list with all its pages."""
        first: Reply | None = None
        collected: list[Any] = []
        async for reply, kept in self._walk(operation, arguments):
            first = first or reply
            collected += kept
        with self._naming(operation) as described:
            return paging.output(described, first.body if first else None, collected)

    async def recover(
        self, operation: str, arguments: Mapping[str, Any], *, intended_at: datetime
    ) -> tuple[bool, Mapping[str, Any] | None]:
        """Ask whether a write happened whose answer was lost: could it be asked, and its record."""
        with self._naming(operation) as described:
            asked = recovering.question(described, arguments, intended_at=intended_at)
        if asked is None:
            return False, None
        try:
            output = await self.collect(asked.operation, asked.arguments)
        except ConnectorError as error:
            if error.error_class == "not_found":
                return True, None
            raise
        return True, recovering.found(asked, output, arguments)

    async def aclose(self) -> None:
        """Close the connections that are kept open."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.http.aclose()

    @contextmanager
    def _naming(self, name: str) -> Iterator[Operation]:
        """The operation called *name*; whatever goes wrong with it carries its name."""
        operation = self.connector.operations.get(name)
        try:
            if operation is None:
                known = ", ".join(sorted(self.connector.operations))
                text = f"{self.connector.name} has no operation {name!r}; it has {known}"
                raise ConnectorError("invalid", text, code="no_such_operation")
            yield operation
        except MissingSetting as missing:
            raise ConnectorError(
                "unauthorized",
                str(missing),
                code="missing_setting",
                connection=self.connection.name,
                operation=name,
                field=missing.key,
            ) from missing
        except ConnectorError as error:
            error.connection = error.connection or self.connection.name
            error.operation = error.operation or name
            if operation is not None and operation.effect == "read":
                error.happened = "no"
            raise

    async def _walk(
        self, name: str, arguments: Mapping[str, Any]
    ) -> AsyncIterator[tuple[Reply, list[Any]]]:
        """Each page of a list with the items that are asked for; of anything else, its answer."""
        with self._naming(name) as operation:
            request: outgoing.Outgoing | None = self._request(operation, arguments)
            given = outgoing.fill(operation, arguments)
        while request is not None:
            with self._naming(name):
                reply = await self._send(operation, request)
                kept, following = self._turn(operation, given, reply, current=request.url)
            yield reply, kept
            request = replace(request, url=following) if following else None

    def _turn(
        self, operation: Operation, given: Mapping[str, Any], reply: Reply, *, current: str
    ) -> tuple[list[Any], str | None]:
        if operation.paging is None:
            return [], None
        page = paging.items(operation.paging, reply.body)
        kept, ended = paging.until(operation.paging, page, given)
        if ended:
            return kept, None
        base_url = self._bound().base_url
        return kept, paging.next_url(
            operation.paging, reply.body, current=current, base_url=base_url
        )

    def _request(self, operation: Operation, arguments: Mapping[str, Any]) -> outgoing.Outgoing:
        bound = self._bound()
        return outgoing.build(
            self.connector,
            operation,
            arguments,
            base_url=bound.base_url,
            settings=bound.settings,
        )

    async def _send(self, operation: Operation, request: outgoing.Outgoing) -> Reply:
        bound = self._bound()
        headers = dict(request.headers)
        headers |= {name: str(uuid4()) for name in self.connector.unique_headers}
        sent = bound.http.build_request(
            request.method, request.url, headers=headers, content=request.content
        )
        try:
            async with asyncio.timeout(bound.total):
                response = await bound.http.send(sent)
        except TimeoutError as error:
            text = f"there was no whole answer within {bound.total:g} seconds"
            raise _unreachable(text, code="timeout", happened=_happened(sent)) from error
        except (httpx.RequestError, aiohttp.ClientError) as error:
            raise _transport_error(sent, error) from error
        return incoming.read(
            self.connector.errors,
            status=response.status_code,
            headers=response.headers,
            content=response.content,
            now=datetime.fromtimestamp(self._clock(), UTC),
        )

    def _bound(self) -> _Bound:
        if self._opened is None:
            base_url = _base_url(self.connector, self.connection)
            auth = signature(
                self.connector,
                self.connection,
                base_url=base_url,
                on_rotation=self._on_rotation,
                clock=self._clock,
            )
            self._opened = _Bound(
                http=self._http(auth),
                base_url=base_url,
                settings={
                    name: self.connection.text(name) or default
                    for name, default in self.connector.settings.items()
                },
                total=self.connection.seconds("total_timeout", 120),
            )
        return self._opened

    def _http(self, auth: httpx.Auth | None) -> httpx.AsyncClient:
        limit = self.connector.rate_limit
        total = self.connection.seconds("total_timeout", 120)
        read = self.connection.seconds("read_timeout", 60)
        connect = self.connection.seconds("connect_timeout", 10)
        return httpx.AsyncClient(
            auth=auth,
            transport=self._transport or _Transport(most=limit.concurrent if limit else 20),
            timeout=httpx.Timeout(connect=connect, read=read, write=read, pool=total),
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
            event_hooks={"request": [_begin]},
            follow_redirects=False,
            trust_env=False,  # our transport asks the environment itself, but for .netrc
        )


class _Transport(httpx.AsyncBaseTransport):
    """aiohttp underneath, with the proxies and certificate authorities the environment names."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._context = _ssl_context()
        self._by_proxy: dict[str | None, AiohttpTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, through a proxy where the environment says so."""
        proxy = _proxy(request.url)
        if proxy not in self._by_proxy:
            self._by_proxy[proxy] = AiohttpTransport(
                verify=self._context,
                proxy=httpx.Proxy(proxy) if proxy else None,
                client=self._session,
            )
        return await self._by_proxy[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in self._by_proxy.values():
            await transport.aclose()

    def _session(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._context, limit=self._most),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        # aiohttp sends a GET, PUT or DELETE again by itself when a connection breaks. Whether to
        # try again is the step's to decide, and a write that may have happened is not repeated.
        session._retry_connection = False
        return session


async def download(url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> bytes:
    """One small public file, such as a certificate: no redirects, no credentials, 64 KiB."""
    content = b""
    try:
        async with (
            asyncio.timeout(10),
            httpx.AsyncClient(transport=transport or _Transport(most=2), trust_env=False) as http,
            http.stream("GET", url, follow_redirects=False) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise _no_certificate(url, f"it answered with status {response.status_code}")
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > LARGEST_CERTIFICATE:
                    raise _no_certificate(url, "it is larger than a certificate can be")
    except (TimeoutError, httpx.RequestError, aiohttp.ClientError) as error:
        raise _no_certificate(url, str(error) or "it did not answer in time") from error
    return content


def _no_certificate(url: str, reason: str) -> ConnectorError:
    text = f"the certificate at {url} could not be fetched: {reason}"
    return _unreachable(text, code="no_certificate", happened="no")


async def _begin(request: httpx.Request) -> None:
    request.extensions[_BEGAN] = True


def _happened(sent: httpx.Request) -> Happened:
    return "maybe" if sent.extensions.get(_BEGAN) else "no"


def _transport_error(
    sent: httpx.Request, error: httpx.RequestError | aiohttp.ClientError
) -> ConnectorError:
    failed = sent
    if isinstance(error, httpx.RequestError):
        with suppress(RuntimeError):  # it has no request where it failed outside of one
            failed = error.request
    host = failed.url.netloc.decode()
    # A token that could not be fetched: the call itself had not begun, or was answered with 401.
    happened: Happened = _happened(sent) if failed is sent else "no"
    if _was_refused(error):
        text = f"{host} could not be reached: {error}"
        return _unreachable(text, code="no_connection", happened="no")
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return _unreachable(f"{host} did not answer in time", code="timeout", happened=happened)
    text = f"the connection to {host} broke before the answer was complete"
    return _unreachable(text, code="connection_lost", happened=happened)


def _was_refused(error: BaseException) -> bool:
    """Whether there never was a connection to send anything over."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientError):
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


def _unreachable(text: str, *, code: str, happened: Happened) -> ConnectorError:
    return ConnectorError("unavailable", text, code=code, happened=happened)


def _base_url(connector: Connector, connection: Connection) -> str:
    found = connection.text("base_url") or connector.base_url
    url = (found or str(connection.require("base_url"))).rstrip("/")
    parts = urlsplit(url)
    plain = not (parts.username or parts.query or parts.fragment)
    if parts.scheme in {"http", "https"} and parts.hostname and plain:
        return url
    raise ConnectorError(
        "invalid",
        f"the base_url {url!r} is not a plain web address, like https://example.com/v1",
        code="bad_base_url",
    )


def _proxy(url: httpx.URL) -> str | None:
    """The proxy the environment names for *url* (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY)."""
    proxies = urllib.request.getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    return None if found is None or urllib.request.proxy_bypass(url.host) else found


def _ssl_context() -> ssl.SSLContext:
    """Always verifying; against the authorities the environment names, or else certifi's."""
    files = [os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)]
    folder = os.environ.get("SSL_CERT_DIR")
    if not files and not folder:
        return httpx.create_ssl_context()
    context = ssl.create_default_context(capath=folder, cafile=files[0] if files else None)
    for file in files[1:]:
        context.load_verify_locations(file)
    return context
