"""The frame both emulators play in: the control API, faults, the request log and the clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Protocol

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from cosell_emulators import exact_json
from cosell_emulators.clock import Clock
from cosell_emulators.faults import Answer, BadControl, Faults
from cosell_emulators.request_log import Entry, RequestLog

__all__ = ["BadControl", "Clock", "ConnectionCut", "Control", "Emulator", "View", "stage"]

# Under this name a server offers a way to cut the connection (see serving.py).
CUT = "cosell.cut"

_PREFIX = "/__sandbox__/"
_SEEDS = ("demo", "empty")
_WORTH_IT = 2048

Control = Callable[[dict[str, Any]], Awaitable[Any]]
View = Callable[[], Any]


class ConnectionCut(ConnectionError):
    """A fault cut the connection where there is no socket to cut."""


class Emulator(Protocol):
    """What the stage needs of an emulator.

    An emulator may also have `async def start(self)` and `async def stop(self)`, run with the
    application, and `views`, a mapping of names to what `GET /__sandbox__/<name>` shows.
    """

    clock: Clock

    @property
    def controls(self) -> Mapping[str, Control]:
        """Give the emulator's own control calls by name; fractions in their JSON are decimals."""

    def reset(self, seed: str) -> None:
        """Start over with a seed; issued tokens stay valid."""

    async def handle(self, request: Request) -> Response:
        """Answer a request as the real system would."""


def stage(emulator: Emulator) -> ASGIApp:
    """Put an emulator on the stage: one ASGI application, controls included."""
    # Both systems compress for callers that take it, what is worth it; speed matters more than size.
    return GZipMiddleware(_Stage(emulator), minimum_size=_WORTH_IT, compresslevel=1)


class _Stage:
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._faults = Faults()
        self._log = RequestLog()
        # Only the lifespan protocol is the router's; requests never reach it.
        self._lifespan = Router(lifespan=self._running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            content = await request.body()
        except ClientDisconnect:
            return
        if request.url.path.startswith(_PREFIX):
            response = await self._control(request, content)
        else:
            played = await self._play(request, self._log.add(request, content))
            if played is None:
                await _cut(scope, receive)
                return
            response = played
        response.headers["Date"] = format_datetime(self._emulator.clock.now(), usegmt=True)
        await response(scope, receive, send)

    @asynccontextmanager
    async def _running(self, _: object) -> AsyncIterator[None]:
        start = getattr(self._emulator, "start", None)
        stop = getattr(self._emulator, "stop", None)
        if start is not None:
            await start()
        try:
            yield
        finally:
            if stop is not None:
                await stop()

    async def _play(self, request: Request, entry: Entry) -> Response | None:
        """Answer a request of the emulated system; nothing when the connection is to be cut."""
        fault = self._faults.take(request.method, request.url.path, request.url.query) or Answer()
        if fault.delay_ms or fault.drop or fault.status:
            entry.fault = fault.name
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.drop == "before":
            return None
        if fault.status is not None:
            entry.status = fault.status
            return fault.response()
        response = await self._perform(request, entry)
        if fault.drop == "after":
            return None
        entry.status = response.status_code
        return response

    async def _perform(self, request: Request, entry: Entry) -> Response:
        try:
            return await self._emulator.handle(request)
        except Exception:
            entry.status = 500
            raise

    async def _control(self, request: Request, content: bytes) -> Response:
        name = request.url.path.removeprefix(_PREFIX).strip("/")
        try:
            answer = await self._controlled(request.method, name, content)
        except ValueError as error:
            return _json({"error": str(error)}, status=400)
        except _NoSuchControl:
            return _json({"error": f"There is no {request.method} {_PREFIX}{name}."}, status=404)
        return answer if isinstance(answer, Response) else _json(answer)

    async def _controlled(self, method: str, name: str, content: bytes) -> Any:
        """Find the control call and make it."""
        shown = self._shown()
        if method == "GET" and name in shown:
            return shown[name]()
        if method == "POST" and name in _OWN:
            return _OWN[name](self, _document(content))
        if method == "POST" and name in self._emulator.controls:
            return await self._emulator.controls[name](_document(content))
        if method == "DELETE" and name == "requests":
            self._log.clear()
            return {}
        if method == "DELETE" and name == "faults":
            self._faults.clear()
            return {"faults": 0}
        raise _NoSuchControl

    def _shown(self) -> Mapping[str, View]:
        own = {"requests": lambda: {"requests": self._log.documents()}, "clock": self._time}
        return {**getattr(self._emulator, "views", {}), **own}

    def _reset(self, body: dict[str, Any]) -> dict[str, Any]:
        seed = body.get("seed", "demo")
        if seed not in _SEEDS:
            raise BadControl('The seed is "demo" or "empty".')
        self._faults.clear()
        self._log.clear()
        self._emulator.clock.reset()
        self._emulator.reset(seed)
        return {"seed": seed}

    def _order(self, body: dict[str, Any]) -> dict[str, Any]:
        self._faults.order(body)
        return {"faults": len(self._faults)}

    def _move(self, body: dict[str, Any]) -> dict[str, str]:
        if len(body) != 1 or not body.keys() & {"now", "advance_s"}:
            raise BadControl('The clock takes "now" or "advance_s".')
        try:
            if "now" in body:
                self._emulator.clock.set(_moment(body["now"]))
            else:
                self._emulator.clock.advance(_seconds(body["advance_s"]))
        except OverflowError as error:
            raise BadControl("The emulated time would leave the calendar.") from error
        return self._time()

    def _time(self) -> dict[str, str]:
        return {"now": self._emulator.clock.now().isoformat().replace("+00:00", "Z")}


class _NoSuchControl(Exception):
    """Nobody offers this control call."""


_OWN: Mapping[str, Callable[[_Stage, dict[str, Any]], Any]] = {
    "reset": _Stage._reset,
    "faults": _Stage._order,
    "clock": _Stage._move,
}


async def _cut(scope: Scope, receive: Receive) -> None:
    cut = scope.get("extensions", {}).get(CUT)
    if cut is None:
        raise ConnectionCut("A fault cut the connection.")
    cut()
    # The server answers 500 for an application that says nothing on an open connection.
    while (await receive())["type"] != "http.disconnect":
        pass


def _document(content: bytes) -> dict[str, Any]:
    try:
        body = exact_json.loads(content or b"{}")
    except ValueError as error:
        raise BadControl("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise BadControl("The body must be a JSON object.")
    return body


def _moment(value: Any) -> datetime:
    try:
        now = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadControl('"now" must be a moment like 2026-03-01T09:00:00Z.') from error
    if now.tzinfo is None:
        raise BadControl('"now" needs an offset from UTC, or a Z.')
    return now


def _seconds(value: Any) -> float:
    if isinstance(value, bool | str | list | dict) or value is None:
        raise BadControl('"advance_s" must be a number of seconds.')
    return float(value)


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(exact_json.dumps(value), status, media_type="application/json")
