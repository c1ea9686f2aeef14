"""The automatic baseline: each face's own resting state, learned while it is followed.

Some faces at rest look sad or angry to the network; others stay "neutral" while they change. So the
readings of a face are moved such that its own resting state falls on that of a typical neutral
face. How far, and what it is worth: ``benchmarks/training-log.md``, 2026-11-28.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.model.shown import softmax

TYPICAL = np.array([-6.4, -6.3, -8.2, -7.6, -3.3, -7.3, -1.5], np.float32)
"""Logarithms of the probabilities of a typical neutral face: their means over the 1,242 faces of
FER2013's PublicTest that most people call neutral. Those of the ReLU network differ by 0.4 at most.
Neutral, -0.5 there, is lowered by 1, so that a smaller change shows: of 14 sad expressions of known
people 4.1 are found instead of 2.6, and 0.6 of 52 resting faces are lost."""

FULL = 0.75
"""How far a face's resting state is moved, of the whole way. At 1, 1.9 of 52 more resting faces are
lost when the light or the glasses change."""

LEAST_S, FULL_S = 3.0, 20.0
"""Seconds of calm readings before anything is moved, and until it is moved by ``FULL``."""

SAMPLE_S = 0.5
"""One reading is kept in so many seconds; faces that are read more often would forget sooner."""

KEPT_S = 60.0
"""Seconds of calm readings that are kept of a face, and how long a face out of view is known."""

_NEUTRAL = EMOTIONS.index("neutral")


@dataclass
class _Face:
    samples: deque[npt.NDArray[np.float32]] = field(
        default_factory=lambda: deque(maxlen=round(KEPT_S / SAMPLE_S))
    )
    sampled_s: float = -np.inf
    read_s: float = 0.0
    shift: npt.NDArray[np.float32] = field(
        default_factory=lambda: np.zeros(len(EMOTIONS), np.float32)
    )


class Baselines:
    """Learns the resting state of each track, and corrects what is read of it.

    A calm reading is one that the network itself calls neutral: from others it would learn that a
    held smile is a resting face. The resting state is the median of the calm readings of a minute.
    No track learns from another, and none outlives the reader that it belongs to.
    """

    def __init__(self) -> None:
        self._faces: dict[int, _Face] = {}

    def __call__(
        self, track_ids: Sequence[int], rows: npt.NDArray[np.float32], time_s: float
    ) -> npt.NDArray[np.float32]:
        """Return corrected probabilities, as `emorec.pipeline.classify.Calibrate` wants them."""
        self._faces = {
            track_id: face
            for track_id, face in self._faces.items()
            if time_s - face.read_s <= KEPT_S
        }
        logs = logarithms(rows[:, : len(EMOTIONS)])
        for track_id, own in zip(track_ids, logs, strict=True):
            face = self._faces.setdefault(track_id, _Face())
            face.read_s = time_s
            if own.argmax() == _NEUTRAL and time_s - face.sampled_s >= SAMPLE_S:
                face.sampled_s = time_s
                face.samples.append(own)
                face.shift = shift_of(np.array(face.samples))
        shifts = np.array([self._faces[track_id].shift for track_id in track_ids])
        return softmax(logs + shifts.reshape(logs.shape))


def shift_of(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what is added to a face's logarithms, float32 of shape (7,).

    Args:
        samples: logarithms of its calm readings, ``SAMPLE_S`` apart, of shape (n, 7); n at least 1.
    """
    seen_s = len(samples) * SAMPLE_S
    share = 0.0 if seen_s < LEAST_S else FULL * min(seen_s / FULL_S, 1.0)
    return (share * (TYPICAL - np.median(samples, axis=0))).astype(np.float32)


def logarithms(probs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the logarithms of probabilities, those of 0 as those of 1e-12."""
    return np.log(np.maximum(probs, 1e-12)).astype(np.float32)
