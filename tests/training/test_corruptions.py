"""Spoiled faces: the same ones every time, and each spoiled in the way its name says."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.training.corruptions import CORRUPTIONS, corrupt, kept


def some_faces(count: int = 4) -> np.ndarray:
    """Smooth shapes of middling brightness, no two alike."""
    line = np.linspace(-1, 1, 48)
    waves = [np.sin(line[:, None] * (3 + i)) * np.cos(line[None, :] * 4) for i in range(count)]
    return (128 + 60 * np.array(waves).reshape(count, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_changes_every_face_and_is_the_same_again(name):
    faces = some_faces()
    before = faces.copy()
    spoiled = corrupt(name, faces)
    assert spoiled.shape == faces.shape and spoiled.dtype == np.uint8
    assert all((one != other).any() for one, other in zip(spoiled, faces, strict=True))
    assert (corrupt(name, faces) == spoiled).all()
    assert (faces == before).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_faces_stay_no_faces(name):
    assert corrupt(name, np.empty((0, 48, 48), np.uint8)).shape == (0, 48, 48)


def test_light_and_contrast_do_what_they_are_called():
    faces = some_faces().astype(float)
    mean, spread = faces.mean((1, 2)), faces.std((1, 2))
    spoiled = {name: corrupt(name, faces.astype(np.uint8)).astype(float) for name in CORRUPTIONS}
    assert (spoiled["dark"].mean((1, 2)) < 0.4 * mean).all()
    assert (spoiled["bright"].mean((1, 2)) > mean + 50).all()
    assert (spoiled["low contrast"].std((1, 2)) < 0.4 * spread).all()
    assert (abs(spoiled["low contrast"].mean((1, 2)) - mean) < 1).all()
    lit = spoiled["side light"]
    cheeks = lit[..., :8].mean((1, 2)) / lit[..., -8:].mean((1, 2))
    assert ((cheeks > 2) | (cheeks < 0.5)).all()
    assert {*np.sign(np.log(cheeks))} == {-1, 1}, "from either side"


def test_a_quarter_of_the_pixels_is_hidden():
    faces = np.full((5, 48, 48), 10, np.uint8)
    hidden = corrupt("a quarter hidden", faces) == 128
    assert (hidden.mean((1, 2)) == 0.25).all()
    assert len({tuple(np.argwhere(mask)[0]) for mask in hidden}) > 1, "not always at one place"


@pytest.mark.parametrize(
    ("name", "share"), [("cut 20 % too wide", 1 / 1.2), ("cut 20 % too tight", 1 / 0.8)]
)
def test_a_crop_that_is_off_shows_the_face_smaller_or_larger(name, share):
    face = np.zeros((1, 48, 48), np.uint8)
    face[0, 14:34, 14:34] = 255
    width = (corrupt(name, face)[0, 24] / 255).sum()
    assert width == pytest.approx(20 * share, abs=1)


def test_what_is_kept_is_the_mean_over_the_clean_accuracy():
    assert kept(0.5, {"dark": 0.4, "noise": 0.2}) == pytest.approx(0.6)
    assert kept(0.0, {"dark": 0.0}) == 0.0
