"""What is remembered of one face for the measures of a room: its baseline, its smile."""

from __future__ import annotations

import math
from array import array
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.records import Probabilities

BASELINE_S = 30.0
"""A face's baseline is taken over its first so many readable seconds."""

LEAST_BASELINE_S = 5.0
"""There is one from so many readable seconds on; until ``BASELINE_S`` it is taken anew each second.

So a room's mood is told before half a minute is over, though less surely: at two readings a second
it begins with the median of ten."""

_LEAST_READINGS = 5  # for a baseline; fewer have no median worth the name
_SMILE_S = 0.5
_SMILE_MADS = 2.0
# A face that never changed in its half-minute has a deviation of 0, and any noise would be a smile.
_LEAST_RISE = 0.1


class Baseline(NamedTuple):
    """What a face showed at first.

    Attributes:
        valence: median, in [-1, 1].
        smile_over: the happy probability that counts as a smile.
    """

    valence: float
    smile_over: float


class FaceHistory:
    """What is remembered of one face: its last reading and its baseline.

    Attributes:
        probs: the network's last own reading.
        baseline: of its first ``BASELINE_S``, or of so much as there is yet; None until the face
            was read for ``LEAST_BASELINE_S``.
        seen_s: when it was last read.
    """

    __slots__ = (
        "_happy",
        "_next_s",
        "_readable_s",
        "_smile_since_s",
        "_valence",
        "baseline",
        "probs",
        "seen_s",
    )

    def __init__(self, probs: Probabilities) -> None:
        self.probs = probs
        self.baseline: Baseline | None = None
        self.seen_s = 0.0
        self._readable_s = 0.0
        self._next_s = LEAST_BASELINE_S  # when the baseline is taken next; infinity: it is final
        self._smile_since_s: float | None = None
        self._valence, self._happy = array("f"), array("f")

    def remember(self, valence: float, happy: float) -> None:
        """Take a reading for the baseline, until that is final."""
        if self._next_s < math.inf:
            self._valence.append(valence)
            self._happy.append(happy)

    def was_read(self, step_s: float) -> None:
        """Count time in which the face was read."""
        self._readable_s += step_s
        if self._readable_s < self._next_s or len(self._valence) < _LEAST_READINGS:
            return
        self.baseline = baseline(np.array(self._valence), np.array(self._happy))
        self._next_s = math.floor(self._readable_s) + 1.0
        if self._readable_s >= BASELINE_S:
            self._next_s = math.inf
            self._valence, self._happy = array("f"), array("f")

    def look(self, time_s: float) -> tuple[bool, bool]:
        """Return whether the face has a baseline, and whether it smiles, in a picture of now.

        A smile is a happy probability over the face's own median by two median absolute deviations
        (and by 0.1 at least) for half a second or more; it counts from then on. Source of the
        robust limit: C. Leys et al., "Detecting outliers", J. Exp. Soc. Psychol. 49 (2013).
        """
        self.seen_s = time_s
        if self.baseline is None:
            return False, False
        if self.probs[EMOTIONS.index("happy")] <= self.baseline.smile_over:
            self._smile_since_s = None
            return True, False
        if self._smile_since_s is None:
            self._smile_since_s = time_s
        return True, time_s - self._smile_since_s >= _SMILE_S

    def pause(self, time_s: float) -> None:
        """Note that the face is in view, but cannot be read now: a smile does not go on."""
        self.seen_s = time_s
        self._smile_since_s = None


def baseline(valence: npt.NDArray[Any], happy: npt.NDArray[Any]) -> Baseline:
    """Return the baseline of a face from its first readings.

    Args:
        valence: shape (n,), n ≥ 1.
        happy: probabilities of the same readings.
    """
    median = float(np.median(happy))
    deviation = float(np.median(np.abs(happy - median)))
    return Baseline(float(np.median(valence)), median + max(_SMILE_MADS * deviation, _LEAST_RISE))
