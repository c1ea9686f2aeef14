"""Limits how many live sessions run at once."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Protocol
from weakref import WeakKeyDictionary

SESSIONS_PER_CORE = 1.0
"""Decoding, drawing and encoding the pictures of one session takes most of a core."""

SESSIONS_PER_PROCESS = 3
"""One session at 30 pictures a second takes a quarter of Python's lock (benchmarks/lock.py) on any
number of cores; more sessions need more processes."""

_LEAST = 2
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


_POLLS_S = 10.0  # a page that waits asks every two seconds; one that does not is not waited for
_WAITS_S = 120.0  # but a browser lets a hidden tab ask once a minute, and it keeps its turn
_TRIED_S = 5.0  # a place held for less may be a camera that was not allowed
_REMEMBERED_S = 600.0
_MOST_REMEMBERED = 1000  # addresses


class Session(Protocol):
    """A live session, which takes one place: `emorec.live.stream.LiveStream`."""

    @property
    def live(self) -> bool:
        """Whether it runs: it was not stopped, and pictures still arrive."""
        ...

    @property
    def received(self) -> bool:
        """Whether a picture has come since it was started."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Visitor:
    """A session in the room, or before its door.

    Attributes:
        source: as of `source_of`.
        since_s: when it came in, or began to wait.
        asked_s: when it last asked for a place.
    """

    source: str
    since_s: float
    asked_s: float


class Room:
    """A fixed number of places for live sessions; several threads may use it.

    The places taken are counted from the sessions' own state, so no place can be lost: it is free
    as soon as its session was stopped, receives no pictures any more, or was garbage-collected.

    Where more ask than there are places, a free one goes to those whose address has held fewest
    places without sending a picture lately; among them, to those whose address holds fewest; and
    among those to the one that has waited longest. An address that was silent lately also leaves it
    to those who see that the room is full, and have no START to press.

    Args:
        places: how many sessions may be live at once, at least 1.
        clock: gives seconds that never fall.
    """

    def __init__(self, places: int, clock: Callable[[], float] = monotonic) -> None:
        self.places = places
        self._clock = clock
        self._lock = Lock()
        self._inside: WeakKeyDictionary[Session, _Visitor] = WeakKeyDictionary()
        self._waiting: WeakKeyDictionary[Session, _Visitor] = WeakKeyDictionary()
        self._watching: WeakKeyDictionary[Session, _Visitor] = WeakKeyDictionary()
        self._silences: dict[str, deque[float]] = {}

    @property
    def live(self) -> int:
        """How many places are taken."""
        with self._lock:
            self._take_back()
            return len(self._inside)

    def enter(self, session: Session, address: str | None = None) -> bool:
        """Start a session if there is a place for it; return whether the session has a place.

        A session that waits has to ask every few seconds.

        Args:
            session: a visitor's.
            address: of the visitor, where it is known.
        """
        with self._lock:
            self._take_back()
            if session in self._inside:
                return True
            now_s = self._clock()
            own = self._waiting.get(session) or _Visitor(source_of(address), now_s, now_s)
            own.asked_s = now_s
            self._waiting[session] = own
            self._watching.pop(session, None)
            if own not in self._next(self.places - len(self._inside), own):
                return False
            del self._waiting[session]
            own.since_s = now_s
            self._inside[session] = own
            session.start()
            return True

    def watch(self, session: Session, address: str | None = None) -> bool:
        """Say that a visitor has not asked yet, and would; return whether there is a free place.

        To be called every few seconds.

        Args:
            session: the visitor's.
            address: as of `enter`.
        """
        with self._lock:
            self._take_back()
            now_s = self._clock()
            own = self._watching.setdefault(session, _Visitor(source_of(address), now_s, now_s))
            own.asked_s = now_s
            return len(self._inside) < self.places

    def leave(self, session: Session) -> None:
        """Stop a session and free its place, if it has one."""
        with self._lock:
            self._waiting.pop(session, None)
            own = self._inside.pop(session, None)
            if own is not None and self._clock() - own.since_s > _TRIED_S:
                self._judge(session, own)
        session.stop()

    def _take_back(self) -> None:
        """Free the places of sessions that are over, and forget those that wait no longer."""
        for session, own in list(self._inside.items()):
            if not session.live:
                del self._inside[session]
                self._judge(session, own)
        for session, own in list(self._waiting.items()):
            if self._clock() - own.asked_s > _WAITS_S:
                del self._waiting[session]

    def _judge(self, session: Session, own: _Visitor) -> None:
        """Remember that an address has held a place without sending a picture."""
        if not session.received:
            times_s = self._silences.pop(own.source, None) or deque(maxlen=100)
            times_s.append(self._clock())
            self._silences[own.source] = times_s  # at the end: those before were silent longer ago
            while len(self._silences) > _MOST_REMEMBERED:
                del self._silences[next(iter(self._silences))]

    def _next(self, free: int, asks: _Visitor) -> list[_Visitor]:
        """Return the sessions that the free places go to, one of which asks."""
        now_s = self._clock()
        held = Counter(own.source for own in self._inside.values())

        def silences(own: _Visitor) -> int:
            times_s = self._silences.get(own.source, ())
            return sum(now_s - time_s < _REMEMBERED_S for time_s in times_s)

        def rank(own: _Visitor) -> tuple[int, int, float]:
            return silences(own), held[own.source], own.since_s

        there = list(self._waiting.values())
        if silences(asks):
            # Two clients that asked again at once, every 19 s, kept all others from seeing START.
            there += self._watching.values()
        asking = [own for own in there if now_s - own.asked_s < _POLLS_S]
        return sorted(asking, key=rank)[:free]


def source_of(address: str | None) -> str:
    """Return what counts as one visitor's address: of IPv6 the first half, which a line has alone.

    Args:
        address: an IP address; None, or anything else: it is not known, as of all such.
    """
    try:
        ip = ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or IPv6Address(int(ip) >> 64 << 64)
    return str(ip)


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
