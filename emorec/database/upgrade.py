"""Brings older tables up to date: one process runs the migrations, others wait for it."""

from __future__ import annotations

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from emorec.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = 0x656D6F726563  # "emorec" in ASCII: PostgreSQL's advisory locks have numbers, no names

_WAIT_S = 60


def upgrade(engine: Engine) -> None:
    """Run the migrations that this database has not had yet.

    Raises:
        StoreError: the database has had a migration that this program does not know.
    """
    script = ScriptDirectory(str(MIGRATIONS))
    with engine.connect() as connection:
        if _last_migration(connection, script) == script.get_current_head():
            return
    with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        if engine.dialect.name == "postgresql":
            _take_lock(connection)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _take_lock(connection: Connection) -> None:
    """Wait until no other process runs the migrations.

    It asks again and again: a single statement that waits would count as a server that does not
    answer.
    """
    until_s = time.monotonic() + _WAIT_S
    while not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
        if time.monotonic() > until_s:
            raise StoreError("the database is being brought up to date by another EmoRec: wait.")
        time.sleep(0.1)


def _last_migration(connection: Connection, script: ScriptDirectory) -> str | None:
    last = MigrationContext.configure(connection).get_current_revision()
    if last is not None and last not in {step.revision for step in script.walk_revisions()}:
        raise StoreError(
            f"the database was made by a newer EmoRec (its tables are at {last}): install that one"
            " or a newer one."
        )
    return last
