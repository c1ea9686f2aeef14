from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from emorec.errors import ModelError
from emorec.paths import BLAZEFACE, FACE_CHECK, MODELS
from emorec.pipeline.check import FaceCheck
from emorec.pipeline.crop import crop_faces
from tests.pipeline import portraits


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
    assert min(check.logit(face) for face in crops(person, 0.06)) > 1


@pytest.mark.parametrize("texture", ["brick", "grass", "gravel", "coins", "page"])
def test_textures_do_not(check: FaceCheck, texture: str) -> None:
    image = getattr(skimage.data, texture)()
    corners = np.random.default_rng(0).uniform(0, np.array(image.shape[::-1]) - 110, (20, 2))
    patches = crop_faces(image, np.hstack([corners, corners + 100]))
    logits = np.array([check.logit(patch) for patch in patches])
    assert np.median(logits) < -1
    assert (logits > 0).mean() <= 0.1


@pytest.mark.parametrize("value", [0, 127, 255])
def test_nothing_is_no_face(check: FaceCheck, value: int) -> None:
    logit = check.logit(np.full((48, 48), value, np.uint8))
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
