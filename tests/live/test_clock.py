"""The camera's clock: it never falls, and no fault of the timestamps makes it jump."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from aiortc.rtcrtpreceiver import TimestampMapper

from emorec.live.clock import MediaClock

TICKS = 90_000  # a second


def frame(pts: int) -> av.VideoFrame:
    picture = av.VideoFrame(16, 16, "yuv420p")
    picture.pts, picture.time_base = pts, Fraction(1, TICKS)
    return picture


@pytest.mark.parametrize("first", [0, 2**32 - TICKS])  # the second begins again on its way
def test_frames_out_of_order_do_not_add_thirteen_hours(first: int) -> None:
    clock, mapper = MediaClock(), TimestampMapper()
    sent = (first + round(TICKS * s) for s in (0.0, 0.5, 0.4, 0.6, 1.5, 1.4, 2.0))
    times = [clock.seconds(frame(mapper.map(ticks % 2**32))) for ticks in sent]
    assert times == pytest.approx([0.0, 0.5, 0.5, 0.6, 1.5, 1.5, 2.0], abs=1e-3)


def test_a_pause_of_an_hour_stays_one() -> None:
    clock = MediaClock()
    assert [clock.seconds(frame(ticks)) for ticks in (0, 3600 * TICKS)] == [0.0, 3600.0]
