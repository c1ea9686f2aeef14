"""In a crowd the faces take turns: a frame's cost is bounded, and nobody is forgotten."""

import numpy as np

from emorec.pipeline.pipeline import Pipeline
from emorec.records import Detection
from emorec.settings import Settings

CROWD = [(x * 100.0, y * 100.0, x * 100.0 + 60, y * 100.0 + 60) for y in range(5) for x in range(5)]


class Seated:
    """Finds a crowd that does not move, and notes whom it was asked to look for."""

    def __init__(self) -> None:
        self.asked: list[list[tuple[float, ...]]] = []

    def detect(self, image_gray, min_face_px):
        return [Detection(np.array(box), float("nan")) for box in CROWD]

    def detect_near(self, image_gray, boxes_xyxy):
        self.asked.append([tuple(box) for box in boxes_xyxy])
        return [Detection(np.array(box), float("nan")) for box in boxes_xyxy]


class Even:
    def classify(self, faces_gray):
        return np.full((len(faces_gray), 7), 1 / 7, np.float32)


def test_a_crowd_takes_turns_and_every_face_is_read_twice_a_second():
    detector = Seated()
    pipeline = Pipeline(detector, Even(), Settings(), unsure_below=0.4)
    image = np.zeros((500, 500, 3), np.uint8)
    read_at = {number: [] for number in range(1, 26)}
    for frame in range(45):
        result = pipeline.update(image, frame / 30)
        assert frame < 3 or len(result.faces) == 25
        for face in result.faces:
            if face.unseen_s == 0:
                read_at[face.track_id].append(result.time_s)
    near = [asked for asked in detector.asked if asked]
    assert near and max(map(len, near)) <= 12
    for times in read_at.values():
        assert max(np.diff(times)) <= 0.5
