"""Two spans compared: their difference, and how sure it is.

The seconds of a span depend on each other, so resampling single seconds would make the uncertainty
far too small. Blocks of neighbouring seconds are resampled instead (moving-block bootstrap: H.
Künsch, "The jackknife and the bootstrap for general stationary observations", Ann. Statist. 17,
1989).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.sessions.room import Measures, measures
from emorec.sessions.seconds import Table
from emorec.words import N_, _

MEASURES = (N_("mood"), N_("smile"), N_("synchrony"), "unreadable", *EMOTIONS)
"""What can be compared: the lines of `emorec.sessions.room.Measures`, and the shares by name."""

LEAST_SECONDS = 10
"""Seconds with a known value that a span needs."""

BLOCK_S = 15
"""Seconds of a block. Mood and smiles of people change within several seconds; a block must be
longer than that, and a span needs several blocks."""

_COPIES = 2000
_INTERVAL = (2.5, 97.5)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a session.

    Attributes:
        start_s, end_s: seconds from the start of its stream; the end is outside.
    """

    start_s: float = 0.0
    end_s: float = math.inf

    def __post_init__(self) -> None:
        if not self.start_s < self.end_s:
            raise EmorecError(
                f"Expected a span that ends after it starts. Received {self.start_s:g} to"
                f" {self.end_s:g} s."
            )


@dataclass(frozen=True, slots=True)
class Difference:
    """How two spans differ in one measure.

    Attributes:
        measure: one of ``MEASURES``.
        first, second: the mean over each span's seconds.
        difference: second less first.
        low, high: its 95 % interval.
        seconds: of the first and the second span that have a value.
    """

    measure: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    seconds: tuple[int, int]

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def part(seconds: Table, span: Span) -> Table:
    """Return the seconds of a span."""
    return seconds[(seconds["second"] >= span.start_s) & (seconds["second"] < span.end_s)]


def line(told: Measures, measure: str) -> Floats:
    """Return one measure over time, NaN where it is not told.

    Args:
        told: of the room.
        measure: one of ``MEASURES``.
    """
    if measure in EMOTIONS:
        return told.shares[:, EMOTIONS.index(measure)]
    if measure not in MEASURES:
        raise EmorecError(f"Expected one of {', '.join(MEASURES)}. Received {measure!r}.")
    values: Floats = getattr(told, measure)
    return values


def compare(first: Table, second: Table, measure: str = "mood", seed: int = 0) -> Difference:
    """Return the difference between two spans, of one session or of two.

    Args:
        first: `emorec.sessions.seconds.SECOND` of a span, as `part` returns it.
        second: the same of the other span.
        measure: one of ``MEASURES``.
        seed: of the resampling; the same seed gives the same interval.

    Raises:
        EmorecError: a span has too few seconds with a value.
    """
    lines = [line(measures(seconds), measure) for seconds in (first, second)]
    known = [values[~np.isnan(values)] for values in lines]
    for name, values in zip((N_("first"), N_("second")), known, strict=True):
        if len(values) < LEAST_SECONDS:
            says = _(
                "the {span} span has {n} seconds with a value of {measure}; a comparison needs"
                " {least}."
            )
            raise EmorecError(
                says.format(span=_(name), n=len(values), measure=_(measure), least=LEAST_SECONDS)
            )
    random = np.random.default_rng(seed)
    before, after = (_resampled_means(values, random) for values in known)
    low, high = np.percentile(after - before, _INTERVAL)
    means = [float(values.mean()) for values in known]
    return Difference(
        measure=measure,
        first=means[0],
        second=means[1],
        difference=means[1] - means[0],
        low=float(low),
        high=float(high),
        seconds=(len(known[0]), len(known[1])),
    )


def _resampled_means(values: Floats, random: np.random.Generator) -> Floats:
    """Return the means of copies made of blocks that follow each other in the values.

    A span under three blocks long has blocks of a third of it. Blocks may begin at every second,
    and go on at the span's beginning, so that every second is drawn equally often (D. Politis, J.
    Romano, "A circular block-resampling procedure", 1992).
    """
    n = len(values)
    length = max(1, min(BLOCK_S, n // 3))
    sums = np.convolve(np.concatenate([values, values[: length - 1]]), np.ones(length), "valid")
    blocks = max(1, round(n / length))
    starts = random.integers(0, n, (_COPIES, blocks))
    means: Floats = sums[starts].mean(axis=1) / length
    return means
