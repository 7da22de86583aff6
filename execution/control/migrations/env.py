"""Alembic environment: always run by `execution.control.store` on an open connection."""

from alembic import context

from execution.control.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
