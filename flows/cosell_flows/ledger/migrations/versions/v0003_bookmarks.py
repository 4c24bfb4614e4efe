"""How far runs have come in long lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of bookmarks."""
    op.create_table(
        "cosell_bookmarks",
        sa.Column("key", sa.String(400)),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("asked", sa.String(100), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cosell_bookmarks"),
    )
    op.create_index("ix_cosell_bookmarks_run_id", "cosell_bookmarks", ["run_id"])
