"""Limits how many live sessions run at once."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Protocol
from weakref import WeakSet

SESSIONS_PER_CORE = 1.0
"""Decoding, drawing and encoding the pictures of one session takes most of a core."""

SESSIONS_PER_PROCESS = 3
"""One session at 30 pictures a second takes a quarter of Python's lock (benchmarks/lock.py) on any
number of cores; more sessions need more processes."""

_LEAST = 2
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Session(Protocol):
    """A live session, which takes one place: `emorec.live.stream.LiveStream`."""

    @property
    def live(self) -> bool:
        """Whether it runs: it was not stopped, and pictures still arrive."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Room:
    """A fixed number of places for live sessions; several threads may use it.

    The places taken are counted from the sessions' own state, so no place can be lost: it is free
    as soon as its session was stopped, receives no pictures any more, or was garbage-collected.

    Args:
        places: how many sessions may be live at once, at least 1.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self._lock = Lock()
        self._sessions: WeakSet[Session] = WeakSet()

    @property
    def live(self) -> int:
        """How many places are taken."""
        with self._lock:
            return self._taken()

    def enter(self, session: Session) -> bool:
        """Start a session if a place is free; return whether the session has a place."""
        with self._lock:
            if session in self._sessions and session.live:
                return True
            if self._taken() >= self.places:
                return False
            self._sessions.add(session)
            session.start()
            return True

    def leave(self, session: Session) -> None:
        """Stop a session and free its place, if it has one."""
        with self._lock:
            self._sessions.discard(session)
        session.stop()

    def _taken(self) -> int:
        return sum(session.live for session in self._sessions)


def places(max_live: int | None = None) -> int:
    """Return how many live sessions this server allows at once.

    Args:
        max_live: the number that the deployer set; None: one for each core, 2 to 3.
    """
    if max_live is not None:
        return max_live
    return min(max(int(cores() * SESSIONS_PER_CORE), _LEAST), SESSIONS_PER_PROCESS)


def cores(quota: Path = _QUOTA) -> float:
    """Return how many cores this process may use, within its container's limit (cgroup v2)."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most_us, _, period_us = quota.read_text(encoding="ascii").partition(" ")
    except OSError:  # the file is missing: not Linux, or a kernel without cgroup v2
        return float(own)
    if not most_us.isdigit() or not period_us.strip().isdigit():  # "max": no limit is set
        return float(own)
    return min(float(own), int(most_us) / int(period_us))
