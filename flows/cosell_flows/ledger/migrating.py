"""Bring the database to the newest revision before anything else touches it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .errors import LedgerTooNew
from .tables import METADATA

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision, oldest first; the last one is what `tables` describes."""

VERSION_TABLE = "cosell_ledger_revision"
_HOME = Path(__file__).parent / "migrations"
_VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))
_OUR_TURN = 0x636F73656C6C  # "cosell": the advisory lock under which PostgreSQL migrates


async def bring_up_to_date(database: Database) -> None:
    """Run the migrations the database has not seen; many processes may ask at once.

    An empty database gets the tables as the newest revision leaves them, without going through all
    of them, as alembic's cookbook has it ("Building an Up to Date Database from Scratch").
    """
    async with database.read() as connection:
        if await _revision(connection, database) == REVISIONS[-1]:
            return
    async with database.write() as connection:
        if not database.is_sqlite:  # SQLite's write transaction is a lock already
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_OUR_TURN})"))
        if await connection.run_sync(_is_empty):
            await connection.run_sync(_made_anew)
        elif await _revision(connection, database) != REVISIONS[-1]:
            await connection.run_sync(upgrade)


async def _revision(connection: AsyncConnection, database: Database) -> str | None:
    if not await connection.run_sync(_has_version_table):
        return None
    found = await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    revision: str | None = found.scalar_one_or_none()
    if revision is not None and revision not in REVISIONS:
        raise LedgerTooNew(where=database.where, revision=revision, ours=REVISIONS[-1])
    return revision


def _has_version_table(connection: Connection) -> bool:
    return inspect(connection).has_table(VERSION_TABLE)


def _is_empty(connection: Connection) -> bool:
    there = set(inspect(connection).get_table_names())
    return there.isdisjoint({VERSION_TABLE, *METADATA.tables})


def _made_anew(connection: Connection) -> None:
    METADATA.create_all(connection, checkfirst=False)
    _VERSION.create(connection, checkfirst=False)
    connection.execute(_VERSION.insert().values(version_num=REVISIONS[-1]))


def upgrade(connection: Connection) -> None:
    """Run every migration that the database has not seen, in the transaction of *connection*."""
    # Imported here because almost every start finds the database up to date.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_HOME).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
