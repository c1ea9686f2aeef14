"""Opens the database, a SQLite file by default or PostgreSQL, and brings its tables up to date."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

from emorec.database import reserve
from emorec.database.upgrade import upgrade
from emorec.deployment import VARIABLES
from emorec.errors import NoStoreError, StoreError
from emorec.words import N_

_FILE = "emorec.sqlite"
_WAIT_S = 20
_CONNECT_S = 5
_PRAGMAS = (
    f"busy_timeout = {_WAIT_S * 1000}",
    "foreign_keys = ON",
    # Deleted content is overwritten at once: https://sqlite.org/pragma.html#pragma_secure_delete
    "secure_delete = ON",
)


def connect(url: str | None, folder: Path | None, make: bool = True) -> Engine:
    """Open the store, and bring its tables up to date if they are older than this program.

    Args:
        url: ``sqlite:///FILE``, ``postgresql://…`` or Heroku's ``postgres://…``. None means
            ``emorec.sqlite`` in the folder.
        folder: the user's data folder; None if the user has none.
        make: whether a SQLite file that is missing is made.

    Raises:
        NoStoreError: the SQLite file is missing, and is not to be made.
        StoreError: the address is not valid, the database cannot be reached or written, or a newer
            program made it; the line never holds the password.
    """
    address = _address(url, folder)
    file = file_of(address)
    if file:
        if not make and not file.exists():
            raise NoStoreError(str(file))
        _make_file(file)
        reserve.hold(file)
    engine = _engine(address)
    try:
        with reserve.released(file):
            _reach(engine)
            with _one_line(engine):
                upgrade(engine)
                _truncate(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


def is_made(url: str | None, folder: Path | None) -> bool:
    """Return whether there is a store already; of PostgreSQL it is taken for granted.

    Args:
        url: as of `connect`.
        folder: as of `connect`.

    Raises:
        StoreError: the address is not valid.
    """
    file = file_of(_address(url, folder))
    return file is None or file.exists()


def file_of(database: Engine | URL) -> Path | None:
    """Return the SQLite file; None for PostgreSQL."""
    url = database if isinstance(database, URL) else database.url
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def place_of(engine: Engine) -> str:
    """Return where the database is, in words: a file, or the variable that names the server."""
    return str(file_of(engine) or "the database of DATABASE_URL")


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yield a session that only reads.

    Raises:
        StoreError: the database cannot be reached or read.
    """
    if file_of(engine) is None:
        # All queries of the session see one state of the database, as in a SQLite transaction.
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with _one_line(engine), Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Yield a session that runs as one transaction: its changes are committed at the end.

    Raises:
        StoreError: the database cannot be reached or written.
    """
    # A SQLite transaction that begins as a reader fails, instead of waiting, when it writes while
    # another one does.
    immediate = engine.execution_options(begin="BEGIN IMMEDIATE")
    with _one_line(engine), Session(immediate) as session, session.begin():
        yield session


@contextmanager
def deleting(engine: Engine) -> Iterator[Session]:
    """Yield a session as `writing` does, to delete with: it works on a full disk too.

    Raises:
        StoreError: the database cannot be reached or written.
    """
    with reserve.released(file_of(engine)) as short:
        with writing(engine) as session:
            yield session
        if short:
            empty_log(engine)  # gives the disk its space back


def empty_log(engine: Engine) -> None:
    """Move what SQLite's log holds into its file, if no other program reads it now.

    Until then the log still holds what was deleted.

    Raises:
        StoreError: the database cannot be reached or written.
    """
    with _one_line(engine):
        _truncate(engine)


def wipe(engine: Engine) -> None:
    """Erase all traces of deleted and replaced rows from SQLite's files.

    PostgreSQL reuses the space by itself; its files and backups are its administrator's task.

    Raises:
        StoreError: another program holds the file open, or the disk is full.
    """
    if file_of(engine) is None:
        return
    with _one_line(engine), reserve.released(file_of(engine)):
        full = not _vacuumed(engine)
        busy = _truncate(engine)
    if full:
        raise StoreError(
            N_(
                "{file}: deleted, but the disk is full: the last traces go with the next deletion"
                " for which there is room."
            ),
            file=file_of(engine),
        )
    if busy:
        raise StoreError(
            N_(
                "{file}: deleted, but another program holds the file: the last traces go when that"
                " program has ended and EmoRec is started again."
            ),
            file=file_of(engine),
        )


def _engine(address: URL) -> Engine:
    # `hide_parameters` keeps people's data out of the error texts of failed statements.
    choices: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    if file_of(address):
        engine = create_engine(address, **choices)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine
    try:
        from emorec.database.answering import AnsweringConnection  # only where it is needed
    except ModuleNotFoundError:
        raise StoreError(
            N_('DATABASE_URL: PostgreSQL needs psycopg: run pip install "psycopg[binary]".')
        ) from None
    engine = create_engine(address, connect_args={"connect_timeout": _CONNECT_S}, **choices)

    def open_connection(dialect: object, record: object, args: Any, named: Any) -> Any:
        return AnsweringConnection.connect(*args, **named)

    event.listen(engine, "do_connect", open_connection)
    return engine


def _vacuumed(engine: Engine) -> bool:
    """Rebuild SQLite's file; False if the disk has no room for that."""
    with _plain(engine) as connection:
        try:
            # SQLite may have moved rows between pages before; secure_delete leaves those copies.
            connection.exec_driver_sql("VACUUM")
        except DBAPIError as error:
            if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                raise
            return False
    return True


def _address(text: str | None, folder: Path | None) -> URL:
    if text is None:
        if folder is None:
            raise StoreError(
                N_("EMOREC_DATA: not set, and there is no home folder to keep data in.")
            )
        return URL.create("sqlite", database=str((folder / _FILE).absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # their texts repeat the address with its password
        url = URL.create("unknown")
    kind = url.drivername.partition("+")[0]
    if kind in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(database=str(Path(str(url.database)).absolute()))
    raise StoreError(f"DATABASE_URL: expected {VARIABLES['database_url'].values.expected}.")


def _reach(engine: Engine) -> None:
    """Connect once, so that every kind of error here is reported as a problem of the address."""
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise _error(engine, error) from None


def _make_file(file: Path) -> None:
    """Make the file, readable by its owner only; leave one that is there unopened.

    Where a process closes a file, all its locks on it end, also those of other connections. Then
    another process takes itself for the last user, and deletes the log that this one writes to.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            with suppress(FileExistsError):  # another thread or process was faster
                os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        elif file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        elif not os.access(file, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(
            N_("{file}: cannot be written ({why}); EMOREC_DATA chooses another folder."),
            file=file,
            why=why,
        ) from None


def _prepare(connection: Any, record: object) -> None:
    connection.isolation_level = None  # else the driver begins transactions by its own rules
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    # For a new file this statement takes a read lock and then a write lock, and SQLite does not
    # wait for the second one: two processes that open the file together would get "locked".
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
    """Return a connection for statements that SQLite refuses inside a transaction."""
    return engine.execution_options(begin="").connect()


def _truncate(engine: Engine) -> bool:
    """Move the content of SQLite's log into its file and empty the log; True if that failed."""
    if file_of(engine) is None:
        return False
    with _plain(engine) as connection:
        return bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar())


_BROKEN = re.compile("not a database|malformed")  # SQLITE_NOTADB and SQLITE_CORRUPT


@contextmanager
def _one_line(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # All other kinds of error are defects of this program.
        if type(error) not in (DatabaseError, InterfaceError, OperationalError):
            raise
        raise _error(engine, error) from None


def _error(engine: Engine, error: DBAPIError) -> StoreError:
    """Return one line for the driver's error, without the password of the database."""
    why = (str(error.orig).strip() or type(error.orig).__name__).partition("\n")[0]
    for secret in (engine.url.password, engine.url.query.get("password")):
        if secret:
            why = why.replace(str(secret), "***")
    file = file_of(engine)
    if file and isinstance(error.orig, sqlite3.DatabaseError) and _BROKEN.search(why):
        says = N_(
            "{file}: is no database, or a damaged one ({why}). Put a copy back that you saved, or "
            "move the file away to begin with an empty store."
        )
        return StoreError(says, file=file, why=why)
    if file:
        return StoreError("{file}: {why}.", file=file, why=why)
    return StoreError(N_("DATABASE_URL: the database does not answer ({why})."), why=why)
