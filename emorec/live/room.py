"""How many visitors may be live at once, and who is."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Protocol
from weakref import WeakSet

SESSIONS_PER_CORE = 1.0
"""A session's pictures in and out, decoded, drawn on and encoded, take most of a core."""

_LEAST = 2
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Session(Protocol):
    """Whoever takes a place; `emorec.live.stream.LiveStream` is the one that there is."""

    @property
    def live(self) -> bool:
        """Whether it goes on: neither stopped nor silent for too long."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Room:
    """So many places and those who have one; several threads may use it.

    A place is counted from what its session says of itself, so none can be lost: it is free again
    as soon as the session was stopped, fell silent or is no longer known to anyone.

    Args:
        places: at least 1.
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
        """Start a session that finds a place; return whether it has one, now or before."""
        with self._lock:
            if session in self._sessions and session.live:
                return True
            if self._taken() >= self.places:
                return False
            self._sessions.add(session)
            session.start()
            return True

    def leave(self, session: Session) -> None:
        """Stop a session and give its place back; does nothing where it has none."""
        with self._lock:
            self._sessions.discard(session)
        session.stop()

    def _taken(self) -> int:
        return sum(session.live for session in self._sessions)


def places(max_live: int | None = None) -> int:
    """Return how many live sessions this server takes at once.

    Args:
        max_live: the number that the deployer chose; None: one for each core, at least 2.
    """
    if max_live is not None:
        return max_live
    return max(int(cores() * SESSIONS_PER_CORE), _LEAST)


def cores(quota: Path = _QUOTA) -> float:
    """Return how many cores this process may use; a container's share counts (cgroup v2)."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most_us, _, period_us = quota.read_text(encoding="ascii").partition(" ")
    except OSError:  # no such file: another system, or an older one
        return float(own)
    if not most_us.isdigit() or not period_us.strip().isdigit():  # "max": no limit is set
        return float(own)
    return min(float(own), int(most_us) / int(period_us))
