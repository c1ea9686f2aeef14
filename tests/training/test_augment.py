"""Varied faces stay faces: in range, where they were told to be, and the same for the same seed."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from emorec.training.augment import Augmentation, blend, vary

STILL = Augmentation(
    shift=0, scale=0, rotation_deg=0, contrast=0, brightness=0, noise=0, erase=0, mixup=0
)
FACES = np.random.default_rng(0).integers(0, 256, (16, 48, 48)).astype(np.uint8)


def varied(how: Augmentation, side: int = 48, seed: int = 1) -> np.ndarray:
    seeds = keras.random.SeedGenerator(seed)
    return ops.convert_to_numpy(vary(ops.convert_to_tensor(FACES), side, how, seeds))


def test_without_variation_a_face_is_itself_or_its_mirror() -> None:
    result = varied(STILL)
    itself = np.abs(result - FACES).max(axis=(1, 2)) < 0.1
    mirror = np.abs(result - FACES[:, :, ::-1]).max(axis=(1, 2)) < 0.1
    assert (itself | mirror).all()
    assert itself.any() and mirror.any()


def test_half_the_side_averages_squares_of_four() -> None:
    result = varied(STILL, side=24)
    small = FACES.reshape(16, 24, 2, 24, 2).mean(axis=(2, 4))
    itself = np.abs(result - small).max(axis=(1, 2)) < 0.1
    mirror = np.abs(result - small[:, :, ::-1]).max(axis=(1, 2)) < 0.1
    assert (itself | mirror).all()


@pytest.mark.parametrize("side", [24, 32, 48])
def test_any_variation_stays_in_range(side: int) -> None:
    wild = Augmentation(
        shift=0.5, scale=0.5, rotation_deg=90, contrast=1, brightness=200, noise=99, erase=1
    )
    result = varied(wild, side)
    assert result.shape == (16, side, side)
    assert result.min() >= 0 and result.max() <= 255


@pytest.mark.parametrize(
    "how",
    [
        {"shift": 0.2},
        {"scale": 0.2},
        {"rotation_deg": 20},
        {"contrast": 0.5},
        {"brightness": 50},
        {"noise": 60},
        {"erase": 1},
    ],
    ids=lambda how: next(iter(how)),
)
def test_each_variation_changes_faces(how: dict[str, float]) -> None:
    still, moved = varied(STILL), varied(Augmentation(**vars(STILL) | how))
    assert (np.abs(still - moved).max(axis=(1, 2)) > 5).sum() >= 12


def test_the_same_seed_gives_the_same_faces() -> None:
    np.testing.assert_array_equal(varied(Augmentation()), varied(Augmentation()))
    assert np.abs(varied(Augmentation()) - varied(Augmentation(), seed=2)).max() > 5


def test_a_blend_mixes_faces_and_what_was_said_of_them_alike() -> None:
    faces = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((8, 2, 2), np.float32)
    said = np.eye(8, dtype=np.float32)
    seeds = keras.random.SeedGenerator(1)
    mixed, targets = (ops.convert_to_numpy(x) for x in blend(seeds, 0.5, faces, said))
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(mixed[:, 0, 0], targets @ np.arange(8), atol=1e-5)
    # A face's own share is the larger one.
    assert (targets.argmax(axis=1) == np.arange(8)).all()
