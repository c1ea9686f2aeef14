from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from emorec.geometry import iou
from emorec.pipeline.auto import AutoDetector
from emorec.pipeline.blazeface import BlazeFaceDetector
from emorec.pipeline.haar import HaarDetector


@pytest.fixture(scope="module")
def auto() -> AutoDetector:
    return AutoDetector(HaarDetector(), BlazeFaceDetector())


def turned(image_bgr: np.ndarray, middle: tuple[float, float], tilt_deg: float) -> np.ndarray:
    turn = cv2.getRotationMatrix2D(middle, -tilt_deg, 1)
    return cv2.warpAffine(image_bgr, turn, (640, 480), borderMode=cv2.BORDER_REFLECT)


def test_what_the_cascade_alone_takes_for_a_face_is_left_out(
    auto: AutoDetector, detector: HaarDetector
) -> None:
    coins = np.repeat(skimage.data.coins()[..., None], 3, axis=2)
    coins = cv2.resize(coins, (1920, 1440))
    assert detector.detect(coins, 48)
    assert auto.detect(coins, 48) == []


def test_a_small_face_in_a_large_picture_is_kept_where_a_closer_look_confirms_it(
    auto: AutoDetector, scene: Any
) -> None:
    screen = np.full((2160, 3840, 3), 90, np.uint8)
    screen[400:880, 500:1140] = scene.frame((320, 240), side=80)
    (face,) = auto.detect(screen, 77)
    assert iou(face.box_xyxy, scene.truth((820, 640), 80))[0, 0] > 0.75


def test_a_face_that_the_cascade_cannot_see_is_added(auto: AutoDetector, scene: Any) -> None:
    image_bgr = turned(scene.frame((320, 240), side=90), (320, 240), 30)
    (face,) = auto.detect(image_bgr, 48)
    assert face.tilt_deg == pytest.approx(30, abs=9)


def test_a_known_face_that_tilts_is_not_lost(
    auto: AutoDetector, detector: HaarDetector, scene: Any
) -> None:
    known = scene.truth((320, 240), 90)[None]
    image_bgr = turned(scene.frame((320, 240), side=90), (320, 240), 30)
    assert detector.detect_near(image_bgr, known) == []
    (face,) = auto.detect_near(image_bgr, known)
    assert face.tilt_deg == pytest.approx(30, abs=9)


def test_upright_and_tilted_faces_are_found_together(auto: AutoDetector, scene: Any) -> None:
    frame = scene.frame((160, 240), side=90)
    tilted = turned(scene.frame((480, 240), side=90), (480, 240), -30)
    frame[:, 320:] = tilted[:, 320:]
    truth = np.array([scene.truth((160, 240), 90), scene.truth((480, 240), 90)])
    found = auto.detect_near(frame, truth)
    assert len(found) == 2
    assert iou(truth, [face.box_xyxy for face in found]).max(axis=1).min() > 0.7
