"""Opening: new, old, too new, and out of reach."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from cosell_flows.ledger import (
    Clock,
    LedgerError,
    LedgerTooNew,
    LedgerUnreachable,
    migrating,
    open_ledger,
)
from cosell_flows.ledger.database import Database
from cosell_flows.ledger.tables import METADATA


async def test_new_database_is_made(tmp_path: Path, clock: Clock) -> None:
    """A ledger is made where there is none, its folders included."""
    ledger = await open_ledger(f"sqlite:///{tmp_path}/a/b/ledger.db", clock=clock)

    await ledger.aclose()

    assert (tmp_path / "a" / "b" / "ledger.db").is_file()


async def test_content_survives_a_restart(url: str, clock: Clock) -> None:
    """What was written is there when the ledger is opened again."""
    before = await open_ledger(url, clock=clock)
    await before.switches.set("pull", True)
    await before.aclose()

    after = await open_ledger(url, clock=clock)

    assert await after.switches.on() == {"pull"}
    await after.aclose()


async def test_many_may_open_a_new_ledger_at_once(url: str, clock: Clock) -> None:
    """Several processes that start together migrate once."""
    opened = await asyncio.gather(*(open_ledger(url, clock=clock) for _ in range(4)))

    await opened[0].switches.set("pull", True)

    assert [await ledger.switches.on() for ledger in opened] == [{"pull"}] * 4
    for ledger in opened:
        await ledger.aclose()


@pytest.mark.parametrize("way", ["through every migration", "made anew"])
async def test_each_way_leads_to_the_tables(url: str, clock: Clock, way: str) -> None:
    """The migrations make exactly what `tables` describes, and so does a new ledger."""
    database = Database(url, clock=clock)
    if way == "through every migration":
        async with database.write() as connection:
            await connection.run_sync(migrating.upgrade)
    await migrating.bring_up_to_date(database)

    def compared(connection: Connection) -> list[object]:
        options = {"version_table": migrating.VERSION_TABLE, "compare_type": False}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, METADATA))

    async with database.read() as connection:
        differences = await connection.run_sync(compared)

    assert differences == []
    await database.aclose()


async def test_a_new_ledger_has_seen_every_migration(url: str, clock: Clock) -> None:
    """Alembic finds nothing left to do in a ledger that was made anew."""
    database = Database(url, clock=clock)
    await migrating.bring_up_to_date(database)

    def seen(connection: Connection) -> str | None:
        options = {"version_table": migrating.VERSION_TABLE}
        return MigrationContext.configure(connection, opts=options).get_current_revision()

    async with database.read() as connection:
        assert await connection.run_sync(seen) == migrating.REVISIONS[-1]
    await database.aclose()


def test_every_revision_is_listed() -> None:
    """The list of revisions is what lies in the folder, in order."""
    folder = ScriptDirectory(str(Path(migrating.__file__).parent / "migrations"))

    walked = [script.revision for script in folder.walk_revisions()]

    assert tuple(reversed(walked)) == migrating.REVISIONS


async def test_ledger_of_a_later_version_is_refused(url: str, clock: Clock) -> None:
    """A ledger that a later cosell wrote is left alone, and the message says what to do."""
    database = Database(url, clock=clock)
    await migrating.bring_up_to_date(database)
    async with database.write() as connection:
        await connection.execute(text(f"UPDATE {migrating.VERSION_TABLE} SET version_num = '9999'"))
    await database.aclose()

    with pytest.raises(LedgerTooNew) as refused:
        await open_ledger(url, clock=clock)

    assert "upgrade cosell" in str(refused.value.hint)


async def test_password_is_not_told(clock: Clock) -> None:
    """A database out of reach is named without its password."""
    with pytest.raises(LedgerUnreachable) as refused:
        await open_ledger("postgresql://ops:hunter2@127.0.0.1:1/ledger", clock=clock)

    assert "ops:***@127.0.0.1:1/ledger" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.xdist_group("postgresql")
async def test_missing_postgresql_database_is_told(postgresql: str, clock: Clock) -> None:
    """A PostgreSQL database that does not exist is a sentence, not a traceback."""
    with pytest.raises(LedgerUnreachable, match="does not exist"):
        await open_ledger(postgresql.replace("/postgres?", "/nowhere?"), clock=clock)


async def test_file_that_is_no_database_is_told(tmp_path: Path, clock: Clock) -> None:
    """A file of something else is not taken for a ledger."""
    (tmp_path / "ledger.db").write_text("name,stage\n" * 100)

    with pytest.raises(LedgerUnreachable, match="not a database"):
        await open_ledger(f"sqlite:///{tmp_path}/ledger.db", clock=clock)


async def test_folder_in_the_way_is_told(tmp_path: Path, clock: Clock) -> None:
    """A folder where the file should be is a sentence."""
    with pytest.raises(LedgerUnreachable, match="unable to open"):
        await open_ledger(f"sqlite:///{tmp_path}", clock=clock)


@pytest.mark.parametrize("url", ["mysql://host/ledger", "ledger.db", ""])
async def test_other_addresses_are_refused(url: str, clock: Clock) -> None:
    """An address the ledger does not speak is refused with the two it does."""
    with pytest.raises(LedgerError) as refused:
        await open_ledger(url, clock=clock)

    assert "sqlite:///" in str(refused.value.hint)


async def test_ledger_in_memory_works(clock: Clock) -> None:
    """For tests of flows a ledger may live in memory."""
    ledger = await open_ledger("sqlite://", clock=clock)

    await asyncio.gather(*(ledger.switches.set(f"f{i}", True) for i in range(20)))

    assert len(await ledger.switches.on()) == 20
    await ledger.aclose()


async def test_sqlite_is_set_up_for_many_readers(tmp_path: Path, clock: Clock) -> None:
    """The SQLite file is in WAL mode, so that readers do not wait for a writer."""
    ledger = await open_ledger(f"sqlite:///{tmp_path}/ledger.db", clock=clock)
    await ledger.aclose()

    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()

    assert mode == ("wal",)


@pytest.mark.xdist_group("postgresql")
async def test_ended_connection_is_replaced(empty_postgresql: str, clock: Clock) -> None:
    """A connection the server ended is replaced without anybody noticing."""
    ledger = await open_ledger(empty_postgresql, clock=clock)
    await ledger.switches.set("pull", True)
    connection = await asyncpg.connect(empty_postgresql)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    await connection.close()

    assert await ledger.switches.on() >= {"pull"}
    await ledger.aclose()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_folder_without_rights_is_told(tmp_path: Path, clock: Clock) -> None:
    """A folder we may not write is a sentence."""
    tmp_path.chmod(0o500)

    with pytest.raises(LedgerUnreachable):
        await open_ledger(f"sqlite:///{tmp_path}/deep/ledger.db", clock=clock)
