"""Stage 4: how does each face look, and whose turn is it to be looked at?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS

_AT_ONCE = 4  # faces not read before that are read in one frame, whatever the time


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
    """Chooses whose turn it is: new faces first, then those who have waited longest."""

    def __init__(self) -> None:
        self._read_s: dict[int, float] = {}

    def reset(self) -> None:
        """Forget every face."""
        self._read_s.clear()

    def choose(
        self, track_ids: Sequence[int], seen_ids: Sequence[int], time_s: float, count: int
    ) -> list[int]:
        """Return the ids of those to be read in this frame.

        Args:
            track_ids: everybody followed; who is not among them is forgotten.
            seen_ids: those of them that can be read now.
            time_s: of this frame.
            count: how many; of faces that were never read a few more.
        """
        self._read_s = {i: self._read_s[i] for i in track_ids if i in self._read_s}
        waiting = sorted(seen_ids, key=lambda i: (self._read_s.get(i, -math.inf), i))
        new = sum(i not in self._read_s for i in seen_ids)
        chosen = waiting[: max(count, min(new, _AT_ONCE))]
        self._read_s.update(dict.fromkeys(chosen, time_s))
        return chosen
