"""What flows remember under names of their own, and whose turn it is next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "cosell_state",
        sa.Column("kind", sa.String(20)),
        sa.Column("name", sa.String(200)),
        sa.Column("key", sa.String(400)),
        sa.Column("value", sa.Text),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "key", name="pk_cosell_state"),
    )
