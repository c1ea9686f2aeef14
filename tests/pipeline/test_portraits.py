"""Finding and reading from end to end, on pictures of two people."""

from __future__ import annotations

import numpy as np
import pytest

from emorec import EmotionRecognizer
from emorec.emotions import EMOTIONS
from emorec.geometry import iou
from testkit import portraits


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer()


def of(name: str) -> portraits.Portrait:
    return dict(portraits.named())[name]()


READ = [
    (f"{person}, {kind}")
    for person in portraits.PEOPLE
    for kind in (
        "whole",
        "gray",
        "infrared",
        "fills the frame",
        "at the left border",
        "at the upper border",
        "at the lower border",
        "48 px",
        "400 px",
    )
]


@pytest.mark.parametrize("name", READ)
def test_the_face_is_found_and_read_as_the_smile_it_is(
    recognizer: EmotionRecognizer, name: str
) -> None:
    portrait = of(name)
    (face,) = recognizer.analyze(portrait.image_bgr).faces
    assert iou(face.box, portrait.faces[0])[0, 0] > 0.55
    assert face.unreadable is None and face.classified
    assert face.probs.sum() == pytest.approx(1, abs=1e-5)
    if name.startswith("Collins"):
        assert EMOTIONS[int(face.probs.argmax())] == "happy"


@pytest.mark.parametrize("tilt_deg", [-90, -45, 45, 90])
def test_a_portrait_that_lies_on_its_side_is_read_like_one_that_stands(
    recognizer: EmotionRecognizer, tilt_deg: float
) -> None:
    lying = portraits.turned(portraits.collins(), tilt_deg)
    (face,) = recognizer.analyze(lying.image_bgr).faces
    assert face.emotion == "happy"


def test_a_face_of_28_pixels_is_read_and_one_of_20_counted(recognizer: EmotionRecognizer) -> None:
    (read,) = recognizer.analyze(portraits.room(1, 1, 28, (320, 240)).image_bgr).faces
    assert read.unreadable is None
    (counted,) = recognizer.analyze(portraits.room(1, 1, 19, (320, 240)).image_bgr).faces
    assert counted.unreadable == "too small"


def test_half_a_face_is_cut_off(recognizer: EmotionRecognizer) -> None:
    half = portraits.cut(portraits.collins(), -0.38, 0.6, 0.8, 0.6)
    for face in recognizer.analyze(half.image_bgr).faces:
        assert face.unreadable == "cut off"


@pytest.mark.parametrize("colour", ["colour", "gray"])
def test_everybody_in_a_room_is_found_and_read(recognizer: EmotionRecognizer, colour: str) -> None:
    room = portraits.room(5, 5, 72, (1280, 720))
    room = room if colour == "colour" else portraits.gray(room)
    result = recognizer.analyze(room.image_bgr)
    assert len(result.faces) == 25
    assert iou(room.faces, [face.box for face in result.faces]).max(axis=1).min() > 0.6
    assert sum(face.classified for face in result.faces) == 25


def test_a_live_room_is_found_read_and_keeps_its_ids(recognizer: EmotionRecognizer) -> None:
    room = portraits.room(4, 2, 60, (640, 360))
    reader = recognizer.reader("live")
    read: set[int] = set()
    for number in range(24):
        shifted = np.roll(room.image_bgr, number * 2, axis=1)
        result = reader.read(shifted, number / 25)
        read |= {face.track_id for face in result.faces if face.classified}
        assert number < 18 or len(result.faces) == 8
    assert {face.track_id for face in result.faces} == set(range(1, 9)) == read
    truth = room.faces + np.array([46, 0, 46, 0])
    assert iou(truth, [face.box for face in result.faces]).max(axis=1).min() > 0.6


def test_an_empty_picture_is_empty(recognizer: EmotionRecognizer) -> None:
    result = recognizer.analyze(portraits.room(0, 0, 60, (640, 480)).image_bgr)
    assert result.faces == ()
