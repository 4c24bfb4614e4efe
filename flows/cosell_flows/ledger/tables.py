"""The tables of the ledger, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from .columns import Exact, Moment

# The ledger may share a PostgreSQL database with others (Prefect has tables called `flow` and
# `alembic_version`), so every name of ours begins alike.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for a plain INTEGER key.
_ID = BigInteger().with_variant(Integer, "sqlite")

LINKS = Table(
    "cosell_links",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("mapping", String(200), nullable=False),
    Column("left_id", String(200)),
    Column("right_id", String(200)),
    Column("base_left", Exact, nullable=False),
    Column("base_right", Exact, nullable=False),
    Column("left_version", Text),
    Column("right_version", Text),
    Column("left_moment", Moment),
    Column("right_moment", Moment),
    Column("pending_left", Exact),
    Column("pending_right", Exact),
    Column("state", String(20), nullable=False),
    Column("notes", Exact, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("uq_cosell_links_left", "mapping", "left_id", unique=True),
    Index("uq_cosell_links_right", "mapping", "right_id", unique=True),
)

CHANGES = Table(
    "cosell_changes",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("run_id", String(100), nullable=False, index=True),
    Column("flow", String(200), nullable=False),
    Column("flow_hash", String(100), nullable=False),
    Column("mapping", String(200)),
    Column("left_id", String(200), index=True),
    Column("right_id", String(200), index=True),
    Column("system", String(200), nullable=False),
    Column("object", String(200), nullable=False),
    Column("record_id", String(200), index=True),
    Column("operation", String(50), nullable=False),
    Column("field", Text, nullable=False),
    Column("old", Exact),
    Column("new", Exact),
    Column("loses", Exact),
    Column("rule_file", Text),
    Column("rule_line", Integer),
    Column("own", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)

CURSORS = Table(
    "cosell_cursors",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("read_until", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

EVENTS = Table(
    "cosell_events",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("connection", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("resource_id", String(400), nullable=False),
    Column("resource_uri", Text, nullable=False),
    Column("changed_at", Moment),
    Column("dedupe_key", String(700), nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("handled", Exact, nullable=False),
    Column("not_before", Moment),
    Column("owner", String(200)),
    Column("lease_until", Moment),
    Column("finished_at", Moment),
    Column("error", Text),
    Index("ix_cosell_events_queue", "status", "name", "id"),
)

INTENTS = Table(
    "cosell_intents",
    METADATA,
    Column("key", String(400), primary_key=True),
    Column("connection", String(200), nullable=False),
    Column("operation", String(200), nullable=False),
    Column("arguments_digest", String(200), nullable=False),
    Column("run_id", String(100), nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("outcome", Exact),
    Column("opened_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    Column("item", String(400)),
)

LEASES = Table(
    "cosell_leases",
    METADATA,
    Column("key", String(400), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("token", String(100), nullable=False),
    Column("taken_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

_OPEN = text("status = 'open'")

LETTERS = Table(
    "cosell_letters",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("mapping", String(200), nullable=False),
    Column("opportunity_id", String(200)),
    Column("referral_id", String(200)),
    Column("flow", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("error_class", String(50), nullable=False),
    Column("message", Text, nullable=False),
    Column("hint", Text),
    Column("place", Text),
    Column("fingerprint", Text),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("retry_asked", Boolean, nullable=False),
    # One open letter per record, whichever of its two ids is known.
    Index(
        "uq_cosell_letters_opportunity",
        "mapping",
        "opportunity_id",
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index(
        "uq_cosell_letters_referral",
        "mapping",
        "referral_id",
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
)

RUNS = Table(
    "cosell_runs",
    METADATA,
    Column("run_id", String(100), primary_key=True),
    Column("flow", String(200), nullable=False, index=True),
    Column("flow_hash", String(100), nullable=False),
    Column("trigger", String(200), nullable=False),
    Column("owner", String(200)),
    Column("inputs", Exact, nullable=False),
    Column("status", String(20), nullable=False, index=True),
    Column("started_at", Moment, nullable=False, index=True),
    Column("beat_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("result", Exact),
)

RUN_STEPS = Table(
    "cosell_run_steps",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("run_id", String(100), nullable=False, index=True),
    Column("step_id", String(400), nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("reason", Text),
    Column("counts", Exact),
    Column("error", Exact),
    Column("started_at", Moment, nullable=False),
)

BOOKMARKS = Table(
    "cosell_bookmarks",
    METADATA,
    Column("key", String(400), primary_key=True),
    Column("run_id", String(100), nullable=False, index=True),
    Column("asked", String(100), nullable=False),
    Column("state", Exact, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

SWITCHES = Table(
    "cosell_switches",
    METADATA,
    Column("flow", String(200), primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

STATE = Table(
    "cosell_state",
    METADATA,
    Column("kind", String(20), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("key", String(400), primary_key=True),
    Column("value", Exact),
    Column("updated_at", Moment, nullable=False),
)
