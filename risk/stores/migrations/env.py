"""What Alembic runs: every missing revision, inside the transaction of the connection that it was given (`risk/stores/migrate.py`)."""

from alembic import context

from risk.stores.service_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
