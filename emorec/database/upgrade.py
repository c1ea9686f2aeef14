"""Brings older tables up to date: one process runs the migrations, others wait for it."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from emorec.errors import StoreError
from emorec.words import N_

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = 0x656D6F726563  # "emorec" in ASCII: PostgreSQL's advisory locks have numbers, no names
_TABLE = "alembic_version"  # in which Alembic notes the last migration

_WAIT_S = 60


def upgrade(engine: Engine) -> None:
    """Run the migrations that this database has not had yet.

    Raises:
        StoreError: the database has had a migration that this program does not know.
    """
    known = migrations()
    with engine.connect() as connection:
        last = _last_migration(connection)
    if last == known[-1]:
        return
    if last is not None and last not in known:
        raise StoreError(
            N_(
                "the database was made by a newer EmoRec (its tables are at {last}): install that"
                " one or a newer one."
            ),
            last=last,
        )
    # Loaded where it is needed: it takes as long as all else that a first look at a store loads.
    from alembic import command
    from alembic.config import Config

    with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        if engine.dialect.name == "postgresql":
            _take_lock(connection)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def migrations() -> list[str]:
    """Return the migrations that this program knows, the oldest first: files begin with them."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*.py"))


def _take_lock(connection: Connection) -> None:
    """Wait until no other process runs the migrations.

    It asks again and again: a single statement that waits would count as a server that does not
    answer.
    """
    until_s = time.monotonic() + _WAIT_S
    while not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
        if time.monotonic() > until_s:
            raise StoreError(
                N_("the database is being brought up to date by another EmoRec: wait.")
            )
        time.sleep(0.1)


def _last_migration(connection: Connection) -> str | None:
    """Return the last migration that the database has had; None: none yet."""
    if not inspect(connection).has_table(_TABLE):
        return None
    last: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))
    return last
