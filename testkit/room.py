"""A made-up room for tests and benchmarks of sessions: faces whose probabilities are given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.records import Box, Face, FrameResult, unclassified

PICTURE = np.zeros((1, 1, 3), np.uint8)


def face(track_id: int, probs: npt.NDArray[np.float32] | None, raw: bool = True) -> Face:
    """Return a face.

    Args:
        track_id: of the face.
        probs: its probabilities, (7,); None: it is too dark to be read.
        raw: whether the network read it in this picture.
    """
    box = Box(0, 0, 40, 40)
    if probs is None:
        nothing = unclassified()
        return Face(track_id, box, 0.9, 1.0, 0.0, nothing, nothing, None, unreadable="too dark")
    own = probs.copy() if raw else unclassified()
    return Face(track_id, box, 0.9, 1.0, 0.0, own, probs, EMOTIONS[int(probs.argmax())])


def happy(share: float) -> npt.NDArray[np.float32]:
    """Return probabilities of valence ``share``: happy and neutral, or sad and neutral."""
    probs = np.zeros(len(EMOTIONS), np.float32)
    probs[EMOTIONS.index("happy" if share >= 0 else "sad")] = abs(share)
    probs[EMOTIONS.index("neutral")] = 1 - abs(share)
    return probs


def frame(time_s: float, faces: Mapping[int, npt.NDArray[np.float32] | None]) -> FrameResult:
    """Return the result of one picture, with the probabilities of each face by its number."""
    return FrameResult(
        int(time_s * 30),
        time_s,
        (640, 480),
        tuple(face(track_id, probs) for track_id, probs in sorted(faces.items())),
    )
