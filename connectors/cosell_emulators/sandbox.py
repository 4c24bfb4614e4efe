"""Both emulators on real sockets, and everything a project needs to find them."""

import asyncio
import signal
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from cosell_emulators.partner_center import PartnerCenterEmulator
from cosell_emulators.salesforce import SalesforceEmulator
from cosell_emulators.serving import LoopThread, Served
from cosell_emulators.stage import stage

Ready = dict[str, Any]


async def run(
    host: str,
    salesforce_port: int,
    partner_center_port: int,
    seed: str,
    ready: Callable[[Ready], None],
) -> None:
    """Serve both emulators until SIGTERM or SIGINT; `OSError` when a port is taken."""
    sandbox = Sandbox(
        host=host,
        salesforce_port=salesforce_port,
        partner_center_port=partner_center_port,
        seed=seed,
    )
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    try:
        async with sandbox as document:
            ready(document)
            await told.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class Sandbox:
    """Both emulators for as long as a `with` block lasts; the block gets the ready document.

    `async with` serves in the running event loop, `with` in a thread of its own.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        salesforce_port: int = 0,
        partner_center_port: int = 0,
        seed: str = "demo",
    ) -> None:
        self._host = host
        self._ports = (salesforce_port, partner_center_port)
        self._seed = seed
        self._undo = ExitStack()
        self._served: list[Served] = []
        self._thread: LoopThread | None = None
        self.salesforce: SalesforceEmulator
        self.partner_center: PartnerCenterEmulator

    async def __aenter__(self) -> Ready:
        try:
            return await self._open()
        except BaseException:
            await self._close()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    def __enter__(self) -> Ready:
        self._thread = LoopThread()
        try:
            return self._thread.run(self.__aenter__())
        except BaseException:
            self._thread.end()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            try:
                self._thread.run(self._close())
            finally:
                self._thread.end()

    async def _open(self) -> Ready:
        for port in self._ports:
            served = Served(self._host, port)
            self._undo.callback(served.close)
            self._served.append(served)
        ours, theirs = self._served
        self.salesforce = SalesforceEmulator(ours.url, seed=self._seed)
        self.partner_center = PartnerCenterEmulator(theirs.url, seed=self._seed)
        await ours.start(stage(self.salesforce))
        await theirs.start(stage(self.partner_center))
        folder = self._undo.enter_context(tempfile.TemporaryDirectory(prefix="cosell-sandbox-"))
        return _ready(ours.url, self.salesforce, self.partner_center, Path(folder))

    async def _close(self) -> None:
        try:
            for served in reversed(self._served):
                await served.stop()
        finally:
            self._served.clear()
            self._undo.close()


def _ready(
    salesforce_url: str,
    salesforce: SalesforceEmulator,
    partner_center: PartnerCenterEmulator,
    folder: Path,
) -> Ready:
    """Write the files a project reads, and say where everything is."""
    key_file, ca_file = folder / "salesforce-jwt-key.pem", folder / "partner-center-ca.pem"
    key_file.touch(mode=0o600)
    key_file.write_bytes(salesforce.jwt_private_key_pem)
    ca_file.write_bytes(partner_center.ca_pem)
    ready: Ready = {
        "salesforce": {
            "url": salesforce_url,
            "token_url": f"{salesforce_url}/services/oauth2/token",
            "client_id": salesforce.client_id,
            "client_secret": salesforce.client_secret,
            "username": salesforce.username,
            "refresh_token": salesforce.refresh_token,
            "jwt_key_file": str(key_file),
        },
        "partner_center": {
            "url": partner_center.url,
            "token_url": partner_center.token_url,
            "webhooks_url": partner_center.webhooks_url,
            "client_id": partner_center.client_id,
            "client_secret": partner_center.client_secret,
            "refresh_token": partner_center.refresh_token,
        },
    }
    ready["env"] = _environment(ready, ca_file)
    return ready


def _environment(ready: Ready, ca_file: Path) -> dict[str, str]:
    """Name every variable of the process environment that points a project at the sandbox."""
    ours, theirs = ready["salesforce"], ready["partner_center"]
    delegated = {
        "TOKEN_URL": theirs["token_url"],
        "CLIENT_ID": theirs["client_id"],
        "CLIENT_SECRET": theirs["client_secret"],
        "REFRESH_TOKEN": theirs["refresh_token"],
    }
    # What real systems bear is not what these bear: nobody should wait for a minute here.
    unbound = {"RATE_LIMIT": "off"}
    connections = {
        # Salesforce is called with client credentials, so there is no refresh token here.
        "SALESFORCE": {
            "BASE_URL": ours["url"],
            "TOKEN_URL": ours["token_url"],
            "CLIENT_ID": ours["client_id"],
            "CLIENT_SECRET": ours["client_secret"],
            "USERNAME": ours["username"],
        },
        "PARTNER_CENTER": {"BASE_URL": theirs["url"], **delegated, **unbound},
        "PARTNER_CENTER_EVENTS": {
            "BASE_URL": theirs["webhooks_url"],
            **delegated,
            **unbound,
            "CERTIFICATE_HOSTS": urlsplit(theirs["url"]).netloc,
            "CA_FILE": str(ca_file),
        },
    }
    return {
        f"COSELL_CONNECTION_{name}_{key}": value
        for name, connection in connections.items()
        for key, value in connection.items()
    }
