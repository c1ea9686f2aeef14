"""Stage 4: how does each face look, and whose turn is it to be looked at?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS

_EVERY_S = 0.33  # each face is read this often at least; the rest to half a second is for misses
_BUDGET_S = 0.015  # of a frame; while there is time, faces are read more often than they must
_GUESS_S = 0.002  # what a face costs, until it was measured
_NEW_COST = 0.2  # share of the newest measurement


class Classifier(Protocol):
    """Reads faces; `emorec.model.store.EmotionModel` is the one that ships."""

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return float32 (n, 7) in ``EMOTIONS`` order, rows summing to 1, of uint8 (n, 48, 48)."""
        ...


def classify_faces(
    classifier: Classifier, faces_gray: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Read all these faces in one batch; none cost nothing."""
    if not len(faces_gray):
        return np.empty((0, len(EMOTIONS)), dtype=np.float32)
    return classifier.classify(faces_gray)


class Turns:
    """Chooses whose turn it is: new faces first, then those who have waited longest.

    As many as a fixed time a frame allows on this machine, and never fewer than it takes for
    everybody to be read twice a second.
    """

    def __init__(self) -> None:
        self._read_s: dict[int, float] = {}
        self._frame_s: float | None = None
        self._cost_s = _GUESS_S

    def reset(self) -> None:
        """Forget every face; what a face costs stays known."""
        self._read_s.clear()
        self._frame_s = None

    def choose(self, track_ids: Sequence[int], seen_ids: Sequence[int], time_s: float) -> list[int]:
        """Return the ids of those to be read in this frame.

        Args:
            track_ids: everybody followed; who is not among them is forgotten.
            seen_ids: those of them that can be read now.
            time_s: of this frame.
        """
        passed_s = 0.0 if self._frame_s is None else time_s - self._frame_s
        self._frame_s = time_s
        self._read_s = {i: self._read_s[i] for i in track_ids if i in self._read_s}
        least = math.ceil(len(track_ids) * passed_s / _EVERY_S)
        count = max(least, int(_BUDGET_S / self._cost_s), 1)
        waiting = sorted(seen_ids, key=lambda i: (self._read_s.get(i, -math.inf), i))
        chosen = waiting[:count]
        self._read_s.update(dict.fromkeys(chosen, time_s))
        return chosen

    def spent(self, faces: int, seconds: float) -> None:
        """Take in how long reading so many faces took."""
        if faces:
            self._cost_s += _NEW_COST * (max(seconds / faces, 1e-6) - self._cost_s)
