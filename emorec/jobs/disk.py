"""The part of the disk where uploaded videos and what was read from them lie, and for how long.

Each process of the app has a folder of its own inside one folder a user of the machine. A lock on a
file in it shows that its process lives; at the start, the folders of dead processes are deleted, so
that a crash leaves no video behind for longer than until the next start.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import IO

from emorec.errors import EmorecError
from emorec.jobs.place import Place
from emorec.jobs.quota import Quota

log = logging.getLogger(__name__)

SPARE_BYTES = 256 * 2**20
"""Free space on the disk that uploads leave to the rest of the machine."""

AWAY_S = 150.0
"""After so long a visitor has left: Streamlit gives one who lost the connection 120 s to return."""

_LOCK = "lock"


class Disk:
    """The places of all visitors of this process, and how much may lie there.

    Args:
        file_bytes: of the largest video.
        total_bytes: of all videos and results; one visitor gets half.
        parent: the folder to be used; by default one a user of this machine, in the system's
            folder for temporary files.

    Raises:
        EmorecError: the folder cannot be used.
    """

    def __init__(self, file_bytes: int, total_bytes: int, parent: Path | None = None) -> None:
        self.file_bytes = file_bytes
        self.quota = Quota(total_bytes, self._stored)
        self._places: dict[str, Place] = {}
        self._lock = Lock()
        parent = parent or Path(tempfile.gettempdir()) / f"emorec-videos-{_user()}"
        try:
            _make_private(parent)
            with (parent / _LOCK).open("ab") as starting:
                _lock(starting, wait=True)  # one process at a time deletes and makes folders
                _delete_leftovers(parent)
                self.folder = Path(tempfile.mkdtemp(dir=parent))
                self._alive = (self.folder / _LOCK).open("wb")
                _lock(self._alive)
        except OSError as error:
            raise EmorecError(f"{parent}: cannot be used ({error.strerror or error}).") from None

    def place(self, session: str) -> Place:
        """Return a new place for a visitor's session; its former one is closed."""
        new = Place(session, self.folder)
        with self._lock:
            former = [place for place in self._places.values() if place.session == session]
            self._places[new.token] = new
        for place in former:
            self.close(place)
        return new

    def find(self, token: str) -> Place | None:
        """Return the place of this token; None if there is none, or it is closed."""
        place = self._places.get(token)
        return None if place is None or place.closed else place

    def close(self, place: Place) -> None:
        """Delete a place and all that lies there."""
        with self._lock:
            self._places.pop(place.token, None)
        place.close()

    def room_for(self, place: Place, size: int) -> bool:
        """Return whether so many more bytes may lie at a place."""
        return (
            self.quota.fits(place.session, size)
            and shutil.disk_usage(self.folder).free - size > SPARE_BYTES
        )

    def sweep(self, active: Callable[[str], bool]) -> None:
        """Delete the places whose visitors have left, and those that are overdue.

        Args:
            active: returns whether a session has an open connection.
        """
        now_s = monotonic()
        for place in list(self._places.values()):
            if active(place.session):
                place.away_since_s = None
            elif place.away_since_s is None:
                place.away_since_s = now_s
            left = place.away_since_s is not None and now_s - place.away_since_s > AWAY_S
            if place.closed or left or (place.folder.exists() and place.overdue(now_s)):
                self.close(place)

    def clear(self) -> None:
        """Delete everything; the disk is not used afterwards."""
        for place in list(self._places.values()):
            self.close(place)
        self._alive.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _stored(self, session: str) -> tuple[int, int]:
        own = everyone = 0
        for place in list(self._places.values()):
            size = place.stored_bytes()
            everyone += size
            own += size if place.session == session else 0
        return own, everyone


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "own"  # Windows: a folder a user


def _make_private(folder: Path) -> None:
    """Make the folder, or check that it is this user's alone: others can write to its parent."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if hasattr(os, "getuid") and (
        not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077
    ):
        raise PermissionError(0, "it belongs to another user, or others may read it")


def _delete_leftovers(parent: Path) -> None:
    """Delete the folders of processes that have ended without deleting their own."""
    for folder in parent.iterdir():
        if not folder.is_dir():
            continue
        try:
            with (folder / _LOCK).open("ab") as file:
                _lock(file)
        except OSError:  # its process holds the lock
            continue
        if len(list(folder.iterdir())) > 1:
            log.info("videos of a process that has ended are deleted")
        shutil.rmtree(folder, ignore_errors=True)


def _lock(file: IO[bytes], wait: bool = False) -> None:
    """Lock a file until it is closed or its process ends.

    Args:
        file: open for writing.
        wait: whether to wait for another process that has locked it; else raise OSError.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
