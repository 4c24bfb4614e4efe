"""Which record an intent is about, so that a later run of its flow can be through with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; of intents that are there already nobody knows."""
    op.add_column("cosell_intents", sa.Column("item", sa.String(400)))
