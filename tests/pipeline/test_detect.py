"""What holds for every detector, and which one a name gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emorec.errors import EmorecError
from emorec.geometry import iou
from emorec.pipeline.blazeface import BlazeFaceDetector
from emorec.pipeline.detect import Detector, HaarUnlessCautious, make_detector, shortcoming
from emorec.pipeline.haar import HaarDetector
from emorec.settings import DETECTORS
from testkit import portraits

TWO = ((180.0, 220.0), (460.0, 240.0))


@pytest.fixture(scope="module", params=DETECTORS)
def any_detector(request: pytest.FixtureRequest) -> Detector:
    return make_detector(request.param)


@pytest.mark.parametrize("size", [(480, 640), (1, 1), (5, 900), (23, 23)])
def test_where_nobody_is_nothing_is_found(any_detector: Detector, size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), 127, dtype=np.uint8)
    assert any_detector.detect(flat, 48) == []
    assert any_detector.detect_near(flat, np.array([[0.0, 0, 60, 60]])) == []


def test_nothing_known_is_nothing_looked_for(any_detector: Detector, scene: Any) -> None:
    assert any_detector.detect_near(scene.frame(*TWO), np.empty((0, 4))) == []


@pytest.mark.parametrize("side", [56, 120, 180])
def test_boxes_are_framed_alike_and_scored(any_detector: Detector, scene: Any, side: float) -> None:
    found = any_detector.detect(scene.frame(*TWO, side=side), 48)
    truth = np.array([scene.truth(middle, side) for middle in TWO])
    overlap = iou(truth, [face.box_xyxy for face in found])
    assert len(found) == 2
    assert overlap.max(axis=1).min() > 0.65
    assert all(0 < face.score <= 1 for face in found)


def test_smaller_faces_than_asked_for_are_left_out(any_detector: Detector, scene: Any) -> None:
    assert any_detector.detect(scene.frame(*TWO, side=60), 100) == []


@pytest.mark.parametrize("shift", [(0, 0), (0.15, -0.1), (-0.2, 0.1)])
@pytest.mark.parametrize("side", [56, 180])
def test_a_known_face_is_found_from_nearby(
    any_detector: Detector, scene: Any, side: float, shift: tuple[float, float]
) -> None:
    truth = scene.truth(TWO[0], side)
    expected = truth + side * np.tile(shift, 2)
    (face,) = any_detector.detect_near(scene.frame(*TWO, side=side), expected[None])
    assert iou(face.box_xyxy, truth)[0, 0] > 0.75


@pytest.mark.parametrize(
    "box",
    [(270, 350, 370, 450), (-300, -300, -200, -200), (640, 100, 640, 200), (5, 5, 5, 5)],
    ids=["elsewhere", "outside", "no width", "empty"],
)
def test_a_known_face_may_have_left(
    any_detector: Detector, scene: Any, box: tuple[int, int, int, int]
) -> None:
    assert any_detector.detect_near(scene.frame(*TWO), np.array([box], dtype=np.float64)) == []


def test_a_search_in_parts_finds_what_one_search_does(any_detector: Detector, scene: Any) -> None:
    image_bgr = scene.frame(*TWO, side=80)
    patches = any_detector.patches((640, 480), 48)
    places = [place for patch in patches for place in any_detector.search(image_bgr, patch)]
    found = any_detector.confirm(image_bgr, places)
    whole = any_detector.detect(image_bgr, 48)
    assert len(whole) == 2
    overlap = iou([face.box_xyxy for face in whole], [face.box_xyxy for face in found])
    assert overlap.max(axis=1).min() > 0.9
    assert any_detector.confirm(image_bgr, []) == []


@pytest.mark.parametrize("size_wh", [(1, 1), (640, 480), (12_000, 300)])
def test_there_is_always_something_to_search(
    any_detector: Detector, size_wh: tuple[int, int]
) -> None:
    flat = np.full((size_wh[1], size_wh[0], 3), 127, dtype=np.uint8)
    patches = any_detector.patches(size_wh, 48)
    assert patches
    places = [place for patch in patches[:3] for place in any_detector.search(flat, patch)]
    assert any_detector.confirm(flat, places) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [("auto", BlazeFaceDetector), ("haar", HaarUnlessCautious)],
)
def test_a_name_gives_its_detector(name: str, kind: type) -> None:
    assert type(make_detector(name)) is kind
    assert shortcoming(name) is None


@pytest.mark.parametrize("name", ["", "Haar", "mtcnn"])
def test_an_unknown_name_is_one_line(name: str) -> None:
    with pytest.raises(EmorecError, match=rf"^Expected detector to be auto .*'{name}'\.$"):
        make_detector(name)


@pytest.mark.parametrize("file", ["BLAZEFACE", "FACE_CHECK"])
@pytest.mark.parametrize("name", DETECTORS)
def test_without_its_files_the_cascade_serves_and_says_so(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"emorec.pipeline.detect.{file}", tmp_path / "gone.tflite")
    assert type(make_detector(name)) is HaarDetector
    said = shortcoming(name)
    assert said is None if name == "haar" else said and said.startswith("gone.tflite: is missing")


def test_with_caution_the_cascade_is_not_asked() -> None:
    """It misses tilted faces, and which detector is chosen must not weaken blur."""
    haar, auto = make_detector("haar"), make_detector("auto")
    portrait = portraits.turned(portraits.resized(portraits.collins(), 60), 60)
    size_wh = portrait.image_bgr.shape[1], portrait.image_bgr.shape[0]
    found = []
    for detector in (haar, auto):
        patches = detector.patches(size_wh, 40, cautious=True)
        places = [p for patch in patches for p in detector.search(portrait.image_bgr, patch)]
        faces = detector.confirm(portrait.image_bgr, places, cautious=True)
        near = detector.detect_near(portrait.image_bgr, portrait.faces, [60.0], cautious=True)
        found.append([face.box_xyxy.tolist() for face in [*faces, *near]])
    assert len(found[0]) >= 2 and found[0] == found[1]
    assert not haar.detect(portrait.image_bgr, 40)
