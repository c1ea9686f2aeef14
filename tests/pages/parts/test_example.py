"""The picture on the stage before START: two public-domain portraits, as the app itself draws them.

``EMOREC_UPDATE_GOLDEN=1 pytest tests/pages/parts/test_example.py`` draws it again; look at it.
"""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from emorec.drawing.overlay import draw_faces
from emorec.media.photo import read_photo
from emorec.pages.parts.example import example_picture
from emorec.recognizer import EmotionRecognizer
from emorec.words import LANGUAGES, speaking
from testkit.portraits import collins, hopper

HALF_WH = (640, 720)


def portraits() -> np.ndarray:
    """Collins and Hopper side by side, 1280 × 720."""
    halves = []
    for person, left, top, side in ((collins, 28, 0, 455), (hopper, 0, 24, 512)):
        height = side * HALF_WH[1] // HALF_WH[0]
        part = person().image_bgr[top : top + height, left : left + side]
        halves.append(cv2.resize(part, HALF_WH, interpolation=cv2.INTER_CUBIC))
    return np.hstack(halves)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_example_is_what_the_app_draws(code: str) -> None:
    image = portraits()
    faces = EmotionRecognizer().analyze(image).faces
    assert [face.emotion is not None for face in faces] == [True, True]
    with speaking(code):
        drawn, picture = draw_faces(image, faces), example_picture()
    drawn = cv2.resize(drawn, (960, 540), interpolation=cv2.INTER_AREA)
    if os.environ.get("EMOREC_UPDATE_GOLDEN") == "1":
        cv2.imwrite(str(picture), drawn, [cv2.IMWRITE_JPEG_QUALITY, 85])
    shown = read_photo(picture)
    assert shown.shape == drawn.shape
    # A per cent more or less on another processor changes a digit, a compression every pixel.
    assert np.mean(np.abs(shown.astype(int) - drawn).max(axis=2) > 60) < 0.005
    assert picture.stat().st_size < 120_000
