"""Time in a live picture: the camera's own clock, and how often something happens."""

from __future__ import annotations

from collections import deque
from time import monotonic

import av

_RATE_OVER_S = 2.0
_TURN_S = 2**32 / 90_000  # until the timestamps of a live picture begin again (RFC 7741, 4.1)


class MediaClock:
    """Seconds since the first frame, by the camera's timestamps.

    aiortc takes a frame that comes after a later one for a turn of the timestamps, and adds 13
    hours to all that follow (`aiortc.rtcrtpreceiver.TimestampMapper`, 1.16); here they are taken
    away.

    Attributes:
        last_s: of the newest frame; never falls.
    """

    def __init__(self) -> None:
        self.last_s = 0.0
        self._first_s: float | None = None
        self._before_s = 0.0

    def seconds(self, frame: av.VideoFrame) -> float:
        """Return the time of the next frame; of one without a timestamp, when it arrived."""
        now_s = frame.time if frame.time is not None else monotonic()
        if self._first_s is None:
            self._first_s = self._before_s = now_s
        # So many turns lie between two frames that nothing but the fault can have made them.
        self._first_s += round((now_s - self._before_s) / _TURN_S) * _TURN_S
        self._before_s = now_s
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
