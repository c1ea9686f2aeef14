"""What is believed of lines that are wide, thin, at rest, or read by a busy server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emorec.live.bandwidth import START_BPS, LineEstimator

PACKET = 1200
WRAP = 1 << 24


class Line:
    """A sender that obeys, over a line of so many bits a second; time passes in milliseconds."""

    def __init__(self, bits_per_s: float, most_bps: float = 2_500_000) -> None:
        self.bits_per_s = bits_per_s
        self.most_bps = most_bps
        self.estimator = LineEstimator()
        self.told_bps: list[int] = []
        self.waits_ms = 0.0
        self._now_ms = 63_500.0  # the sender's clock wraps after half a second
        self._free_ms = 0.0
        self._sent_ms = self._now_ms

    def run(self, seconds: float, read_ms: Callable[[float], float] = lambda ms: ms) -> None:
        """Send for a while.

        Args:
            seconds: to send for.
            read_ms: when a packet that arrives at a time is read.
        """
        until_ms = self._now_ms + 1000 * seconds
        while self._now_ms < until_ms:
            rate = min(self.told_bps[-1] if self.told_bps else self.most_bps, self.most_bps)
            self._now_ms += 8000 * PACKET / rate
            self._free_ms = max(self._free_ms, self._now_ms) + 8000 * PACKET / self.bits_per_s
            self.waits_ms = self._free_ms - self._now_ms
            told = self.estimator.add(
                read_ms(self._free_ms + 1e9), round(self._now_ms * 262.144) % WRAP, PACKET, 7
            )
            if told is not None:
                assert told[1] == [7]
                self.told_bps.append(told[0])


def test_a_wide_line_is_believed_from_the_first_packet_on():
    line = Line(20_000_000)
    line.run(0.01)
    assert line.told_bps == [START_BPS]
    line.run(120)
    assert min(line.told_bps) == START_BPS


def test_a_camera_at_rest_is_no_thin_line():
    line = Line(20_000_000, most_bps=60_000)
    line.run(60)
    assert min(line.told_bps) == START_BPS


@pytest.mark.parametrize("bits_per_s", [300_000, 700_000, 1_500_000])
def test_a_thin_line_is_noticed_within_a_second_and_used(bits_per_s):
    line = Line(bits_per_s)
    line.run(1)
    assert line.told_bps[-1] <= bits_per_s
    line.run(5)  # what had queued up has gone
    waits, first = [], len(line.told_bps)
    for _ in range(600):
        line.run(0.1)
        waits.append(line.waits_ms)
    assert max(waits) < 600
    mean = sum(line.told_bps[first:]) / len(line.told_bps[first:])
    assert 0.7 * bits_per_s < mean < 1.2 * bits_per_s


def test_a_line_that_becomes_wide_is_used_again():
    line = Line(500_000)
    line.run(20)
    line.bits_per_s = 20_000_000
    line.run(20)
    assert line.told_bps[-1] > 2_500_000


def test_a_server_that_reads_late_is_no_thin_line():
    line = Line(20_000_000)
    # It sleeps for 200 ms of every 250, and then reads all that has come.
    line.run(30, lambda ms: ms if ms % 250 >= 200 else ms - ms % 250 + 200)
    assert min(line.told_bps) == START_BPS


def test_clocks_that_drift_apart_are_no_thin_line():
    line = Line(20_000_000)
    line.run(600, lambda ms: ms * 1.0001)
    assert min(line.told_bps) == START_BPS


def test_all_streams_of_a_line_share_it():
    estimator = LineEstimator()
    estimator.add(0, 0, PACKET, 1)
    for number in range(200):
        told = estimator.add(10 * number, round(2621.44 * number), PACKET, 1 + number % 2)
        if number == 199:
            continue
        if told is not None:
            assert told[1] in ([1], [1, 2])
    assert told is None or told[1] == [1, 2]
