"""What may be enrolled: one clear face, one person, nobody who is enrolled already."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from emorec.errors import EmorecError
from emorec.people.enrolment import FAR, both_ways, embedding_of, remarks
from emorec.people.gallery import open_gallery
from emorec.people.rule import MARGIN, distance, threshold
from emorec.recognizer import EmotionRecognizer
from emorec.records import Box


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer()


def test_one_clear_face_gives_its_embedding(embedder, recognizer, portrait) -> None:
    look = embedding_of(portrait, recognizer, embedder)
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
        embedding_of(np.ascontiguousarray(change(portrait)), recognizer, embedder)


def at(*angles: float) -> np.ndarray:
    """Return embeddings at angles on a circle, in units of 0.43: the distance that is too far."""
    found = np.zeros((len(angles), 128), np.float32)
    turns = 2 * np.arcsin(FAR / 2) * np.array(angles)
    found[:, 0], found[:, 1] = np.cos(turns), np.sin(turns)
    return found


@pytest.fixture
def gallery(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    gallery = open_gallery()
    gallery.enrol("Ada", at(3.0), consent=True)  # id 1
    gallery.enrol("Grace", at(6.0), consent=True)  # id 2
    yield gallery
    gallery._engine.dispose()


NEAR = threshold(2) / FAR  # how far somebody may be to be named, in the same unit


@pytest.mark.parametrize(
    ("angles", "person_id", "expected"),
    [
        ((), None, []),
        ((0.0,), None, [None]),
        ((0.0, 0.3, 0.5), None, [None] * 3),
        ((0.0, 0.1, 1.6), None, [None, None, "somebody else than the other pictures: of 100"]),
        ((0.0, 1.6), None, ["somebody else than the other pictures"] * 2),  # which of two is it?
        ((3.1,), None, ["looks like Ada, who is enrolled already"]),
        ((3.1,), 1, [None]),
        ((5.9,), 1, ["does not look like this person's other pictures: of 100"]),
        ((3.0 + NEAR / 2,), 2, ["does not look like this person's other"]),
        ((0.0,), 1, ["does not look like this person's other"]),
    ],
)
def test_pictures_that_cannot_be_kept(gallery, angles, person_id, expected) -> None:
    found = remarks(at(*angles), gallery, person_id)
    assert len(found) == len(expected)
    for remark, words in zip(found, expected, strict=True):
        if words is None:
            assert remark is None
        else:
            assert remark is not None and remark.refused and words in remark.text


def test_looking_much_like_somebody_is_said_and_no_reason_to_refuse(gallery) -> None:
    """Just too far to be named after Ada, and nearer than the margin beyond."""
    (remark,) = remarks(at(3.0 - NEAR - 0.04), gallery)
    assert remark is not None and not remark.refused
    assert "looks much like Ada" in remark.text and "of 100 newcomers" in remark.text
    assert remarks(at(3.0 - NEAR - 2 * MARGIN / FAR), gallery) == [None]


def test_a_person_added_to_who_looks_like_another_is_told_or_refused(gallery) -> None:
    gallery.enrol("Adele", at(3.8), consent=True)  # id 3
    (like_both,) = remarks(at(3.35), gallery, 1)
    assert like_both is not None and not like_both.refused and "much like Adele" in like_both.text
    (like_the_other,) = remarks(at(3.7), gallery, 1)
    assert like_the_other is not None and like_the_other.refused
    assert like_the_other.text == "looks like Adele, who is somebody else."


def test_what_is_enrolled_is_the_mean_of_a_picture_and_its_mirror_image(
    embedder, recognizer, portrait
) -> None:
    box = Box(111, 59, 221, 169)
    plain, mirrored = both_ways(portrait, box, embedder)
    there = np.ascontiguousarray(portrait[:, ::-1])
    width = portrait.shape[1]
    back = both_ways(there, Box(width - 221, 59, width - 111, 169), embedder)
    assert np.allclose(back, [mirrored, plain], atol=1e-5)
    kept = embedding_of(portrait, recognizer, embedder)
    assert np.linalg.norm(kept) == pytest.approx(1, abs=1e-5)
    (face,) = recognizer.analyze(portrait).faces
    plain, mirrored = both_ways(portrait, face.box, embedder)
    apart = distance(plain[None], mirrored[None])
    assert apart > 0
    for one in (plain, mirrored):
        assert distance(kept[None], one[None]) == pytest.approx(apart / 2, rel=0.1)
