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
from secrets import token_urlsafe
from threading import Lock
from time import monotonic
from typing import IO, ClassVar

from emorec.errors import EmorecError
from emorec.jobs.quota import Quota

log = logging.getLogger(__name__)

SPARE_BYTES = 256 * 2**20
"""Free space on the disk that uploads leave to the rest of the machine."""

AWAY_S = 150.0
"""After so long a visitor has left: Streamlit gives one who lost the connection 120 s to return."""

_UNFINISHED_S = 900.0  # an upload of which no byte arrives for so long is deleted
_RESULTS_S = 2 * 3600.0  # results that were not fetched for so long are deleted
_LONGEST_NAME = 120
_LOCK = "lock"


class NoPlaceError(EmorecError):
    """The place of an upload is gone: it was deleted, or never was."""


class Place:
    """Where one visitor's video and its results lie; `Disk.place` makes one.

    The event loop writes the upload, the visitor's pages and a job's thread use the rest.

    Attributes:
        token: says which place it is; who knows it may write and read there.
        session: the visitor's session.
        folder: made with the first byte.
        name: of the visitor's file, printable.
        size: bytes that its upload will have, as the browser says.
        received: bytes that have arrived.
        closed: whether the place and all in it are deleted.
        on_close: called when the place is closed.
    """

    SOURCE: ClassVar[str] = "source"

    def __init__(self, session: str, parent: Path) -> None:
        self.token = token_urlsafe(24)
        self.session = session
        self.folder = parent / token_urlsafe(12)  # the token is in no path, so in no error
        self.name = ""
        self.size = 0
        self.received = 0
        self.closed = False
        self.on_close: Callable[[], None] | None = None
        self.touched_s = monotonic()
        self.away_since_s: float | None = None
        self._which = ""
        self._taken = False
        self._lock = Lock()

    @property
    def source(self) -> Path:
        """The visitor's video; it is deleted once it was read."""
        return self.folder / self.SOURCE

    @property
    def complete(self) -> bool:
        """Whether the whole video has arrived."""
        return 0 < self.size == self.received

    def begin(self, name: str, size: int, which: str) -> bool:
        """Begin an upload, or go on with it where it is the same file as before.

        Args:
            name: of the file.
            size: of the file, in bytes.
            which: tells the file from others of its name and size.

        Returns:
            Whether the place takes an upload now; one that is read takes none.

        Raises:
            NoPlaceError: the place is closed.
        """
        with self._lock:
            self._check()
            if self._taken:
                return False
            if (size, which) != (self.size, self._which):
                self._empty()
                self.size, self._which = size, which
                self.name = "".join(c for c in name if c.isprintable())[-_LONGEST_NAME:] or "video"
            return True

    def write(self, data: bytes) -> None:
        """Append to the video.

        Raises:
            NoPlaceError: the place is closed, or takes no upload.
            OSError: it cannot be written, for example because the disk is full.
        """
        with self._lock:
            self._check()
            if self._taken or self.received + len(data) > self.size:
                raise NoPlaceError("this upload is over.")
            self.folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self.source, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.seek(self.received)  # what a failed write left is overwritten
                file.write(data)
            self.received += len(data)
            self.touched_s = monotonic()

    def empty(self) -> None:
        """Delete an upload that is not read yet; does nothing if it is."""
        with self._lock:
            if not self._taken and not self.closed:
                self._empty()

    def take(self) -> None:
        """Let the upload be read: from now on nothing of it is changed.

        Raises:
            NoPlaceError: the place is closed, or the upload is not complete.
        """
        with self._lock:
            self._check()
            if not self.complete:
                raise NoPlaceError("the upload is not complete.")
            self._taken = True

    def stored_bytes(self) -> int:
        """Return the bytes of all files that lie here."""
        total = 0
        with suppress(OSError):  # a file that is deleted meanwhile
            for entry in os.scandir(self.folder):
                total += entry.stat().st_size
        return total

    def touch(self) -> None:
        """Note that what lies here is in use."""
        self.touched_s = monotonic()

    def overdue(self, now_s: float) -> bool:
        """Return whether what lies here is deleted because nothing came or was fetched for long."""
        return now_s - self.touched_s > (_RESULTS_S if self._taken else _UNFINISHED_S)

    def close(self) -> None:
        """Delete all that lies here, and end what works on it; further calls do nothing."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
        if self.on_close is not None:
            self.on_close()
        self.wipe()

    def wipe(self) -> None:
        """Delete all files of a closed place; what worked on them may have written meanwhile."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self) -> None:
        if self.closed:
            raise NoPlaceError("this upload is gone.")

    def _empty(self) -> None:
        self.source.unlink(missing_ok=True)
        self.size = self.received = 0
        self._which = self.name = ""


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
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "me")


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
