from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from emorec.errors import ModelError
from emorec.geometry import iou
from emorec.paths import CASCADE
from emorec.pipeline.haar import HaarDetector
from emorec.records import Detection

TWO = ((180.0, 220.0), (460.0, 240.0))


def boxes(found: list[Detection]) -> np.ndarray:
    return np.array(sorted(detection.box_xyxy.tolist() for detection in found)).reshape(-1, 4)


@pytest.mark.parametrize("size", [(480, 640), (1, 1), (5, 900), (23, 23)])
def test_where_nobody_is_nothing_is_found(detector: HaarDetector, size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), 127, dtype=np.uint8)
    assert detector.detect(flat, 48) == []
    assert detector.detect_near(flat, np.array([[0.0, 0, 60, 60]])) == []


def test_nothing_known_is_nothing_looked_for(detector: HaarDetector, scene: Any) -> None:
    assert detector.detect_near(scene.frame(*TWO), np.empty((0, 4))) == []


@pytest.mark.parametrize("side", [56, 80, 120, 180])
def test_faces_are_found_at_any_size(detector: HaarDetector, scene: Any, side: float) -> None:
    image_bgr = scene.frame(*TWO, side=side)
    found = detector.detect(image_bgr, 48)
    truth = np.array([scene.truth(middle, side) for middle in TWO])
    assert len(found) == 2
    assert np.diag(iou(boxes(found), truth)).min() > 0.65
    assert all(0 < detection.score <= 1 for detection in found)
    assert all(np.isnan(detection.tilt_deg) for detection in found)


def test_smaller_faces_than_asked_for_are_left_out(detector: HaarDetector, scene: Any) -> None:
    assert detector.detect(scene.frame(*TWO, side=60), 100) == []


@pytest.mark.parametrize("side", [56, 100, 180])
@pytest.mark.parametrize("shift", [(0, 0), (0.15, -0.1), (-0.2, 0.1)])
def test_a_known_face_is_found_from_nearby(
    detector: HaarDetector, scene: Any, side: float, shift: tuple[float, float]
) -> None:
    truth = scene.truth(TWO[0], side)
    expected = truth + side * np.tile(shift, 2)
    found = detector.detect_near(scene.frame(*TWO, side=side), expected[None])
    assert len(found) == 1
    assert iou(found[0].box_xyxy, truth)[0, 0] > 0.8


def test_the_look_from_nearby_sees_no_face_elsewhere(detector: HaarDetector, scene: Any) -> None:
    elsewhere = scene.truth((320, 400), 100)
    assert detector.detect_near(scene.frame(*TWO), elsewhere[None]) == []


@pytest.mark.parametrize(
    "box",
    [(-300, -300, -200, -200), (640, 100, 640, 200), (-40, 100, 20, 160), (5, 5, 5, 5)],
)
def test_a_known_face_may_have_left(
    detector: HaarDetector, scene: Any, box: tuple[int, int, int, int]
) -> None:
    assert detector.detect_near(scene.frame(*TWO), np.array([box], dtype=np.float64)) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "is missing"),
        (b"", "is no cascade"),
        (b"not XML", "is no cascade"),
        (b"\xff\xfe", "is no cascade"),
        (b"<?xml version='1.0'?><opencv_storage></opencv_storage>", "is no cascade"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_bad_cascade_is_named(tmp_path: Path, content: bytes | None, expected: str) -> None:
    cascade = tmp_path / "faces.xml"
    if content is not None:
        cascade.write_bytes(content)
    with pytest.raises(ModelError, match=rf"^faces\.xml: .*{expected}"):
        HaarDetector(cascade)


def test_opencv_is_given_no_path_which_it_could_not_open_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Any
) -> None:
    real = cv2.CascadeClassifier
    monkeypatch.setattr("cv2.CascadeClassifier", lambda *paths: real(*filter(str.isascii, paths)))
    cascade = tmp_path / "Жüрген" / "faces.xml"
    cascade.parent.mkdir()
    cascade.write_bytes(CASCADE.read_bytes())
    assert len(HaarDetector(cascade).detect(scene.frame(*TWO), 48)) == 2


def test_a_thing_that_is_no_face_scores_less(detector: HaarDetector, scene: Any) -> None:
    (face,) = detector.detect(scene.frame(TWO[0], side=120), 48)
    coins = np.repeat(skimage.data.coins()[..., None], 3, axis=2)
    things = detector.detect(coins, 24)
    assert things
    assert max(thing.score for thing in things) < face.score
