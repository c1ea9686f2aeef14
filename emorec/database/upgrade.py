"""Tables older than this program are brought up to date, by one process while others wait."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from emorec.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = 0x656D6F726563  # "emorec": PostgreSQL names its advisory locks by number


def upgrade(engine: Engine) -> None:
    """Run the migrations that this database has not seen.

    Raises:
        StoreError: it has seen one that this program does not know.
    """
    script = ScriptDirectory(str(MIGRATIONS))
    with engine.connect() as connection:
        if _seen(connection, script) == script.get_current_head():
            return
    with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _seen(connection: Connection, script: ScriptDirectory) -> str | None:
    seen = MigrationContext.configure(connection).get_current_revision()
    if seen is not None and seen not in {step.revision for step in script.walk_revisions()}:
        raise StoreError(
            f"the database was made by a newer EmoRec (its tables are at {seen}): install that one"
            " or a newer one."
        )
    return seen
