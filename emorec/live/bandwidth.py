"""How much a visitor's line carries, estimated from the queue of packets in it.

The browser lowers the camera's resolution to what the receiver says that the line carries (REMB,
draft-alvestrand-rmcat-remb). aiortc's own estimate is Google's of 2013: it begins with what arrives
in the first three seconds, may then exceed what arrives by half at most, and takes packets that a
busy server reads late for a full line. So it took a still camera, and a server that reads 25 faces,
for a thin line: 1280×720 came as 320×180 over the loopback, with no packet lost.

Here a line is full when packets *wait* in it (the idea of CoDel, RFC 8289): when even the quickest
packet of a quarter of a second took longer than the quickest of half a minute. The kernel tells
when a packet arrived (`emorec.live.arrival`), however late a busy server reads it.
"""

from __future__ import annotations

from collections import deque

START_BPS = 4_000_000
"""The first estimate: more than Chromium sends of 1280×720 (2.5 Mbit/s)."""

_LEAST_BPS, _MOST_BPS = 50_000, 6_000_000
_PERIOD_MS = 250
_WAITING_MS = 80.0  # a standing queue; on a busy machine's loopback it was 27 at most
_DRAINS_MS = 5.0  # a queue that gets shorter by as much from period to period needs no other cut
_BASE_PERIODS = 120  # half a minute, in which the two clocks drift apart by a few milliseconds
_KEPT = 0.85  # of what got through, so that the queue drains
_GROWTH_PER_S, _QUICKENING_PER_S = 0.03, 0.01  # a cut of 0.85 is tried again after five seconds
_MOST_GROWTH_PER_S = 0.5
_REPORT_EVERY_MS = 1000

_UNITS_PER_MS = (1 << 18) / 1000  # of abs-send-time: 24 bits, 18 of them for less than a second
_WRAP = 1 << 24


class LineEstimator:
    """Estimates one visitor's line; replaces aiortc's ``RemoteBitrateEstimator``."""

    def __init__(self) -> None:
        self.bits_per_s = float(START_BPS)
        self._ssrcs: dict[int, None] = {}
        self._sent: int | None = None  # abs-send-time, without its wraps
        self._period_began_ms = 0.0
        self._period_bytes = 0
        self._quickest_ms = float("inf")
        self._quickest_of_periods: deque[float] = deque(maxlen=_BASE_PERIODS)
        self._waited_ms = 0.0
        self._cut_ms = 0.0
        self._reported_ms: float | None = None

    def add(
        self, arrival_time_ms: float, abs_send_time: int, payload_size: int, ssrc: int
    ) -> tuple[int, list[int]] | None:
        """Take in a packet.

        Args:
            arrival_time_ms: when it arrived, by a clock that never falls.
            abs_send_time: when it was sent, by the sender's clock: 24 bits in units of 2^-18 s.
            payload_size: bytes.
            ssrc: of its stream.

        Returns:
            Bits a second and the streams that share them, when the browser is to be told: with the
            first packet, at every cut, and else once a second.
        """
        self._ssrcs[ssrc] = None
        if self._sent is None:
            self._sent = abs_send_time
            self._period_began_ms = self._cut_ms = arrival_time_ms
        self._sent += (abs_send_time - self._sent + _WRAP // 2) % _WRAP - _WRAP // 2
        self._quickest_ms = min(self._quickest_ms, arrival_time_ms - self._sent / _UNITS_PER_MS)
        self._period_bytes += payload_size
        took_ms = arrival_time_ms - self._period_began_ms
        cut = False
        if took_ms >= _PERIOD_MS:
            cut = self._judge(arrival_time_ms, took_ms)
            self._period_began_ms, self._period_bytes = arrival_time_ms, 0
            self._quickest_ms = float("inf")
        if (
            not cut
            and self._reported_ms is not None
            and arrival_time_ms - self._reported_ms < _REPORT_EVERY_MS
        ):
            return None
        self._reported_ms = arrival_time_ms
        return round(self.bits_per_s), list(self._ssrcs)

    def _judge(self, now_ms: float, took_ms: float) -> bool:
        """Judge the packets of the last period; return whether the estimate was cut."""
        self._quickest_of_periods.append(self._quickest_ms)
        waited_ms = self._quickest_ms - min(self._quickest_of_periods)
        before_ms, self._waited_ms = self._waited_ms, waited_ms
        if waited_ms > _WAITING_MS:
            if waited_ms < before_ms - _DRAINS_MS:
                return False
            through = 8000 * self._period_bytes / took_ms
            self.bits_per_s = max(min(_KEPT * through, self.bits_per_s), _LEAST_BPS)
            self._cut_ms = now_ms
            return True
        growth = _GROWTH_PER_S + _QUICKENING_PER_S * (now_ms - self._cut_ms) / 1000
        self.bits_per_s *= 1 + min(growth, _MOST_GROWTH_PER_S) * took_ms / 1000
        self.bits_per_s = min(self.bits_per_s, _MOST_BPS)
        return False
