"""The picture that a notebook shows: small, whole when saved, and nobody's name in words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from emorec import AnnotatedPicture
from emorec.drawing.overlay import draw_faces
from emorec.drawing.viewer import shrunk
from emorec.emotions import EMOTIONS
from emorec.errors import ImageError
from emorec.media.photo import read_photo
from emorec.records import Box, Face, FrameResult, unclassified

HAPPY = np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index("happy")]


def face(emotion: str | None = "happy", unreadable: str | None = None) -> Face:
    probs = unclassified() if unreadable else HAPPY
    box = Box(20, 30, 120, 130)
    args = (1, box, 0.9, 0.0, 0.0, probs, probs, emotion)
    return Face(*args, unreadable=unreadable, name="Ada")


def picture(width: int = 240, height: int = 180) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def read(image_bgr: np.ndarray, *faces: Face) -> FrameResult:
    return FrameResult(0, 0.0, (image_bgr.shape[1], image_bgr.shape[0]), faces)


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        ((), "<240×180, 0 faces>"),
        ((face(),), "<240×180, 1 face: 1 happy>"),
        (
            (face(), face(None), face(), face(None, "too dark")),
            "<240×180, 4 faces: 2 happy, 1 unsure, 1 unreadable: too dark>",
        ),
    ],
    ids=["nobody", "one", "several"],
)
def test_in_words_it_counts_faces_and_names_nobody(faces: tuple[Face, ...], words: str) -> None:
    assert repr(AnnotatedPicture(picture(), read(picture(), *faces))) == words


def test_it_holds_the_drawing_and_leaves_the_picture_alone() -> None:
    image_bgr = picture()
    held = AnnotatedPicture(image_bgr, read(image_bgr, face()))
    assert (image_bgr == picture()).all()
    assert (held.annotated_bgr == draw_faces(image_bgr, [face()])).all()
    image_bgr[:] = 0  # a camera's buffer is used again
    assert (held.annotated_bgr == draw_faces(picture(), [face()])).all()
    with pytest.raises(ValueError, match="read-only"):
        held.annotated_bgr[:] = 0


def test_hidden_faces_are_nowhere_in_it() -> None:
    held = AnnotatedPicture(picture(), read(picture(), face()), show="blur")
    kept = [getattr(held, name) for name in type(held).__slots__]
    pictures = [value for value in kept if isinstance(value, np.ndarray)]
    assert len(pictures) == 1
    assert not (pictures[0][40:120, 30:110] == picture()[40:120, 30:110]).all(axis=2).mean() > 0.05


@pytest.mark.parametrize(
    ("size_wh", "shown_wh"),
    [((240, 180), (240, 180)), ((1600, 900), (800, 450)), ((300, 2400), (100, 800))],
)
def test_a_notebook_gets_a_small_picture(
    size_wh: tuple[int, int], shown_wh: tuple[int, int]
) -> None:
    image_bgr = picture(*size_wh)
    bundle, described = DisplayFormatter().format(AnnotatedPicture(image_bgr, read(image_bgr)))
    assert bundle.keys() == {"image/jpeg", "text/plain"}
    assert described["image/jpeg"]["alt"] == bundle["text/plain"]
    with Image.open(io.BytesIO(bundle["image/jpeg"])) as shown:
        assert shown.size == shown_wh


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg"])
def test_saved_it_is_whole(tmp_path: Path, name: str) -> None:
    image_bgr = picture(1600, 40)
    held = AnnotatedPicture(image_bgr, read(image_bgr))
    held.save(str(tmp_path / name))
    saved = read_photo(tmp_path / name)
    assert saved.shape == image_bgr.shape
    assert name != "a.png" or (saved == image_bgr).all()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.gif", "expected a name that ends in .png"),
        ("a", "expected"),
        ("no/a.png", "No such file"),
    ],
)
def test_what_cannot_be_saved_is_a_line(tmp_path: Path, name: str, words: str) -> None:
    held = AnnotatedPicture(picture(), read(picture()))
    with pytest.raises(ImageError, match=words) as raised:
        held.save(tmp_path / name)
    assert str(raised.value).startswith(str(tmp_path / name)) and "\n" not in str(raised.value)


def test_a_result_of_another_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected the picture that was read, 240×180"):
        AnnotatedPicture(picture(241, 180), read(picture()))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 1), (1, 1)), ((10, 10), (10, 10)), ((20, 10), (10, 5)), ((1, 400), (1, 10))],
)
def test_no_side_is_longer_than_asked_and_none_is_lost(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert shrunk(np.zeros((*shape, 3), np.uint8), 10).shape[:2] == expected
