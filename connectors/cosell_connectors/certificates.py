"""Fetch the certificates that webhooks are signed with, keep them, and let true webhooks in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from cryptography import x509

from cosell_env.connections import Connection

from . import hooks
from .errors import ConnectorError
from .hooks import Allowed, Event, Trust
from .model import Webhook

MOST_KEPT = 16
LONGEST_CHAIN = 4

Download = Callable[[str], Awaitable[bytes]]
"""Fetches one small file: no redirects, at most 64 KiB."""


class CertificateStore:
    """Certificates by address, each fetched once an hour at most."""

    def __init__(
        self,
        download: Download,
        *,
        allowed: Allowed,
        issuers: Allowed | None = None,
        keep: float = 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._download = download
        self._allowed = allowed
        self._issuers = issuers or Allowed((), plain_http=True)
        self._keep = keep
        self._clock = clock
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._lock = asyncio.Lock()

    async def fetch(self, url: str) -> bytes:
        """The certificate at *url*; raises Refused where the address is not allowed."""
        return await self._fetch(url, self._allowed)

    async def chain(self, url: str, trust: Trust) -> tuple[x509.Certificate, ...]:
        """The certificate at *url*, and the issuers' between it and the roots of *trust*.

        Microsoft publishes the signer's certificate alone; .NET fetches the missing issuers from
        where each certificate says they are published, and so do we.
        """
        chain = hooks.certificates(await self.fetch(url))
        while len(chain) < LONGEST_CHAIN:
            issuer = hooks.missing_issuer(chain, trust)
            if issuer is None:
                break
            chain += hooks.certificates(await self._fetch(issuer, self._issuers))
        return chain

    async def _fetch(self, url: str, allowed: Allowed) -> bytes:
        allowed.check(url)
        async with self._lock:  # a burst of webhooks asks once
            kept = self._kept.get(url)
            if kept is not None and self._clock() < kept[0]:
                return kept[1]
            content = await self._download(url)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[url] = (self._clock() + self._keep, content)
            return content


class Doorkeeper:
    """Lets in the true webhooks of one connection."""

    def __init__(self, webhook: Webhook, connection: Connection, *, download: Download) -> None:
        self._webhook = webhook
        self._connection = connection
        self._store = CertificateStore(
            download,
            allowed=hooks.hosts(webhook, connection.listed("certificate_hosts")),
            issuers=Allowed(webhook.issuer_hosts, plain_http=True),
        )
        self._trust: Trust | None = None

    async def admit(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime | None = None
    ) -> Event:
        """The event that is told; raises Refused with what to answer, or ConnectorError (503)."""
        claimed = hooks.claim(self._webhook, headers)
        chain = await self._store.chain(claimed.certificate_url, self._trusted())
        hooks.verify(claimed, body, chain, trust=self._trusted(), now=now or datetime.now(UTC))
        return hooks.event(self._webhook, body)

    def _trusted(self) -> Trust:
        if self._trust is None:
            ca_file = self._connection.text("ca_file")
            try:
                self._trust = Trust.load(self._webhook, ca_file=ca_file)
            except (OSError, ValueError) as error:
                raise ConnectorError(
                    "unavailable",
                    f"the ca_file {ca_file!r} cannot be read as certificates in PEM form: {error}",
                    code="bad_ca_file",
                    connection=self._connection.name,
                    field="ca_file",
                ) from error
        return self._trust
