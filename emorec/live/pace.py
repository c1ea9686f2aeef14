"""How many pictures a second every visitor gets: fewer where the server cannot keep up.

All visitors' packets, pictures and pages go through one event loop and Python's one lock. When more
is asked of them than they can do, everything waits in queues, and each picture comes later than the
one before. So the loop measures its own lateness: a timer that rings late tells how long everything
else waits. Fewer pictures are drawn, encoded, sent and read then, for all visitors alike.
"""

from __future__ import annotations

import asyncio
from collections import deque
from statistics import fmean

from emorec.monitoring import LOOP_LATE_SECONDS, PICTURES_PER_S

STEPS_PER_S = (30.0, 20.0, 15.0)
"""Pictures a second: what a camera is asked for, and what is drawn of it under load."""

_READ_SHARE = 0.5
"""Of the pictures that are shown, so many are read. Boxes are moved on between two readings, and
what is read is averaged over 0.6 s; to read each picture took as much of the lock as all else."""

_RING_EVERY_S = 0.1
_WINDOW = 15  # rings, 1.5 s
_LATE_S, _EARLY_S = 0.04, 0.01  # mean lateness at which there are fewer pictures, or more again
_CALM = 100  # rings, 10 s, before there are more again


class Pace:
    """What every visitor gets now; `watch` changes it, any thread may ask.

    Attributes:
        pictures_per_s: one of `STEPS_PER_S`.
        late_s: how late the event loop is, on average over the last moments.
    """

    def __init__(self) -> None:
        self.pictures_per_s = STEPS_PER_S[0]
        self.late_s = 0.0
        self._late_s: deque[float] = deque(maxlen=_WINDOW)
        self._since_change = 0
        self._calm = 0

    @property
    def every_picture(self) -> bool:
        """Whether each picture that comes from a camera is drawn."""
        return self.pictures_per_s == STEPS_PER_S[0]

    def readings_per_s(self, shows_read_alone: bool) -> float:
        """Return how often a second a visitor's picture is read, at most.

        Args:
            shows_read_alone: whether only pictures that were read are shown, as with blur.
        """
        return self.pictures_per_s * (1.0 if shows_read_alone else _READ_SHARE)

    def note(self, late_s: float) -> None:
        """Take in how late the loop's timer rang, and change the pace where it is to be."""
        self._late_s.append(late_s)
        self.late_s = fmean(self._late_s)
        self._since_change += 1
        self._calm = self._calm + 1 if self.late_s < _EARLY_S else 0
        step = STEPS_PER_S.index(self.pictures_per_s)
        if self.late_s > _LATE_S and self._since_change >= _WINDOW:
            step = min(step + 1, len(STEPS_PER_S) - 1)
        elif self._calm >= _CALM:
            step = max(step - 1, 0)
        if STEPS_PER_S[step] != self.pictures_per_s:
            self.pictures_per_s = STEPS_PER_S[step]
            self._since_change = self._calm = 0

    async def watch(self) -> None:
        """Measure the lateness of the running event loop, until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + _RING_EVERY_S
            await asyncio.sleep(_RING_EVERY_S)
            late_s = max(0.0, loop.time() - due_s)
            self.note(late_s)
            LOOP_LATE_SECONDS.observe(late_s)
            PICTURES_PER_S.set(self.pictures_per_s)


class Skipper:
    """Chooses which pictures of one camera are drawn, evenly; for one thread.

    Args:
        pace: of all visitors.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._due_s = 0.0

    def takes(self, now_s: float) -> bool:
        """Return whether the picture that has come now is drawn."""
        if self._pace.every_picture:
            return True
        if now_s < self._due_s:
            return False
        self._due_s = max(self._due_s, now_s - _RING_EVERY_S) + 1 / self._pace.pictures_per_s
        return True
