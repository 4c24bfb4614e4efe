"""One way to reach the database: short read and write transactions on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Dialect, Executable, Row, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from .driving import Connection, ConnectionInMemory, connector
from .errors import LedgerError, LedgerUnreachable

Clock = Callable[[], datetime]
"""Tells the time, aware and in UTC."""

_T = TypeVar("_T")
_BUSY_MS = 15_000  # how long SQLite waits for another process to finish its transaction
_CHUNK = 400  # values in one IN (…); SQLite once stopped at 999


class Database:
    """One database, and the transactions on it."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self.url = _understood(url)
        self.where = _shown(self.url)
        self.now = clock
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        self._engine = self._made_engine()
        self._single = self._engine.execution_options(cosell_single=True)
        self._writing = self._engine.execution_options(cosell_writes=True)
        # SQLite has one writer. Tasks of this process queue here, in order, instead of waking
        # up in turn to find the database busy.
        self._turn = asyncio.Lock()

    @property
    def dialect(self) -> Dialect:
        """The dialect of the database."""
        return self._engine.dialect

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the ledger and changes nothing."""
        turn = self._turn if self._in_memory else contextlib.nullcontext()
        with self._told():
            async with turn, self._engine.begin() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is kept when the block ends well, and undone when it does not."""
        turn = self._turn if self.is_sqlite else contextlib.nullcontext()
        with self._told():
            async with turn, self._writing.begin() as connection:
                yield connection

    async def write_again(self, work: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        """Do *work* in a write transaction, once more where another worker was a moment faster."""
        try:
            async with self.write() as connection:
                return await work(connection)
        except IntegrityError:
            async with self.write() as connection:
                return await work(connection)

    async def rows(self, query: Executable) -> Sequence[Row[Any]]:
        """All rows of *query*, in a read transaction of its own."""
        async with self._alone(writes=False) as connection:
            return (await connection.execute(query)).all()

    async def rows_of_each(self, queries: Sequence[Executable]) -> list[Sequence[Row[Any]]]:
        """All rows of each of *queries*, which see one state of the ledger."""
        if len(queries) == 1:
            return [await self.rows(queries[0])]
        if not queries:
            return []
        async with self.read() as connection:
            return [(await connection.execute(query)).all() for query in queries]

    async def row(self, query: Executable) -> Row[Any] | None:
        """The first row of *query*, or nothing."""
        async with self._alone(writes=False) as connection:
            return (await connection.execute(query)).first()

    async def written(self, statement: Executable) -> Sequence[Row[Any]]:
        """Execute *statement* in a write transaction of its own; the rows it gives back."""
        async with self._alone(writes=True) as connection:
            return (await connection.execute(statement)).all()

    async def change(self, statement: Executable) -> int:
        """Execute *statement* in a write transaction of its own; how many rows it touched."""
        async with self._alone(writes=True) as connection:
            return (await connection.execute(statement)).rowcount

    @contextlib.asynccontextmanager
    async def _alone(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        """A transaction for one statement: SQLite begins and ends it by itself.

        Every word to SQLite is a trip to the thread it lives in, and a deal asks the ledger often.
        """
        queued = self._in_memory or (writes and self.is_sqlite)
        turn = self._turn if queued else contextlib.nullcontext()
        with self._told():
            async with turn, self._single.begin() as connection:
                yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say what happens when the row is already there."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def aclose(self) -> None:
        """Let every connection go."""
        await self._engine.dispose()

    def _made_engine(self) -> AsyncEngine:
        if not self.is_sqlite:
            return create_async_engine(self.url, pool_pre_ping=True, pool_size=5, max_overflow=10)
        options: dict[str, Any] = {"poolclass": StaticPool} if self._in_memory else {}
        engine = create_async_engine(self.url, **options)
        connected = connector(ConnectionInMemory if self._in_memory else Connection)
        event.listen(engine.sync_engine, "do_connect", _using(connected))
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the driver says about a database out of reach into a sentence."""
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeout, OSError) as error:
            if isinstance(error, DBAPIError) and not _is_out_of_reach(error):
                raise
            raise self.unreachable(error) from None

    def unreachable(self, error: BaseException) -> LedgerUnreachable:
        """The sentence about *error*, without the password the driver may have quoted."""
        original = getattr(error, "orig", None) or error
        reason = str(original).strip().splitlines()[0] if str(original).strip() else ""
        reason = reason.rpartition(">: ")[2] or type(original).__name__
        if self.url.password:
            reason = reason.replace(str(self.url.password), "•••")
        return LedgerUnreachable(where=self.where, reason=reason)


def made(kind: type[_T], row: Row[Any], **extra: Any) -> _T:
    """*row* as the frozen dataclass *kind*: its columns are the fields' names."""
    columns = row._mapping
    names = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: columns[name] for name in names if name in columns} | extra)


def in_chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """*values* in lists short enough for one IN (…)."""
    whole = list(values)
    for start in range(0, len(whole), _CHUNK):
        yield whole[start : start + _CHUNK]


def numbers(ids: Iterable[str]) -> list[int]:
    """Our ids as the numbers they are; what is no number names nothing."""
    return [int(text) for text in ids if text.isascii() and text.isdigit() and len(text) < 19]


def _understood(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        raise LedgerError(
            "COSELL_LEDGER_URL is no database address",
            hint="write sqlite:///path/to/ledger.db or postgresql://user@host/database",
        ) from None
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    if backend in ("postgresql", "postgres"):
        return _with_asyncpg(url)
    raise LedgerError(
        f"COSELL_LEDGER_URL names {backend!r}, and the ledger speaks SQLite and PostgreSQL",
        hint="write sqlite:///path/to/ledger.db or postgresql://user@host/database",
    )


def _with_asyncpg(url: URL) -> URL:
    # People copy libpq addresses; asyncpg calls `sslmode` `ssl`.
    query: Mapping[str, Any] = url.query
    if "sslmode" in query:
        query = {key: value for key, value in query.items() if key != "sslmode"} | {
            "ssl": query["sslmode"]
        }
    return url.set(drivername="postgresql+asyncpg", query=query)


def _shown(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database or "memory")
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def make_folder(url: URL) -> None:
    """Make the folder a SQLite file lies in."""
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)


def _using(connected: Callable[..., Connection]) -> Callable[..., None]:
    """Have SQLAlchemy connect with our connections."""

    def prepared(_dialect: Any, _record: Any, _given: Any, options: dict[str, Any]) -> None:
        options["async_creator_fn"] = connected

    return prepared


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    cursor = connection.cursor()
    for setting in (
        f"busy_timeout = {_BUSY_MS}",  # first: the next one may have to wait for others, too
        "journal_mode = WAL",
        "foreign_keys = ON",
        # An event is answered with 200 only when a power cut cannot take it back.
        "synchronous = FULL",
    ):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A transaction that reads first and writes later could be refused half-way; one that is
    # going to write takes its turn at the beginning. One statement is a transaction already.
    options = connection.get_execution_options()
    if options.get("cosell_single"):
        return
    writes = options.get("cosell_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_out_of_reach(error: DBAPIError) -> bool:
    original = str(error.orig).lower()
    if error.connection_invalidated:
        return True
    return any(sign in original for sign in _OUT_OF_REACH)


_OUT_OF_REACH = (
    "unable to open",
    "not a database",
    "malformed",
    "readonly",
    "disk i/o",
    "is full",
    "locked",
    "too many connections",
    "too many clients",
    "starting up",
    "shutting down",
    "connection",
)
