"""Stage 4: which faces are read in this frame, and with which expression?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS

_NEW_AT_ONCE = 4  # new faces that are read in one frame, whatever it costs


class Classifier(Protocol):
    """Reads faces; `emorec.model.store.EmotionModel` is the one that ships."""

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return a row for each face of uint8 (n, 48, 48), float32 of shape (n, 7 or more).

        The first seven numbers are probabilities in ``EMOTIONS`` order, summing to 1. The network's
        features may follow, for a calibration that compares them.
        """
        ...


class Calibrate(Protocol):
    """Corrects what was read by what is known of a person (`emorec.calibration`).

    It may keep what it sees of each track. One reader uses it.
    """

    def __call__(
        self, track_ids: Sequence[int], rows: npt.NDArray[np.float32], time_s: float
    ) -> npt.NDArray[np.float32]:
        """Return the corrected probabilities, float32 of shape (n, 7).

        Args:
            track_ids: whose faces were read, n of them.
            rows: what the classifier returned for them.
            time_s: of the media clock, in seconds.
        """
        ...


def classify_faces(
    classifier: Classifier,
    faces_gray: npt.NDArray[np.uint8],
    track_ids: Sequence[int],
    calibrate: Calibrate | None = None,
    time_s: float = 0.0,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Read all these faces in one batch, and calibrate what was read; no faces cost nothing.

    Args:
        classifier: reads them.
        faces_gray: uint8 of shape (n, 48, 48).
        track_ids: whose faces they are, n of them.
        calibrate: corrects what was read; None: nothing does.
        time_s: of the picture.

    Returns:
        What the network says, and the same corrected, each float32 of shape (n, 7) in ``EMOTIONS``
        order; twice the same array if nothing corrects it.
    """
    size = len(EMOTIONS)
    if not len(faces_gray):
        nothing = np.empty((0, size), dtype=np.float32)
        return nothing, nothing
    rows = classifier.classify(faces_gray)
    probs = np.ascontiguousarray(rows[:, :size])
    return probs, calibrate(track_ids, rows, time_s) if calibrate else probs


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
