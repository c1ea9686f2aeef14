"""Stage 4: how does each face look?"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Classifier(Protocol):
    """Reads faces; `emorec.model.store.EmotionModel` is the one that ships."""

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return float32 (n, 7) in ``EMOTIONS`` order, rows summing to 1, of uint8 (n, 48, 48)."""
        ...


def classify_faces(
    classifier: Classifier, faces_gray: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Read all faces of a frame in one batch; nobody there costs nothing."""
    if not len(faces_gray):
        return np.empty((0, 7), dtype=np.float32)
    return classifier.classify(faces_gray)
