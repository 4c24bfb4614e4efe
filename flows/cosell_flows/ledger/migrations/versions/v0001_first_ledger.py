"""The first ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OPEN = sa.text("status = 'open'")


def upgrade() -> None:
    """Make every table."""
    _links()
    _changes()
    _cursors()
    _events()
    _intents()
    _leases()
    _letters()
    _runs()
    _run_steps()
    _switches()


def _links() -> None:
    op.create_table(
        "cosell_links",
        sa.Column("id", _ID, autoincrement=True),
        sa.Column("mapping", sa.String(200), nullable=False),
        sa.Column("left_id", sa.String(200)),
        sa.Column("right_id", sa.String(200)),
        sa.Column("base_left", sa.Text, nullable=False),
        sa.Column("base_right", sa.Text, nullable=False),
        sa.Column("left_version", sa.Text),
        sa.Column("right_version", sa.Text),
        sa.Column("left_moment", sa.DateTime(timezone=True)),
        sa.Column("right_moment", sa.DateTime(timezone=True)),
        sa.Column("pending_left", sa.Text),
        sa.Column("pending_right", sa.Text),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cosell_links"),
    )
    op.create_index("uq_cosell_links_left", "cosell_links", ["mapping", "left_id"], unique=True)
    op.create_index("uq_cosell_links_right", "cosell_links", ["mapping", "right_id"], unique=True)


def _changes() -> None:
    op.create_table(
        "cosell_changes",
        sa.Column("id", _ID, autoincrement=True),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("flow", sa.String(200), nullable=False),
        sa.Column("flow_hash", sa.String(100), nullable=False),
        sa.Column("mapping", sa.String(200)),
        sa.Column("left_id", sa.String(200)),
        sa.Column("right_id", sa.String(200)),
        sa.Column("system", sa.String(200), nullable=False),
        sa.Column("object", sa.String(200), nullable=False),
        sa.Column("record_id", sa.String(200)),
        sa.Column("operation", sa.String(50), nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("old", sa.Text),
        sa.Column("new", sa.Text),
        sa.Column("loses", sa.Text),
        sa.Column("rule_file", sa.Text),
        sa.Column("rule_line", sa.Integer),
        sa.Column("own", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cosell_changes"),
    )
    op.create_index("ix_cosell_changes_run_id", "cosell_changes", ["run_id"])
    op.create_index("ix_cosell_changes_left_id", "cosell_changes", ["left_id"])
    op.create_index("ix_cosell_changes_right_id", "cosell_changes", ["right_id"])
    op.create_index("ix_cosell_changes_record_id", "cosell_changes", ["record_id"])


def _cursors() -> None:
    op.create_table(
        "cosell_cursors",
        sa.Column("name", sa.String(200)),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cosell_cursors"),
    )


def _events() -> None:
    op.create_table(
        "cosell_events",
        sa.Column("id", _ID, autoincrement=True),
        sa.Column("connection", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("resource_id", sa.String(400), nullable=False),
        sa.Column("resource_uri", sa.Text, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True)),
        sa.Column("dedupe_key", sa.String(700), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("handled", sa.Text, nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.Column("owner", sa.String(200)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_cosell_events"),
        sa.UniqueConstraint("dedupe_key", name="uq_cosell_events_dedupe_key"),
    )
    op.create_index("ix_cosell_events_queue", "cosell_events", ["status", "name", "id"])


def _intents() -> None:
    op.create_table(
        "cosell_intents",
        sa.Column("key", sa.String(400)),
        sa.Column("connection", sa.String(200), nullable=False),
        sa.Column("operation", sa.String(200), nullable=False),
        sa.Column("arguments_digest", sa.String(200), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("key", name="pk_cosell_intents"),
    )
    op.create_index("ix_cosell_intents_state", "cosell_intents", ["state"])


def _leases() -> None:
    op.create_table(
        "cosell_leases",
        sa.Column("key", sa.String(400)),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("token", sa.String(100), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cosell_leases"),
    )


def _letters() -> None:
    op.create_table(
        "cosell_letters",
        sa.Column("id", _ID, autoincrement=True),
        sa.Column("mapping", sa.String(200), nullable=False),
        sa.Column("opportunity_id", sa.String(200)),
        sa.Column("referral_id", sa.String(200)),
        sa.Column("flow", sa.String(200), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("error_class", sa.String(50), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("hint", sa.Text),
        sa.Column("place", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("retry_asked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cosell_letters"),
    )
    op.create_index(
        "uq_cosell_letters_opportunity",
        "cosell_letters",
        ["mapping", "opportunity_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "uq_cosell_letters_referral",
        "cosell_letters",
        ["mapping", "referral_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _runs() -> None:
    op.create_table(
        "cosell_runs",
        sa.Column("run_id", sa.String(100)),
        sa.Column("flow", sa.String(200), nullable=False),
        sa.Column("flow_hash", sa.String(100), nullable=False),
        sa.Column("trigger", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("result", sa.Text),
        sa.PrimaryKeyConstraint("run_id", name="pk_cosell_runs"),
    )
    op.create_index("ix_cosell_runs_flow", "cosell_runs", ["flow"])
    op.create_index("ix_cosell_runs_status", "cosell_runs", ["status"])
    op.create_index("ix_cosell_runs_started_at", "cosell_runs", ["started_at"])


def _run_steps() -> None:
    op.create_table(
        "cosell_run_steps",
        sa.Column("id", _ID, autoincrement=True),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("step_id", sa.String(400), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("counts", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cosell_run_steps"),
    )
    op.create_index("ix_cosell_run_steps_run_id", "cosell_run_steps", ["run_id"])


def _switches() -> None:
    op.create_table(
        "cosell_switches",
        sa.Column("flow", sa.String(200)),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("flow", name="pk_cosell_switches"),
    )
