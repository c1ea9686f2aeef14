"""Where one visitor's video and its results lie; `emorec.jobs.disk` holds those of all visitors."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe
from threading import Lock
from time import monotonic

from emorec.errors import EmorecError
from emorec.words import N_

_UNFINISHED_S = 900.0  # an upload of which no byte arrives for so long is deleted
_RESULTS_S = 2 * 3600.0  # results that were not fetched for so long are deleted
_NAME_CHARACTERS = 60  # of up to four bytes: most file systems allow 255, with endings
_UNNAMED = "video"


class NoPlaceError(EmorecError):
    """The place of an upload is gone: it was deleted, or never was."""


class Place:
    """Where one visitor's video and its results lie; `Disk.place` makes one.

    The event loop writes the upload, the visitor's pages and a job's thread use the rest.

    Attributes:
        token: says which place it is; who knows it may write and read there.
        session: the visitor's session.
        folder: made with the first byte.
        name: of the visitor's file, as it lies in the folder: made of letters and digits.
        size: bytes that its upload will have, as the browser says.
        received: bytes that have arrived.
        closed: whether the place and all in it are deleted.
        on_close: called when the place is closed.
    """

    def __init__(self, session: str, parent: Path) -> None:
        self.token = token_urlsafe(24)
        self.session = session
        self.folder = parent / token_urlsafe(12)  # the token is in no path, so in no error
        self.name = _UNNAMED
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
        return self.folder / self.name

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
                self.name = _harmless(name)
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
                raise NoPlaceError(N_("This upload is over."))
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
                raise NoPlaceError(N_("The upload is not complete."))
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
            raise NoPlaceError(N_("This upload is gone."))

    def _empty(self) -> None:
        self.source.unlink(missing_ok=True)
        self.size = self.received = 0
        self._which = ""


def _harmless(name: str) -> str:
    """Return a name that says the same, and that every file system takes for one of a file."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or not (suffix.isascii() and suffix.isalnum() and len(suffix) <= 5):
        stem, dot, suffix = name, "", ""
    kept = "".join(c if c.isalnum() or c in "-_" else "_" for c in stem)
    return f"{kept[:_NAME_CHARACTERS].strip('_') or _UNNAMED}{dot}{suffix}"
