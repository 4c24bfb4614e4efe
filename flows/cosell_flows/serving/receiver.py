"""Let webhooks in: check who is calling, store the event, and only then say 200."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cosell_connectors.errors import ConnectorError
from cosell_connectors.hooks import Event, Refused
from cosell_env.connections import MissingSetting
from cosell_flows.ledger import Ledger, LedgerError

from .metrics import Calls, metrics_of

_LOG = logging.getLogger(__name__)
PATH = "/webhooks/partner-center"
CONNECTION = "partner_center_events"
LARGEST = 256 * 1024
_JSON = "application/json"
# The vendor delivers again after a pause; there is no use in its hurrying.
_LATER = {"Retry-After": "30"}

Admit = Callable[[Mapping[str, str], bytes], Awaitable[Event]]
"""Tells a true webhook from a false one: `Doorkeeper.admit`."""
Checks = Callable[[], Awaitable[Mapping[str, str | None]]]
"""What must work for us to be ready: each with what is wrong, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The addresses a project answers at."""

    ledger: Ledger
    admit: Admit
    wanted: Callable[[str], bool]  # whether any flow listens to events of this name
    stored: Callable[[], None]  # called after an event came in
    checks: Checks
    calls: Callable[[], Mapping[str, Calls]] = dict

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route(PATH, self._receive, methods=["POST"]),
                Route("/health/live", self._live, methods=["GET"]),
                Route("/health/ready", self._ready, methods=["GET"]),
                Route("/metrics", self._metrics, methods=["GET"]),
            ]
        )

    async def _receive(self, request: Request) -> Response:
        """Checked in the order in which it is promised: size, type, signature, body."""
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        if body is None:
            return _no(413, "too_large", f"an event has at most {LARGEST} bytes")
        if not _is_json(request.headers.get("content-type", "")):
            return _no(415, "not_json", f"events are sent as {_JSON}")
        try:
            event = await self.admit(request.headers, body)
            fresh = await self._store(event, body)
        except Refused as refused:
            _LOG.warning("a webhook was refused (%s): %s", refused.reason, refused)
            return _no(refused.status, refused.reason, str(refused))
        except (ConnectorError, MissingSetting, LedgerError) as error:
            # Not the sender's fault: it is asked to come again, and will.
            _LOG.error("a webhook could not be taken: %s", error)
            return _no(503, "not_now", "the event could not be taken now; send it again", _LATER)
        return JSONResponse({"status": "stored" if fresh else "known"})

    async def _store(self, event: Event, body: bytes) -> bool:
        wanted = self.wanted(event.name)
        fresh = await self.ledger.inbox.store(
            event.name,
            connection=CONNECTION,
            resource_id=event.resource_id,
            resource_uri=event.resource_uri,
            changed_at=event.changed_at,
            dedupe_key=event.dedupe_key,
            body=body.decode("utf-8", "replace").replace("\0", "�"),
            # Nobody listens: it is kept to be seen, and there is nothing to do about it.
            status="waiting" if wanted else "done",
        )
        if fresh and wanted:
            self.stored()
        return fresh

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def _ready(self, _: Request) -> Response:
        found = await self.checks()
        wrong = {name: problem for name, problem in found.items() if problem is not None}
        shown = {name: problem or "ready" for name, problem in found.items()}
        status = "not ready" if wrong else "ready"
        return JSONResponse({"status": status, "checks": shown}, 503 if wrong else 200)

    async def _metrics(self, _: Request) -> Response:
        try:
            text = await metrics_of(self.ledger, self.calls())
        except LedgerError as error:
            return PlainTextResponse(f"# {error.message}\n", 503)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is too large; what is announced too large is not read."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LARGEST:
        return None
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            return None
        parts.append(part)
    return b"".join(parts)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == _JSON


def _no(
    status: int, reason: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"error": reason, "message": message}, status, headers=headers)
