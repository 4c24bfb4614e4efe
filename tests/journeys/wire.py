"""A wire that breaks at the request a test chooses, and a life that can end there and begin anew."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx

from cosell_connectors.client import Client
from cosell_connectors.transport import Transport
from cosell_flows.ledger import open_ledger
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import utc_now
from cosell_flows.serving.recovery import recover

Fault = Literal[
    "dies before", "dies after", "lost answer", "never arrives", "500 after", "503 after",
    "429 before", "edited meanwhile",
]  # fmt: skip
DEADLY: tuple[Fault, ...] = ("dies before", "dies after")
SURVIVED: tuple[Fault, ...] = (
    "lost answer", "never arrives", "500 after", "503 after", "429 before", "edited meanwhile",
)  # fmt: skip


@dataclass(slots=True)
class Breaking(httpx.AsyncBaseTransport):
    """Hands requests on, but for one: there the fault happens. From a death on, nothing passes."""

    meddle: Callable[[httpx.Request], Awaitable[None]]  # somebody edits what is about to be written
    photograph: Callable[[], None]  # keeps the ledger as a process that dies now would leave it
    at: int | str | None = None  # its number, or the first of its name
    fault: Fault | None = None
    seen: list[str] = field(default_factory=list)
    died: asyncio.Event = field(default_factory=asyncio.Event)
    _real: Transport = field(default_factory=lambda: Transport(most=20))

    def begin(self, at: int | str | None, fault: Fault | None) -> None:
        """Count from here; the request number *at* goes wrong."""
        self.at, self.fault, self.seen = at, fault, []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, or let happen to it what was ordered."""
        if self.died.is_set():
            raise httpx.ConnectError("the process is dead", request=request)
        number = len(self.seen)
        self.seen.append(f"{request.method} {_short(request.url)}")
        named = self.seen[-1] == self.at and self.seen.count(self.seen[-1]) == 1
        if number != self.at and not named:
            return await self._answer(request)
        return await self._break(request)

    async def _break(self, request: httpx.Request) -> httpx.Response:
        match self.fault:
            case "dies before":
                await self._die()
            case "dies after":
                await self._answer(request)
                await self._die()
            case "never arrives":
                raise httpx.ReadError("reset", request=request)
            case "lost answer":
                await self._answer(request)
                raise httpx.ReadError("reset", request=request)
            case "500 after" | "503 after" as told:
                await self._answer(request)
                return httpx.Response(int(told[:3]), text="upstream trouble")
            case "429 before":
                body = {"statusCode": 429, "message": "Rate limit is exceeded."}
                return httpx.Response(429, headers={"Retry-After": "2"}, json=body)
            case "edited meanwhile":
                await self.meddle(request)
        return await self._answer(request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """The whole answer: what is cut off later was done before."""
        response = await self._real.handle_async_request(request)
        await response.aread()
        return response

    async def _die(self) -> None:
        self.photograph()
        self.died.set()
        await asyncio.Event().wait()  # no further line of this life is executed

    async def aclose(self) -> None:
        """Close the real wire."""
        await self._real.aclose()


def _short(url: httpx.URL) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|00[0-9A-Za-z]{13,16}", "…", url.path)


@dataclass(slots=True)
class Life:
    """A process of the engine over a breaking wire: it may die, and another go on with its ledger."""

    engine: Engine
    folder: Path
    meddle: Callable[[httpx.Request], Awaitable[None]]
    ahead: timedelta = timedelta()  # of real time, as the emulators' clocks are
    lives: int = 0
    wire: Breaking = field(init=False)
    waited: list[float] = field(default_factory=list)
    _clients: dict[str, Client] = field(default_factory=dict)

    async def begin(self) -> None:
        """A new ledger, a whole wire."""
        self.ahead = timedelta()
        await self._live(None)

    async def run(
        self, flow: str, at: int | str | None, fault: Fault | None
    ) -> dict[str, Any] | None:
        """Run a flow; what it came to, or None where the process died of it."""
        self.wire.begin(at, fault)
        running = asyncio.ensure_future(self.engine.run(flow, {}))
        dying = asyncio.ensure_future(self.wire.died.wait())
        await asyncio.wait([running, dying], return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if not self.wire.died.is_set():
            return (await running).as_json()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self._live(self._left_behind())
        await recover(self.engine.ledger, clock=self.now, mark_crashed=_nobody)
        return None

    def now(self) -> datetime:
        """The engine's time."""
        return utc_now() + self.ahead

    async def end(self) -> None:
        """Let everything go."""
        for client in self._clients.values():
            await client.aclose()
        await self.wire.aclose()
        await self.engine.ledger.aclose()

    async def _live(self, ledger: Path | None) -> None:
        if self.lives:
            await self.end()
        self.lives += 1
        where = ledger or self.folder / f"ledger-{self.lives}.db"
        self._clients = {}
        self.wire = Breaking(
            meddle=self.meddle, photograph=lambda: _copied(where, self._left_behind())
        )
        engine = self.engine
        engine.ledger = await open_ledger(f"sqlite:///{where}", clock=self.now)
        engine.clock, engine.sleep, engine.opened = self.now, self._sleep, self._client
        engine.columns.forget()

    def _left_behind(self) -> Path:
        return self.folder / f"ledger-{self.lives}-left.db"

    def _client(self, connection: str) -> Client:
        if connection not in self._clients:
            self._clients[connection] = Client(
                self.engine.connector(connection),
                self.engine.environment.connection(connection),
                transport=self.wire,
                sleep=self._sleep,
            )
        return self._clients[connection]

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


def _copied(ledger: Path, to: Path) -> None:
    """The ledger as the next process finds it: of this one it can tell that it is gone."""
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        for table in ("cosell_runs", "cosell_events"):
            target.execute(f"UPDATE {table} SET owner = owner || 'x' WHERE owner IS NOT NULL")
        target.commit()


async def _nobody(_: str) -> None:
    """Nobody is told in Prefect."""
