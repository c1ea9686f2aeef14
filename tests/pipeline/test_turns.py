"""In a crowd the faces take turns: a frame's cost is bounded, and nobody is forgotten."""

from time import sleep

import cv2
import numpy as np
import pytest

from emorec.pipeline.pipeline import Pipeline
from emorec.records import Detection
from emorec.settings import Settings

CROWD = [(x * 100.0, y * 100.0, x * 100.0 + 60, y * 100.0 + 60) for y in range(5) for x in range(5)]


class Seated:
    """Finds a crowd that does not move, and notes whom it was asked to look for."""

    def __init__(self) -> None:
        self.asked: list[list[tuple[float, ...]]] = []

    def detect(self, image_bgr, min_face_px):
        return [Detection(np.array(box), float("nan")) for box in CROWD]

    def detect_near(self, image_bgr, boxes_xyxy):
        self.asked.append([tuple(box) for box in boxes_xyxy])
        return [Detection(np.array(box), float("nan")) for box in boxes_xyxy]


class Slow:
    """Takes so long for each face, and notes how many it is asked for at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[int] = []

    def classify(self, faces_gray):
        self.asked.append(len(faces_gray))
        sleep(self.seconds * len(faces_gray))
        return np.full((len(faces_gray), 7), 1 / 7, np.float32)


def crowded() -> np.ndarray:
    """A picture in which every face can be read: neither dark nor blurred."""
    squares = np.random.default_rng(0).integers(0, 256, (62, 62, 1), dtype=np.uint8)
    return cv2.resize(np.tile(squares, 3), (500, 500), interpolation=cv2.INTER_NEAREST)


@pytest.mark.parametrize("fps", [5, 20, 30])
@pytest.mark.parametrize("cost_s", [0.0, 0.008])
def test_a_crowd_takes_turns_and_every_face_is_read_twice_a_second(fps, cost_s):
    detector, classifier = Seated(), Slow(cost_s)
    pipeline = Pipeline(detector, classifier, Settings(), unsure_below=0.4)
    image = crowded()
    read_at = {number: [] for number in range(1, 26)}
    for frame in range(round(2.5 * fps)):
        result = pipeline.update(image, frame / fps)
        assert frame < 3 or len(result.faces) == 25
        for face in result.faces:
            assert face.unreadable is None
            if not np.isnan(face.probs_raw).any():
                read_at[face.track_id].append(result.time_s)
                assert face.unseen_s == 0
    near = [asked for asked in detector.asked if asked]
    assert not near or max(map(len, near)) <= max(12, np.ceil(25 / fps / 0.3))
    for times in read_at.values():
        assert times[0] <= 1 / fps + 0.5
        assert max(np.diff([*times, result.time_s])) <= 0.5 + 1e-9
    if cost_s:  # the fast one may well read everybody in every frame
        assert max(classifier.asked[5:]) <= max(np.ceil(25 / fps / 0.33), 0.015 / cost_s * 1.5)
