from __future__ import annotations

import numpy as np

from emorec.pipeline.classify import classify_faces


class Counting:
    """A classifier that counts how often it is asked."""

    asked = 0

    def classify(self, faces_gray: np.ndarray) -> np.ndarray:
        self.asked += 1
        return np.full((len(faces_gray), 7), 1 / 7, np.float32)


def test_nobody_costs_nothing() -> None:
    classifier = Counting()
    probs = classify_faces(classifier, np.empty((0, 48, 48), np.uint8))
    assert probs.shape == (0, 7) and probs.dtype == np.float32
    assert classifier.asked == 0


def test_all_faces_of_a_frame_are_read_at_once() -> None:
    classifier = Counting()
    assert classify_faces(classifier, np.zeros((5, 48, 48), np.uint8)).shape == (5, 7)
    assert classifier.asked == 1
