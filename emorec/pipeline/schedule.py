"""How much of each kind of work a frame gets: searching, finding known faces again, reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from emorec.errors import EmorecError

Work = Literal["search", "near", "read"]
"""Search a patch of the picture · search near one known face · read one face."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often each unit of a kind of work is wanted.

    Attributes:
        every_s: seconds between two times on a machine with time to spare.
        least_s: seconds between two times on a busy machine; work beyond that waits first.
    """

    every_s: float
    least_s: float


LIVE: Mapping[Work, Rate] = {
    "search": Rate(0.33, 1.5),
    "near": Rate(0.4, 1.0),
    "read": Rate(0.1, 0.45),
}
"""A newcomer is found within a third of a second; each face is read ten times a second, and on a
busy machine still more than twice."""

SHARE = 0.44
"""Of the time: with 0.4 each of 25 faces at 1280×720 was read 1.8 times a second on two cores with
AVX2. The rest is for following, and for the threads that draw and send; with more than this, a
machine that is ten times too slow gave new ids to faces that stayed."""

READINGS_PER_S = 5.0
"""How often each face of a video file is read, unless another rate is chosen."""

NOBODY_S = 0.2
"""Seconds from search to search while nobody is in view."""

_GUESS_S: Mapping[Work, float] = {"search": 0.02, "near": 0.003, "read": 0.004}
_NEW_COST = 0.2  # share of the newest measurement
_LONGEST_S = 0.25  # a live frame that comes later than this does not catch up


class Schedule:
    """Shares time between the kinds of work, by the media clock and the measured cost of each.

    A frame gets at most ``share`` of the time since the frame before. So a slow machine does less
    work a second, and the time between frames has a bound: with other work of ``o`` seconds a frame
    they come at least every ``o / (1 - share)`` seconds. Work that a frame cannot do is left to the
    next ones, but never more than each unit once.

    Args:
        rates: how often each kind is wanted.
        share: of the time, in (0, 1); None: costs do not count (`for_files`).
    """

    def __init__(self, rates: Mapping[Work, Rate] = LIVE, share: float | None = SHARE) -> None:
        self._rates = rates
        self._share = share
        self._cost_s = dict(_GUESS_S)
        self._owed: dict[Work, float] = dict.fromkeys(rates, 0.0)
        self._time_s: float | None = None

    def reset(self) -> None:
        """Forget what is owed and the time; what a unit costs stays known."""
        self._owed = dict.fromkeys(self._rates, 0.0)
        self._time_s = None

    def plan(self, time_s: float, units: Mapping[Work, int]) -> dict[Work, int]:
        """Return how many units of each kind this frame does.

        Args:
            time_s: of this frame, on the media clock.
            units: how many there are: patches of a whole search, faces known, faces to read.
        """
        if self._time_s is None:
            passed_s = 0.0
        else:
            passed_s = max(time_s - self._time_s, 0.0)
            if self._share is not None:
                passed_s = min(passed_s, _LONGEST_S)
        self._time_s = time_s
        every = {work: rate.every_s for work, rate in self._rates.items()}
        if not units["near"]:
            every["search"] = min(every["search"], NOBODY_S)
        wanted = {work: units[work] * passed_s / every[work] for work in units}
        least = {
            work: min(wanted[work], units[work] * passed_s / self._rates[work].least_s)
            for work in units
        }
        granted = self._within(wanted, least, passed_s)
        done = {}
        for work, number in granted.items():
            owed = self._owed[work] + number
            done[work] = min(int(owed + 1e-9), units[work])
            self._owed[work] = min(owed - done[work], 1.0)
        return done

    def spent(self, work: Work, units: int, seconds: float) -> None:
        """Take in how long so many units of a kind took."""
        if units:
            self._cost_s[work] += _NEW_COST * (max(seconds / units, 1e-6) - self._cost_s[work])

    def _within(
        self, wanted: Mapping[Work, float], least: Mapping[Work, float], passed_s: float
    ) -> dict[Work, float]:
        """Cut what is wanted down to the time there is, what is least last."""
        if self._share is None:
            return dict(wanted)
        budget_s = self._share * passed_s
        all_s = self._seconds(wanted)
        if all_s <= budget_s:
            return dict(wanted)
        least_s = self._seconds(least)
        if least_s >= budget_s:
            return {work: number * budget_s / least_s for work, number in least.items()}
        more = (budget_s - least_s) / (all_s - least_s)
        return {work: least[work] + more * (wanted[work] - least[work]) for work in wanted}

    def _seconds(self, units: Mapping[Work, float]) -> float:
        return sum(number * self._cost_s[work] for work, number in units.items())


def for_files(readings_per_s: float = READINGS_PER_S) -> Schedule:
    """Return the schedule of a video file: costs do not count, so every machine does the same.

    The whole picture is searched and each face is looked for as often as in a live picture on a
    fast machine; how often depends on the media time alone.

    Args:
        readings_per_s: how often each face is read; where frames come less often, in every frame.

    Raises:
        EmorecError: ``readings_per_s`` is not above 0.
    """
    if not 0 < readings_per_s < float("inf"):
        raise EmorecError(f"Expected readings_per_s above 0. Received {readings_per_s}.")
    rates: dict[Work, Rate] = {**LIVE, "read": Rate(1 / readings_per_s, 1 / readings_per_s)}
    return Schedule(rates, share=None)
