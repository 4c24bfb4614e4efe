"""What alembic runs: our migrations, on the connection and in the transaction we hand it."""

from alembic import context

from cosell_flows.ledger.migrating import VERSION_TABLE
from cosell_flows.ledger.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
