"""The wire: aiohttp underneath, proxies and authorities of the environment, and how it breaks."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
import urllib.request
from contextlib import suppress

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from .errors import ConnectorError, Happened
from .hooks import LARGEST_CERTIFICATE

WireError = (httpx.RequestError, aiohttp.ClientError)
"""What sending may raise."""

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_BEGAN = "cosell_began"  # marks a request that has been handed to the wire


class Transport(httpx.AsyncBaseTransport):
    """aiohttp underneath, with the proxies and certificate authorities the environment names."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._context = _ssl_context()
        self._by_proxy: dict[str | None, AiohttpTransport] = {}
        self._proxies: dict[tuple[str, str], str | None] = {}  # asking the environment is slow

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, through a proxy where the environment says so."""
        where = (request.url.scheme, request.url.host)
        if where not in self._proxies:
            self._proxies[where] = _proxy(request.url)
        proxy = self._proxies[where]
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
            httpx.AsyncClient(transport=transport or Transport(most=2), trust_env=False) as http,
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
    return unreachable(text, code="no_certificate", happened="no")


async def begin(request: httpx.Request) -> None:
    """Mark *request* as handed to the wire; a hook of httpx."""
    request.extensions[_BEGAN] = True


def happened(sent: httpx.Request) -> Happened:
    """Whether *sent* may have been done, although no answer came."""
    return "maybe" if sent.extensions.get(_BEGAN) else "no"


def transport_error(
    sent: httpx.Request, error: httpx.RequestError | aiohttp.ClientError
) -> ConnectorError:
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


def unreachable(text: str, *, code: str, happened: Happened) -> ConnectorError:
    """The failure of a call that got no answer."""
    return ConnectorError("unavailable", text, code=code, happened=happened)


def _proxy(url: httpx.URL) -> str | None:
    """The proxy the environment names for *url* (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY)."""
    proxies = urllib.request.getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    return None if found is None or urllib.request.proxy_bypass(url.host) else found


def _ssl_context() -> ssl.SSLContext:
    """Always verifying; against the authorities the environment names, or else certifi's."""
    files = [os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)]
    folder = os.environ.get("SSL_CERT_DIR")
    return _context_of(tuple((file, *_state(file)) for file in files), folder)


def _state(file: str) -> tuple[int, int]:
    """What changes when a file of authorities is exchanged: when it was written, and its size."""
    with suppress(OSError):  # a file that is not there is complained of when it is loaded
        told = os.stat(file)
        return told.st_mtime_ns, told.st_size
    return 0, 0


@functools.lru_cache(maxsize=4)  # reading hundreds of authorities takes a tenth of a second
def _context_of(files: tuple[tuple[str, int, int], ...], folder: str | None) -> ssl.SSLContext:
    if not files and not folder:
        return httpx.create_ssl_context()
    context = ssl.create_default_context(capath=folder, cafile=files[0][0] if files else None)
    for file, _, _ in files[1:]:
        context.load_verify_locations(file)
    return context
