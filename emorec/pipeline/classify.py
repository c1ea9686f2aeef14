"""Stage 4: which faces are read in this frame, and with which expression?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS

_NEW_AT_ONCE = 4  # new faces that are read in one frame, whatever it costs


class Classifier(Protocol):
    """Reads faces; `emorec.model.store.EmotionModel` is the one that ships."""

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return float32 (n, 7) in ``EMOTIONS`` order, rows summing to 1, of uint8 (n, 48, 48)."""
        ...


Calibrate = Callable[[Sequence[int], npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""Corrects what was read by what is known of a person: from ``track_id`` and probabilities, float32
of shape (n, 7), to probabilities of the same shape."""


def classify_faces(
    classifier: Classifier,
    faces_gray: npt.NDArray[np.uint8],
    track_ids: Sequence[int],
    calibrate: Calibrate | None = None,
) -> npt.NDArray[np.float32]:
    """Read all these faces in one batch, and calibrate what was read; no faces cost nothing.

    Args:
        classifier: reads them.
        faces_gray: uint8 of shape (n, 48, 48).
        track_ids: whose faces they are, n of them.
        calibrate: corrects what was read; None: nothing does.

    Returns:
        float32 of shape (n, 7) in ``EMOTIONS`` order.
    """
    if not len(faces_gray):
        return np.empty((0, len(EMOTIONS)), dtype=np.float32)
    probs = classifier.classify(faces_gray)
    return calibrate(track_ids, probs) if calibrate else probs


class ReadingOrder:
    """Chooses the faces to read in a frame: new ones first, then those read longest ago."""

    def __init__(self) -> None:
        self._read_s: dict[int, float] = {}

    def reset(self) -> None:
        """Forget every face."""
        self._read_s.clear()

    def choose(
        self, track_ids: Sequence[int], seen_ids: Sequence[int], time_s: float, count: int
    ) -> list[int]:
        """Return the ids of the faces to read in this frame.

        Args:
            track_ids: all faces followed; others are forgotten.
            seen_ids: those of them that can be read now.
            time_s: of this frame.
            count: how many to read; of faces that were never read, up to 4 whatever the count.
        """
        self._read_s = {i: self._read_s[i] for i in track_ids if i in self._read_s}
        waiting = sorted(seen_ids, key=lambda i: (self._read_s.get(i, -math.inf), i))
        new = sum(i not in self._read_s for i in seen_ids)
        chosen = waiting[: max(count, min(new, _NEW_AT_ONCE))]
        self._read_s.update(dict.fromkeys(chosen, time_s))
        return chosen
