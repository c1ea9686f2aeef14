"""Time in a live picture: the camera's own clock, and how often something happens."""

from __future__ import annotations

from collections import deque
from time import monotonic

import av

_RATE_OVER_S = 2.0


class MediaClock:
    """Seconds since the first frame, by the camera's timestamps.

    Attributes:
        last_s: of the newest frame; never falls.
    """

    def __init__(self) -> None:
        self.last_s = 0.0
        self._first_s: float | None = None

    def seconds(self, frame: av.VideoFrame) -> float:
        """Return the time of the next frame; of one without a timestamp, when it arrived."""
        now_s = frame.time if frame.time is not None else monotonic()
        if self._first_s is None:
            self._first_s = now_s
        self.last_s = max(self.last_s, now_s - self._first_s)
        return self.last_s


class Rate:
    """How often something happens."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=256)

    def tick(self) -> None:
        """Count one more."""
        self._times_s.append(monotonic())

    def per_s(self) -> float:
        """Return how often it happened a second, over the last two seconds."""
        since_s = monotonic() - _RATE_OVER_S
        return sum(time_s >= since_s for time_s in tuple(self._times_s)) / _RATE_OVER_S
