"""Serve an ASGI application on a real socket, inside the running event loop."""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from cosell_emulators.stage import CUT

Result = TypeVar("Result")

_BACKLOG = 2048
_IPV4 = 4
_PATIENCE_S = 1
# Longer than any client keeps an idle connection, so that the client is the one to close it.
_KEEP_ALIVE_S = 75
# Salesforce takes addresses up to 16 KiB; h11 alone would stop there, headers included.
_HEAD_BYTES = 128 * 1024


class Served:
    """An application on a socket: bound at once, answering after `start`."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        shown = _reachable(host)
        self.url = (
            f"http://[{shown}]:{self.port}" if ":" in shown else f"http://{shown}:{self.port}"
        )
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, app: ASGIApp) -> None:
        """Answer requests from now on."""
        config = uvicorn.Config(
            app,
            http=_CuttingProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,  # the stage tells the emulated time
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._task.done():
                self.close()
                await self._task
                raise RuntimeError("The server stopped before it was ready.")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Finish what is being answered and let the port go."""
        if self._server is not None and self._task is not None:
            await _finish(self._server.server_state.tasks)
            self._server.should_exit = True
            await self._task
        self.close()

    def close(self) -> None:
        """Let the port go without ever having answered."""
        self._socket.close()


class LoopThread:
    """An event loop in a thread of its own, for callers that have none."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something in the loop and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def end(self) -> None:
        """End the loop and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the loop: two servers share it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _CuttingProtocol(H11Protocol):
    """Lets the application cut its connection, as a broken network would."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app = self.app

        async def with_scissors(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[CUT] = self.transport.abort
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:  # the server ends, and this request was hanging
                self.transport.abort()
                while (await receive())["type"] != "http.disconnect":
                    pass

        self.app = with_scissors


async def _finish(tasks: set[asyncio.Task[None]]) -> None:
    """Let requests be answered that are at it, and end those that hang."""
    if not tasks:
        return
    _, hanging = await asyncio.wait(set(tasks), timeout=_PATIENCE_S)
    for task in hanging:
        task.cancel()
    if hanging:
        await asyncio.wait(hanging)


def _reachable(host: str) -> str:
    """Name a host under which this machine reaches a socket that listens on every address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "127.0.0.1"
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == _IPV4 else "::1"


def _bound(host: str, port: int) -> socket.socket:
    """Bind now, so that a port in use is an `OSError` before anything else has begun."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, or asyncio leaves Nagle's delay of 40 ms on every answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound
