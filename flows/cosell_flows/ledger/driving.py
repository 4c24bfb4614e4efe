"""Reach SQLite with one trip for each statement, and without any where it lies in memory.

SQLite answers in microseconds, but it lives in a thread of its own, and each word to that thread
and back costs ten times as much. The driver needs five for a statement: make a cursor, execute,
fetch, close, commit. All but the second can go with it, or need not be said.
"""

from __future__ import annotations

import sqlite3
from asyncio import Future
from collections.abc import Callable, Generator, Iterable
from typing import Any

import aiosqlite


class Connection(aiosqlite.Connection):
    """A connection whose statements are one trip each."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        thread: Any = getattr(self, "_thread", self)  # before 0.22 it was a thread itself
        thread.daemon = True

    async def cursor(self) -> _Statement:  # type: ignore[override]
        """What executes a statement, and then holds all that came of it."""
        return _Statement(self)

    async def trip(self, act: Callable[..., None], *given: Any) -> None:
        """Do something in the thread of SQLite."""
        await self._execute(act, *given)  # type: ignore[no-untyped-call]

    async def commit(self) -> None:
        """Keep what the transaction did, if there is one."""
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Undo what the transaction did, if there is one."""
        if self.in_transaction:
            await super().rollback()


class _Statement:
    """Has the attributes of a cursor that SQLAlchemy looks at."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def execute(self, statement: str, values: Iterable[Any] = ()) -> None:
        """Execute a statement, and fetch its rows."""
        await self._connection.trip(self._done, sqlite3.Cursor.execute, statement, values)

    async def executemany(self, statement: str, many: Iterable[Iterable[Any]]) -> None:
        """Execute a statement for each of *many* values."""
        await self._connection.trip(self._done, sqlite3.Cursor.executemany, statement, many)

    async def fetchall(self) -> list[Any]:
        """The rows, which are here already."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open any more."""

    def _done(self, how: Callable[..., Any], statement: str, values: Any) -> None:
        """All at once, in the thread of SQLite."""
        cursor = self._connection._conn.cursor()
        try:
            how(cursor, statement, values)
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid
            if cursor.description:
                self._rows = cursor.fetchall()
        finally:
            cursor.close()


class ConnectionInMemory(Connection):
    """A connection that asks SQLite right here: nothing in memory keeps anybody waiting."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector)
        self._tx: Any = _AtOnce()

    async def trip(self, act: Callable[..., None], *given: Any) -> None:
        """Do something at once."""
        act(*given)

    def __await__(self) -> Generator[Any, None, ConnectionInMemory]:
        yield from self._connect().__await__()
        return self


class _AtOnce:
    """Stands where the thread's queue does."""

    def put_nowait(self, asked: tuple[Future[Any] | None, Callable[[], Any]]) -> None:
        """Do what is asked, now."""
        future, act = asked
        try:
            result = act()
        except BaseException as error:  # noqa: BLE001 - whoever asked is told
            if future is not None:
                future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


def connector(kind: type[Connection]) -> Callable[..., Connection]:
    """What makes connections of a kind, from the arguments that SQLAlchemy has for the driver."""

    def made(database: str, **options: Any) -> Connection:
        return kind(lambda: sqlite3.connect(database, **options))

    return made
