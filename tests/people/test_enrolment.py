"""What may be enrolled: one clear face, one person, nobody who is enrolled already."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from emorec.errors import EmorecError
from emorec.people.enrolment import look_at, objections
from emorec.people.gallery import open_gallery
from emorec.recognizer import EmotionRecognizer


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer()


def test_one_clear_face_gives_its_embedding(embedder, recognizer, portrait) -> None:
    look = look_at(portrait, recognizer, embedder)
    assert look.shape == (128,) and look.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda image: np.full((200, 300, 3), 120, np.uint8), "no face"),
        (lambda image: np.hstack([image] * 3), "3 faces"),
        (
            lambda image: cv2.resize(image, None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA),
            r"too small: \d+ pixels wide, at least 80",
        ),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 7), "too blurred|no face"),
        (lambda image: image[:, :165], "cut off|no face"),
    ],
    ids=["nobody", "three", "small", "blurred", "cut off"],
)
def test_a_poor_picture_is_refused_with_the_reason(
    embedder, recognizer, portrait, change, why
) -> None:
    with pytest.raises(EmorecError, match=why):
        look_at(np.ascontiguousarray(change(portrait)), recognizer, embedder)


def at(*places: float) -> np.ndarray:
    found = np.zeros((len(places), 128), np.float32)
    found[:, 0] = places
    return found


@pytest.fixture
def gallery(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    gallery = open_gallery()
    gallery.enrol("Ada", at(5.0), consent=True)  # id 1
    gallery.enrol("Grace", at(8.0), consent=True)  # id 2
    yield gallery
    gallery._engine.dispose()


@pytest.mark.parametrize(
    ("places", "person_id", "expected"),
    [
        ((), None, []),
        ((0.0,), None, [None]),
        ((0.0, 0.3, 0.5), None, [None] * 3),
        ((0.0, 0.1, 2.0), None, [None, None, "somebody else"]),
        ((0.0, 2.0), None, ["somebody else"] * 2),  # of two, which is the stranger?
        ((5.1,), None, ["looks like Ada, who is enrolled already"]),
        ((5.1,), 1, [None]),
        ((7.9,), 1, ["looks like Grace, who is somebody else"]),
        ((2.0,), 1, ["does not look like this person's other"]),
    ],
)
def test_objections(gallery, places, person_id, expected) -> None:
    found = objections(at(*places), gallery, person_id)
    assert len(found) == len(expected)
    for reason, words in zip(found, expected, strict=True):
        assert (reason is None) if words is None else (words in (reason or ""))
