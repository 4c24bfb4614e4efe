"""A statement is one trip to SQLite's thread, and none where it lies in memory."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.ledger import ledger_in_memory
from cosell_flows.ledger.driving import Connection, ConnectionInMemory


class Counted(Connection):
    """Counts the trips."""

    trips = 0

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.trips += 1
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]


async def told(connection: Connection, statement: str, *values: Any) -> list[Any]:
    """What SQLAlchemy asks for one statement, in its order."""
    cursor = await connection.cursor()
    await cursor.execute(statement, values)
    rows = await cursor.fetchall() if cursor.description else []
    await cursor.close()
    await connection.commit()
    return rows


async def test_a_statement_is_one_trip(tmp_path: Path) -> None:
    """Its cursor, its rows, its end, and a commit of nothing go with it."""
    path = tmp_path / "l.db"
    connection = Counted(lambda: sqlite3.connect(path, isolation_level=None))
    await connection
    await told(connection, "CREATE TABLE t (a)")
    await told(connection, "INSERT INTO t VALUES (?)", 7)

    assert (await told(connection, "SELECT a FROM t"), connection.trips) == ([(7,)], 3)
    await connection.close()


async def test_a_transaction_is_kept_or_undone(tmp_path: Path) -> None:
    """Where there is one, commit and rollback are said."""
    path = tmp_path / "l.db"
    connection = Connection(lambda: sqlite3.connect(path, isolation_level=None))
    await connection
    await told(connection, "CREATE TABLE t (a)")
    for end in (connection.rollback, connection.commit):
        cursor = await connection.cursor()
        await cursor.execute("BEGIN")
        await cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        await end()

    assert await told(connection, "SELECT count(*) FROM t") == [(2,)]
    await connection.close()


@pytest.mark.parametrize("kind", [Connection, ConnectionInMemory])
async def test_what_sqlite_refuses_is_raised(kind: type[Connection]) -> None:
    """By the one who asked; the connection goes on."""
    connection = kind(lambda: sqlite3.connect(":memory:", isolation_level=None))
    await connection
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await told(connection, "SELECT * FROM nowhere")

    assert await told(connection, "SELECT 1") == [(1,)]
    await connection.close()


async def test_a_ledger_in_memory_needs_no_thread() -> None:
    """It is asked right where it is needed."""
    before = threading.active_count()
    ledger = await ledger_in_memory(clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    found = await ledger.cursors.all()

    assert (found, threading.active_count()) == ({}, before)
    await ledger.aclose()
