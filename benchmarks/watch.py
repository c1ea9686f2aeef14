"""Watches what a process takes: memory and open files (descriptors)."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import psutil

_EVERY_S = 0.2


class Watch:
    """Remembers the most memory and open files of a process while it is open. Not for Windows.

    Attributes:
        before_mb: resident, before.
        most_mb: resident, at most.
        most_files: open at most.
    """

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.before_mb = self.most_mb = process.memory_info().rss / 1e6
        self.most_files = process.num_fds()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def taken(self) -> dict[str, Any]:
        """Return ``more_mb`` than before, at most, and ``files`` open at most; fit for JSON."""
        return {"more_mb": round(self.most_mb - self.before_mb), "files": self.most_files}

    def _look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            while not self._over.wait(_EVERY_S):
                self.most_mb = max(self.most_mb, self._process.memory_info().rss / 1e6)
                self.most_files = max(self.most_files, self._process.num_fds())
