"""The wire: aiohttp underneath, with the proxies and authorities of the environment."""

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

from .breaking import unreachable
from .errors import ConnectorError
from .hooks import LARGEST_CERTIFICATE

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


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
