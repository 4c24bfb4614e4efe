"""Start a Prefect server of our own for a project, and never leave it behind."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .surroundings import of_server, without_users_own

USUAL_PORT = 4200
_START_S = 120.0  # a new database takes ten seconds, and many times that on a busy machine
_STOP_S = 5.0
_OUTPUT_SHOWN = 1200


class ServerNotStarted(Exception):
    """The Prefect server did not start; the message says why, and what to do."""


class ServerUnavailable(Exception):
    """The server that was asked for does not answer; `hint` says what to do."""

    def __init__(self, api_url: str) -> None:
        self.hint = "start it, unset PREFECT_API_URL, or run a flow with --local"
        super().__init__(f"no Prefect server answers at {api_url}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectServer:
    """A server that runs: where people look, and where programs ask."""

    ui_url: str
    api_url: str
    process: asyncio.subprocess.Process

    async def ended(self) -> None:
        """Wait until it ends, which it does not by itself unless something is wrong."""
        await self.process.wait()


@contextlib.asynccontextmanager
async def prefect_server(
    home: Path,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    starting: Callable[[str], object] = lambda api_url: None,
) -> AsyncIterator[PrefectServer]:
    """Run a Prefect server with its database in *home* while the block runs.

    Without a *port* it takes Prefect's usual one, or any other where that is taken. *starting* is
    told the API's address as soon as it is known, ten seconds before anybody answers there; and
    once more where another port had to be taken.
    """
    home.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anything runs
    server = await _started(home, host, port, starting)
    try:
        yield server
    finally:
        await asyncio.shield(_stop(server.process))


async def _started(
    home: Path, host: str, port: int | None, starting: Callable[[str], object]
) -> PrefectServer:
    if port is not None and port and not _is_free(host, port):
        raise ServerNotStarted(
            f"port {port} on {host} is in use, so the Prefect server cannot have it; "
            "stop what uses it, or choose another port"
        )
    chosen = port or (USUAL_PORT if port is None and _is_free(host, USUAL_PORT) else 0)
    try:
        return await _start(home, host, chosen or _free_port(host), starting)
    except ServerNotStarted:
        if port:
            raise
        # Somebody else may have taken the port since we looked.
        return await _start(home, host, _free_port(host), starting)


async def _start(
    home: Path, host: str, port: int, starting: Callable[[str], object]
) -> PrefectServer:
    ui_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    api_url = f"{ui_url}/api"
    log = home / "server.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cosell_flows.on_prefect.own_server", str(home / "prefect.db")),
            *("--host", host, "--port", str(port)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**without_users_own(os.environ), **of_server(home, api_url)},
            cwd=home,
            start_new_session=True,  # Ctrl-C is for us; we stop it ourselves
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    try:
        starting(api_url)
        await _healthy(process, api_url, home)
    except BaseException:
        await asyncio.shield(_stop(process))
        raise
    return PrefectServer(ui_url=ui_url, api_url=api_url, process=process)


async def _healthy(process: asyncio.subprocess.Process, api_url: str, home: Path) -> None:
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _START_S
    log = home / "server.log"
    while not await _is_of(home, api_url):
        if process.returncode is not None:
            raise ServerNotStarted(
                f"the Prefect server ended before it was ready; it said:\n{_end_of(log)}"
            )
        if loop.time() > give_up_at:
            raise ServerNotStarted(
                f"the Prefect server was not ready after {_START_S:.0f} seconds; its log is {log}"
            )
        await asyncio.sleep(0.1)


async def _is_of(home: Path, api_url: str) -> bool:
    """Whether the server that answers is ours: another one may have taken the port a moment ago."""
    if not await answers(f"{api_url}/health"):
        return False
    try:
        told = json.loads(await asked(f"{api_url}/admin/settings") or "{}")
        return Path(told["home"]) == home
    except (ValueError, KeyError, TypeError):  # it is no Prefect at all
        return False


async def must_answer(api_url: str) -> None:
    """Raise ServerUnavailable unless a Prefect server answers at *api_url*."""
    if not await answers(f"{api_url.rstrip('/')}/health"):
        raise ServerUnavailable(api_url)


async def answers(url: str) -> bool:
    """Whether a plain GET is answered with 200."""
    return await asked(url) is not None


async def asked(url: str) -> bytes | None:
    """What a plain GET is answered with 200; no HTTP library is worth loading for this."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls or None)
            try:
                request = f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
                writer.write(request.encode())
                await writer.drain()
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
                return body if b" 200 " in head.partition(b"\r\n")[0] else None
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the server and whatever it started, politely first."""
    for how, patience in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, None)):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _die_with_parent() -> None:
    # When we are killed with no chance to clean up, the kernel ends the server for us. Its
    # database survives that: SQLite is made for it.
    # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _is_free(host: str, port: int) -> bool:
    try:
        _bound(host, port).close()
    except OSError:
        return False
    return True


def _free_port(host: str) -> int:
    bound = _bound(host, 0)
    port: int = bound.getsockname()[1]
    bound.close()
    return port


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace").strip()[-_OUTPUT_SHOWN:] or "nothing"
