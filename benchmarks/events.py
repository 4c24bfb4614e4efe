"""What it costs to take a webhook in and to hand it on, beside a bare script, in one run.

Both sides get the same signed events, eight at a time, without a socket in between. The script does
what a person in a hurry would write: check the signature with a key it has at hand, insert a row
that survives a power cut, say 200. Ours checks the certificate's chain, its hosts and dates, knows
an event that comes again, and keeps what becomes of it. Part of `make bench`; never a test.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cosell_connectors.certificates import Doorkeeper
from cosell_connectors.transport import download
from cosell_emulators.partner_center.deliveries import CERTIFICATE_PATH
from cosell_emulators.partner_center.signing import signer
from cosell_emulators.sandbox import Sandbox
from cosell_flows.project import init_project
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine
from cosell_flows.running.outcomes import RunResult
from cosell_flows.serving.dispatcher import Dispatcher
from cosell_flows.serving.receiver import CONNECTION, PATH, Receiver

MANY = 400
AT_ONCE = 8
FLOW = "partner-center-to-salesforce"


class Script:
    """The bare script: one table, one key."""

    def __init__(self, path: Path) -> None:
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, body TEXT, done INT)")
        self._key = signer().key.public_key()

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route(PATH, self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> JSONResponse:
        body = await request.body()
        signature = base64.b64decode(request.headers["authorization"].split()[1])
        self._key.verify(signature, body, PKCS1v15(), SHA256())
        json.loads(body)
        self._rows.execute("INSERT INTO events (body, done) VALUES (?, 0)", [body.decode()])
        return JSONResponse({"status": "stored"})

    def drain(self) -> int:
        """Hand every event on; how many there were."""
        total = 0
        query = "SELECT id, body FROM events WHERE done = 0 LIMIT 200"
        while rows := self._rows.execute(query).fetchall():
            for number, body in rows:
                json.loads(body)
                self._rows.execute("UPDATE events SET done = 1 WHERE id = ?", [number])
            total += len(rows)
        return total


def events(url: str) -> list[tuple[bytes, dict[str, str]]]:
    """Signed events, each of a referral of its own."""
    made = []
    for number in range(MANY):
        body = json.dumps({
            "EventName": "referral-updated",
            "ResourceUri": f"https://api.partnercenter.microsoft.com/engagements/v1/referrals/"
            f"00000000-0000-4000-8000-{number:012}",
            "ResourceName": "referral", "AuditUri": None,
            "ResourceChangeUtcDate": "2026-03-01T12:00:00.0000000+00:00",
        }).encode()  # fmt: skip
        made.append((body, {
            "Content-Type": "application/json",
            "Authorization": f"Signature {signer().sign(body)}",
            "X-MS-Certificate-Url": url, "X-MS-Signature-Algorithm": "rsa-sha256",
        }))  # fmt: skip
    return made


async def stored(app: Any, sent: list[tuple[bytes, dict[str, str]]]) -> float:
    """How many are stored in a second."""
    room = asyncio.Semaphore(AT_ONCE)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as http:

        async def one(body: bytes, headers: dict[str, str]) -> None:
            async with room:
                answer = await http.post(PATH, content=body, headers=headers)
                assert answer.status_code == 200, answer.text

        await one(*sent[0])  # the certificate is fetched once
        began = time.perf_counter()
        await asyncio.gather(*(one(*it) for it in sent[1:]))
    return (len(sent) - 1) / (time.perf_counter() - began)


async def drained(engine: Engine) -> float:
    """How many the inbox hands to runs that take no time, in a second."""
    gone = 0

    async def run(*_: Any, **__: Any) -> RunResult:
        return RunResult(run_id="r", flow=FLOW, status="succeeded")

    async def on() -> frozenset[str]:
        return frozenset({FLOW})

    dispatcher = Dispatcher(
        engine.ledger, run, flows=engine.project.flows.values(), env=engine.environment.values,
        owner="bench", clock=lambda: datetime.now(UTC) + timedelta(seconds=10), look_s=0.02,
    )  # fmt: skip
    began = time.perf_counter()
    task = asyncio.create_task(dispatcher.run(on))
    while gone < MANY:
        await asyncio.sleep(0.02)
        gone = (await engine.ledger.inbox.counts())["done"]
    took = time.perf_counter() - began
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return MANY / took


def receiver(engine: Engine) -> Starlette:
    """Ours, as `cosell serve` has it."""
    webhook = engine.connector(CONNECTION).webhook
    assert webhook is not None
    bound = engine.environment.connections[CONNECTION]

    async def nothing_else() -> dict[str, str | None]:
        return {}

    return Receiver(
        ledger=engine.ledger, admit=Doorkeeper(webhook, bound, download=download).admit,
        wanted=lambda _: True, stored=lambda: None, checks=nothing_else,
    ).app()  # fmt: skip


async def main() -> None:
    """Measure, and print one JSON document of ratios."""
    with Sandbox(seed="empty") as ready, tempfile.TemporaryDirectory() as folder:
        os.environ |= ready["env"]
        project = Path(folder)
        init_project(project)
        engine = await open_engine(project, "sandbox")
        root = ready["partner_center"]["url"].split("/v1.0/")[0]
        sent = events(f"{root}{CERTIFICATE_PATH}")
        script = Script(project / "script.db")
        bare, ours = await stored(script.app(), sent), await stored(receiver(engine), sent)
        began = time.perf_counter()
        bare_drained = script.drain() / (time.perf_counter() - began)
        found = {
            "events stored": (bare, ours),
            "events drained": (bare_drained, await drained(engine)),
        }
        await engine.aclose()
    ratios = {
        name: {"bare_per_s": round(one), "ours_per_s": round(two), "ratio": round(one / two, 2)}
        for name, (one, two) in found.items()
    }
    for name, told in ratios.items():
        print(f"{name}: {told['ratio']}x", file=sys.stderr)
    print(json.dumps(ratios, indent=2))


if __name__ == "__main__":
    asyncio.run(main())
