from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from emorec.errors import ModelError
from emorec.paths import BLAZEFACE, FACE_CHECK, MODELS
from emorec.pipeline.blazeface import BlazeFaceDetector
from emorec.pipeline.check import FaceCheck
from emorec.pipeline.crop import crop_faces
from testkit import portraits
from testkit.backgrounds import background


@pytest.fixture(scope="module")
def check() -> FaceCheck:
    return FaceCheck(FACE_CHECK)


def crops(person: str, shifts: float) -> np.ndarray:
    """Return crops as FER2013's, a little off, and mirrored: uint8 (n, 48, 48)."""
    portrait = portraits.PEOPLE[person]()
    image = cv2.cvtColor(portrait.image_bgr, cv2.COLOR_BGR2GRAY)
    side = portrait.faces[0, 2] - portrait.faces[0, 0]
    boxes = [
        portrait.faces[0] + side * shifts * np.array([x, y, x, y])
        for x in (-1, 0, 1)
        for y in (-1, 0, 1)
    ]
    faces = crop_faces(image, boxes)
    return np.concatenate([faces, faces[:, :, ::-1]])


@pytest.mark.parametrize("person", portraits.PEOPLE)
def test_faces_pass(check: FaceCheck, person: str) -> None:
    assert check.logits(crops(person, 0.06)).min() > 1


def test_what_blazeface_wrongly_takes_for_a_face_does_not(check: FaceCheck) -> None:
    detector = BlazeFaceDetector(check=None)
    logits = []
    for seed in range(3):  # no picture that it was trained on
        image = background(np.random.default_rng(seed), (640, 480), clutter=12)
        places = detector.search(image, detector.patches((640, 480), 48)[-1])
        mistakes = detector.confirm(image, places, cautious=True)
        taken = crop_faces(
            cv2.cvtColor(image, cv2.COLOR_BGR2GRAY),
            [one.box_xyxy for one in mistakes],
            [one.tilt_deg for one in mistakes],
        )
        logits += check.logits(taken).tolist()
    assert len(logits) >= 5  # else these pictures tell nothing
    assert np.median(logits) < 0


@pytest.mark.parametrize("value", [0, 127, 255])
def test_nothing_is_no_face(check: FaceCheck, value: int) -> None:
    (logit,) = check.logits(np.full((1, 48, 48), value, np.uint8))
    assert np.isfinite(logit) and logit < 0


@pytest.mark.parametrize(
    ("content", "expected"), [(None, "is missing"), (b"", "is no "), (b"junk" * 99, "is no ")]
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, expected: str) -> None:
    file = tmp_path / "check.tflite"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=rf"^check\.tflite: .*{expected}"):
        FaceCheck(file)


@pytest.mark.parametrize("other", [BLAZEFACE, MODELS / "elu_cnn.tflite"])
def test_another_network_is_no_face_check(other: Path) -> None:
    with pytest.raises(ModelError, match=rf"^{other.name}: is no "):
        FaceCheck(other)
