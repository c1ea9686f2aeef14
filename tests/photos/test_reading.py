"""The jobs of the worker processes, done here in this process."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.emotions import COLORS, EMOTIONS, rgb
from emorec.errors import ImageError
from emorec.geometry import iou
from emorec.media.photo import encode_png, read_photo
from emorec.model.store import path_of
from emorec.photos import reading as photos
from emorec.photos.reading import Engine, ReadPhoto
from emorec.recognizer import EmotionRecognizer
from emorec.settings import Settings
from testkit.hostile import many_scans
from testkit.portraits import room

ENGINE = Engine(path_of(), Settings())


@pytest.fixture(scope="module")
def picture() -> bytes:
    return encode_png(room(3, 2, 90, (900, 600)).image_bgr)


def read(data: bytes, group_only: bool = False) -> ReadPhoto:
    return photos.read(data, "me.png", ENGINE, names=False, group_only=group_only)


def test_it_reads_what_the_recognizer_reads(picture: bytes) -> None:
    photo = read(picture)
    faces = EmotionRecognizer().analyze(read_photo(picture)).faces
    assert [face.box for face in photo.result.faces] == [face.box for face in faces]
    assert [face.emotion for face in photo.result.faces] == [face.emotion for face in faces]
    assert len(faces) == len(photo.crops) == 6
    assert {read_photo(crop).shape for crop in photo.crops} == {(160, 160, 3)}
    assert read_photo(photo.shown).shape == (600, 900, 3)
    assert max(read_photo(photo.thumb).shape) == 480


def test_a_large_picture_is_reduced_and_its_boxes_are_not(
    picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(picture).result
    monkeypatch.setattr(photos, "MOST_PIXELS", 200_000)
    reduced = read(picture).result
    assert reduced.size_wh == whole.size_wh == (900, 600)
    boxes = [[face.box for face in result.faces] for result in (whole, reduced)]
    assert (iou(*boxes).max(axis=1) > 0.8).all()
    annotated = read_photo(photos.annotated(picture, "me.png", whole, False, True))
    assert annotated.shape == (300, 450, 3)


def test_under_group_only_nothing_of_a_single_face_leaves(picture: bytes) -> None:
    photo = read(picture, group_only=True)
    assert photo.crops == () and photo.for_names is None
    plain = read_photo(picture)
    for drawn in (photo.shown, photos.annotated(picture, "me", photo.result, True, True)):
        changed = (np.abs(read_photo(drawn).astype(int) - plain).max(axis=2)) > 60
        assert changed.any()
        seen = read_photo(drawn)[changed].reshape(-1, 3).astype(int)
        for emotion in EMOTIONS:
            if emotion != "neutral":  # a grey
                away = np.abs(seen - np.array(rgb(emotion)[::-1])).max(axis=1)
                assert (away < 12).mean() < 0.02, (emotion, COLORS[emotion])


def test_a_face_at_the_border_has_a_square_crop() -> None:
    scene = room(1, 1, 200, (400, 400))
    beside = round(scene.faces[0, 0]) - 10
    (crop,) = read(encode_png(scene.image_bgr[:, beside:])).crops
    assert read_photo(crop).shape == (160, 160, 3)


def test_a_picture_that_takes_long_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageError, match=r"^me.png: takes too long to decode: .* 250 scans"):
        read(many_scans((2000, 2000), 3000))
