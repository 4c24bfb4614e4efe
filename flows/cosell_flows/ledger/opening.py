"""Open the ledger, brought to the newest revision, and hand out its parts."""

from __future__ import annotations

import sys

from sqlalchemy.exc import DBAPIError

from .bookmarks import Bookmarks
from .cursors import Cursors
from .database import Clock, Database, make_folder
from .errors import LedgerUnreachable
from .history import History
from .inbox import Inbox
from .intents import Intents
from .leases import Leases
from .letters import Letters
from .links import Links
from .migrating import bring_up_to_date
from .retention import Retention
from .runs import Runs
from .state import State
from .switches import Switches
from .tables import METADATA


class Ledger:
    """Everything that must survive a crash, part by part."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.where = database.where
        self.links = Links(database)
        self.history = History(database)
        self.cursors = Cursors(database)
        self.bookmarks = Bookmarks(database)
        self.inbox = Inbox(database)
        self.intents = Intents(database)
        self.leases = Leases(database)
        self.letters = Letters(database)
        self.runs = Runs(database)
        self.switches = Switches(database)
        self.state = State(database)
        self.retention = Retention(database)

    async def forget_everything(self) -> None:
        """Empty every table: a ledger in memory serves one test after the other."""
        script = "; ".join(f"DELETE FROM {table.name}" for table in METADATA.sorted_tables)  # noqa: S608
        async with self._database.read() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.executescript(script)  # one trip instead of a dozen

    async def aclose(self) -> None:
        """Let the database go."""
        await self._database.aclose()


async def open_ledger(url: str, *, clock: Clock) -> Ledger:
    """Open the ledger at a SQLAlchemy *url*, SQLite or PostgreSQL, making it where it is not yet.

    Raises LedgerUnreachable where the database cannot be used, and LedgerTooNew where a later
    cosell wrote it.
    """
    database = Database(url, clock=clock)
    try:
        make_folder(database.url)
        await bring_up_to_date(database)
    except _failures() as error:
        await database.aclose()
        raise database.unreachable(error) from None
    except BaseException:
        await database.aclose()
        raise
    return Ledger(database)


def _failures() -> tuple[type[Exception], ...]:
    """What a database that cannot be used raises; PostgreSQL's driver only where it was loaded."""
    asyncpg = sys.modules.get("asyncpg")
    return (DBAPIError, OSError, *([asyncpg.PostgresError] if asyncpg is not None else ()))


async def ledger_in_memory(*, clock: Clock) -> Ledger:
    """A new ledger that is gone with the process, as the newest migration would leave it."""
    database = Database("sqlite://", clock=clock)
    async with database.write() as connection:
        await connection.run_sync(METADATA.create_all)
    return Ledger(database)


__all__ = ["Ledger", "LedgerUnreachable", "ledger_in_memory", "open_ledger"]
