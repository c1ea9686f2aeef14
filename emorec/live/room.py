"""How many visitors may be live at once, and who is."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Protocol
from weakref import WeakSet

from emorec.environment import number

SESSIONS_PER_CORE = 1.0
"""A session's pictures in and out, decoded, drawn on and encoded, take most of a core."""

_LEAST, _MOST = 2, 1000
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


def places() -> int:
    """Return for how many live sessions this server is: ``EMOREC_MAX_LIVE``, else by its cores.

    The default is one for each core, and 2 where there are fewer.

    Raises:
        EmorecError: the variable holds no number from 1 to 1000.
    """
    chosen = number("EMOREC_MAX_LIVE", 1, _MOST)
    return min(max(int(cores() * SESSIONS_PER_CORE), _LEAST), _MOST) if chosen is None else chosen


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
