"""Alembic runs this file to apply the migrations; `upgrade` passes the connection."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
