from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from emorec.errors import ModelError
from emorec.geometry import iou
from emorec.paths import BLAZEFACE
from emorec.pipeline.blazeface import BlazeFaceDetector

MIDDLE = (320.0, 240.0)


@pytest.fixture(scope="module")
def blazeface() -> BlazeFaceDetector:
    return BlazeFaceDetector()


def turned(image_bgr: np.ndarray, tilt_deg: float) -> np.ndarray:
    """Turn the picture about its middle; positive: to the right at the top."""
    turn = cv2.getRotationMatrix2D(MIDDLE, -tilt_deg, 1)
    return cv2.warpAffine(image_bgr, turn, (640, 480), borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize("tilt_deg", [-30, -15, 0, 15, 30])
@pytest.mark.parametrize("side", [36, 48, 96, 200])
def test_tilted_faces_are_found_and_their_tilt_told(
    blazeface: BlazeFaceDetector, scene: Any, side: float, tilt_deg: float
) -> None:
    image_bgr = turned(scene.frame(MIDDLE, side=side), tilt_deg)
    (face,) = blazeface.detect(image_bgr, min(side, 48))
    assert iou(face.box_xyxy, scene.truth(MIDDLE, side))[0, 0] > 0.75
    assert face.tilt_deg == pytest.approx(tilt_deg, abs=9)
    assert 0.5 < face.score <= 1


@pytest.mark.parametrize(("gain", "offset"), [(0.3, 0), (1, 30)], ids=["dark", "bright"])
@pytest.mark.parametrize("side", [64, 120])
def test_light_does_not_matter(
    blazeface: BlazeFaceDetector, scene: Any, side: float, gain: float, offset: float
) -> None:
    image_bgr = np.clip(scene.frame(MIDDLE, side=side) * gain + offset, 0, 255).astype(np.uint8)
    (face,) = blazeface.detect(image_bgr, 48)
    assert iou(face.box_xyxy, scene.truth(MIDDLE, side))[0, 0] > 0.75


def test_every_face_of_a_crowd_is_found(blazeface: BlazeFaceDetector, scene: Any) -> None:
    middles = [(x, y) for y in (80, 240, 400) for x in (70, 235, 405, 570)]
    found = blazeface.detect(scene.frame(*middles, side=60), 48)
    truth = np.array([scene.truth(middle, 60) for middle in middles])
    overlap = iou(truth, [face.box_xyxy for face in found])
    assert len(found) == len(middles)
    assert overlap.max(axis=1).min() > 0.75


@pytest.mark.parametrize(
    "thing", ["coffee", "chelsea", "rocket", "coins", "brick", "grass", "text", "moon"]
)
def test_things_are_no_faces(blazeface: BlazeFaceDetector, thing: str) -> None:
    image = getattr(skimage.data, thing)()
    image = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    assert blazeface.detect(np.ascontiguousarray(image[..., ::-1]), 24) == []


def test_known_faces_are_told_apart(blazeface: BlazeFaceDetector, scene: Any) -> None:
    middles = [(100.0 + 105 * number, 200.0) for number in range(5)]
    truth = np.array([scene.truth(middle, 60) for middle in middles])
    found = blazeface.detect_near(scene.frame(*middles, side=60), truth + np.array([6, -5, 6, -5]))
    assert np.diag(iou(truth, [face.box_xyxy for face in found])).min() > 0.75


def test_one_detector_serves_several_threads(blazeface: BlazeFaceDetector, scene: Any) -> None:
    frames = [scene.frame((100.0 + 90 * number, 240.0), side=80) for number in range(5)]
    alone = [blazeface.detect(frame, 48)[0].box_xyxy for frame in frames]
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(lambda frame: blazeface.detect(frame, 48), frames * 2))
    assert np.array_equal([faces[0].box_xyxy for faces in together], alone * 2)


@pytest.mark.parametrize(
    ("content", "expected"), [(None, "is missing"), (b"", "is no "), (b"junk" * 99, "is no ")]
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, expected: str) -> None:
    file = tmp_path / "faces.tflite"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=rf"^faces\.tflite: .*{expected}"):
        BlazeFaceDetector(file)


def test_another_network_is_no_face_network() -> None:
    with pytest.raises(ModelError, match=r"^elu_cnn\.tflite: is no face network"):
        BlazeFaceDetector(BLAZEFACE.with_name("elu_cnn.tflite"))


def test_the_file_that_ships_is_the_one_its_note_describes() -> None:
    note = BLAZEFACE.with_suffix(".md").read_text(encoding="utf-8")
    told = re.findall(r"`([0-9a-f]{64})`", note)
    assert told == [hashlib.sha256(BLAZEFACE.read_bytes()).hexdigest()]
    licence = BLAZEFACE.with_suffix(".LICENSE")
    assert licence.name in note
    assert "Apache License" in licence.read_text(encoding="utf-8")
