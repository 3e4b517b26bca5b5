"""Alembic's entry: runs the migrations on the connection that `foveal.store.database` hands over."""

from __future__ import annotations

from alembic import context

from foveal.store.ledger_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a table in place
)
with context.begin_transaction():
    context.run_migrations()
