"""Fewer pictures where the event loop is late, more again where it is not."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from emorec.live.pace import STEPS_PER_S, Pace, Skipper


def after(late_s: float, rings: int, pace: Pace | None = None) -> Pace:
    pace = pace or Pace()
    for _ in range(rings):
        pace.note(late_s)
    return pace


@pytest.mark.parametrize(
    ("late_s", "rings", "pictures_per_s"),
    [
        (0.0, 1000, 30),
        (0.02, 1000, 30),
        (0.5, 1, 30),  # one late ring, as while a model is loaded, changes nothing
        (0.1, 20, 20),
        (0.1, 1000, 15),
    ],
)
def test_lateness_lowers_the_pace(late_s: float, rings: int, pictures_per_s: float) -> None:
    assert after(late_s, rings).pictures_per_s == pictures_per_s


def test_the_pace_is_raised_slowly_and_only_in_calm() -> None:
    slow = after(0.1, 1000)
    assert after(0.02, 1000, slow).pictures_per_s == STEPS_PER_S[-1]
    assert after(0.0, 90, slow).pictures_per_s == STEPS_PER_S[-1]
    assert after(0.0, 30, slow).pictures_per_s == 20
    assert after(0.0, 1000, slow).pictures_per_s == 30 and slow.every_picture


@pytest.mark.parametrize("pictures_per_s", STEPS_PER_S)
def test_pictures_are_left_out_evenly(pictures_per_s: float) -> None:
    pace = Pace()
    pace.pictures_per_s = pictures_per_s
    skipper = Skipper(pace)
    times_s = [100 + number / 30 for number in range(300)]
    drawn_s = [time_s for time_s in times_s if skipper.takes(time_s)]
    assert len(drawn_s) / 10 == pytest.approx(pictures_per_s, rel=0.05)
    gaps_s = [later - sooner for sooner, later in pairwise(drawn_s)]
    assert max(gaps_s) < 1.6 / pictures_per_s


def test_where_only_what_was_read_is_shown_as_much_is_read() -> None:
    pace = Pace()
    assert pace.readings_per_s(True) == 30 > pace.readings_per_s(False) >= 10


def test_the_lateness_is_that_of_the_loop() -> None:
    async def busy(pace: Pace) -> None:
        watch = asyncio.create_task(pace.watch())
        for _ in range(10):
            await asyncio.sleep(0)
            time.sleep(0.3)  # as a loop does that has too much to do
        watch.cancel()

    pace = Pace()
    asyncio.run(busy(pace))
    assert pace.late_s > 0.1
