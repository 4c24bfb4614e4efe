"""Listen on a socket and answer with an ASGI application, inside the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

_BACKLOG = 2048
_GRACE_S = 2
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - as asked for


class Listener:
    """A bound socket: a port in use is an `OSError` before anything else has begun."""

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(_BACKLOG)
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        shown = _REACHED_AT.get(host, host)
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    @contextlib.asynccontextmanager
    async def answering(self, app: ASGIApp) -> AsyncIterator[None]:
        """Answer while the block runs, and finish what is being answered at its end."""
        config = uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = _Server(config)
        answering = asyncio.create_task(server.serve(sockets=[self._socket]))
        try:
            while not server.started and not answering.done():  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.005)
            yield
        finally:
            server.should_exit = True
            await answering
            self.close()

    def close(self) -> None:
        """Let the port go."""
        self._socket.close()


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
