"""Space on the disk that is held back, so that a full disk can still be read and emptied.

SQLite needs space to open its file (32 kB of shared memory) and to delete from it (the deletions go
to its log first). On a full disk it has none, and then nothing could be deleted. So a file of zeros
lies beside the database. It is removed while a database on a full disk is opened or deleted from,
and made again after that.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RESERVE_BYTES = 2 * 2**20
"""A deletion of 1,000 rows and its log take under 0.5 MB (tests/database/test_reserve.py)."""

_LEFT_BYTES = 128 * 2**10  # left free when the reserve is made again
_CHUNK = bytes(64 * 2**10)


def file_of_reserve(database: Path) -> Path:
    """Return the file of the reserve, beside the database's."""
    return database.with_name("emorec.reserve")


def hold(database: Path) -> None:
    """Make the reserve, unless it exists or the disk has little room."""
    if _free(database) >= 2 * RESERVE_BYTES and not file_of_reserve(database).exists():
        _make(file_of_reserve(database), RESERVE_BYTES)


@contextmanager
def released(database: Path | None) -> Iterator[bool]:
    """Run a block with the reserve removed, if the disk is nearly full; yield whether it is.

    Args:
        database: SQLite's file; None: the database is a server's, and has no reserve.
    """
    if database is None or _free(database) >= RESERVE_BYTES:
        yield False
        return
    reserve = file_of_reserve(database)
    with suppress(OSError):  # there is none, or it cannot be removed: the block tries without
        reserve.unlink()
    try:
        yield True
    finally:
        _make(reserve, min(RESERVE_BYTES, _free(database) - _LEFT_BYTES))


def _free(database: Path) -> int:
    try:
        return shutil.disk_usage(database.parent).free
    except OSError:  # no such folder yet: there is nothing to open or delete
        return 2 * RESERVE_BYTES


def _make(reserve: Path, size: int) -> None:
    # A disk that has become full meanwhile, or a folder that cannot be written: no reserve.
    with suppress(OSError), reserve.open("wb") as file:
        reserve.chmod(0o600)
        while size >= len(_CHUNK):
            file.write(_CHUNK)
            size -= len(_CHUNK)
