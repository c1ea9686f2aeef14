"""From an address to a database that is up to date: a SQLite file by default, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.orm import Session

from emorec.database.upgrade import upgrade
from emorec.deployment import VARIABLES
from emorec.errors import StoreError

_FILE = "emorec.sqlite"
_WAIT_S = 20
_PRAGMAS = (
    f"busy_timeout = {_WAIT_S * 1000}",
    "foreign_keys = ON",
    # What is deleted is overwritten at once: https://sqlite.org/pragma.html#pragma_secure_delete
    "secure_delete = ON",
)


def connect(url: str | None, folder: Path | None) -> Engine:
    """Open the store, and bring its tables up to date where they are older than this program.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://…``, Heroku's ``postgres://`` too. None takes
            ``emorec.sqlite`` in the folder.
        folder: of the user's data; None where the user has none.

    Raises:
        StoreError: no such address, cannot be reached or written, or made by a newer program; the
            line never holds the password.
    """
    address = _address(url, folder)
    if address.get_backend_name() == "sqlite":
        _make_file(Path(str(address.database)))
    # Without their parameters, what is said of a failed statement holds no data of anybody.
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={} if file_of(address) else {"connect_timeout": _WAIT_S},
    )
    if file_of(address):
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    try:
        _reach(engine)
        with _one_line(engine):
            upgrade(engine)
            _truncate(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


def file_of(database: Engine | URL) -> Path | None:
    """Return SQLite's file; None where the database is no file."""
    url = database if isinstance(database, URL) else database.url
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session that only reads.

    Raises:
        StoreError: the database cannot be reached or read.
    """
    if file_of(engine) is None:
        # Several queries see one moment, as they do in a SQLite transaction.
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with _one_line(engine), Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Give a session whose changes are kept all together at its end, or none of them.

    Raises:
        StoreError: the database cannot be reached or written.
    """
    # A SQLite transaction that begins by reading cannot wait for another writer later.
    immediate = engine.execution_options(begin="BEGIN IMMEDIATE")
    with _one_line(engine), Session(immediate) as session, session.begin():
        yield session


def wipe(engine: Engine) -> None:
    """Leave nothing of what was deleted or replaced in SQLite's files.

    PostgreSQL reuses the space by itself; its files and backups are its keeper's matter.

    Raises:
        StoreError: another program holds the file.
    """
    if file_of(engine) is None:
        return
    with _one_line(engine):
        with _plain(engine) as connection:
            # Pages that were rearranged before may hold a copy that secure_delete does not know of.
            connection.exec_driver_sql("VACUUM")
        busy = _truncate(engine)
    if busy:
        raise StoreError(
            f"{file_of(engine)}: deleted, but another program holds the file: its last traces go"
            " when that has ended and EmoRec is started again."
        )


def _address(text: str | None, folder: Path | None) -> URL:
    if text is None:
        if folder is None:
            raise StoreError("EMOREC_DATA: not set, and there is no home folder to keep data in.")
        return URL.create("sqlite", database=str((folder / _FILE).absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # what they say repeats the address, password and all
        url = URL.create("unknown")
    kind = url.drivername.partition("+")[0]
    if kind in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(database=str(Path(str(url.database)).absolute()))
    raise StoreError(f"DATABASE_URL: expected {VARIABLES['database_url'].values.expected}.")


def _reach(engine: Engine) -> None:
    """Connect once: whatever goes wrong here, the address is to blame."""
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise StoreError(_why(engine, error)) from None


def _make_file(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(
            f"{file}: cannot be written ({why}); EMOREC_DATA chooses another folder."
        ) from None


def _prepare(connection: Any, record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions where it sees fit
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    # A new file is first read, then written to, and for that second lock SQLite does not wait:
    # whoever opens it in the same moment would be told at once that it is locked.
    give_up = time.monotonic() + _WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(0.01)


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options().get("begin", "BEGIN"):
        connection.exec_driver_sql(statement)


def _plain(engine: Engine) -> Connection:
    """Return a connection for what SQLite allows in no transaction."""
    return engine.execution_options(begin="").connect()


def _truncate(engine: Engine) -> bool:
    """Move what SQLite's log holds into its file and empty the log; True where that cannot be."""
    if file_of(engine) is None:
        return False
    with _plain(engine) as connection:
        return bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar())


@contextmanager
def _one_line(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The other kinds are defects of this program.
        if type(error) not in (DatabaseError, InterfaceError, OperationalError):
            raise
        raise StoreError(_why(engine, error)) from None


def _why(engine: Engine, error: DBAPIError) -> str:
    why = (str(error.orig).strip() or type(error.orig).__name__).partition("\n")[0]
    for secret in (engine.url.password, engine.url.query.get("password")):
        if secret:
            why = why.replace(str(secret), "***")
    file = file_of(engine)
    return f"{file}: {why}." if file else f"DATABASE_URL: the database does not answer ({why})."
