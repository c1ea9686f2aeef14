from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from emorec.pipeline.cut import Cuts
from testkit.portraits import collins, cut, hopper

Picture = np.ndarray
SIZE_WH = (640, 480)


@cache
def room(seed: int) -> Picture:
    """Return uint8 (600, 800): things of many sizes, as a room is full of."""
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.uniform(60, 180, (6, 8)).astype(np.float32), (800, 600))
    for _ in range(80):
        x, y, w, h = rng.integers([0, 0, 20, 20], [780, 580, 160, 160])
        picture[y : y + h, x : x + w] += rng.uniform(-60, 60)
    return picture.clip(0, 255).astype(np.uint8)


def seen(picture: Picture, dx: int = 0, dy: int = 0, noise: float = 2.0) -> Picture:
    """Return what a camera that has turned so far sees of it."""
    part = picture[60 + dy : 540 + dy, 80 + dx : 720 + dx].astype(np.float32)
    part = part + np.random.default_rng(dx).normal(0, noise, part.shape)
    return part.clip(0, 255).astype(np.uint8)


def lit(gain: float, lift: float) -> Picture:
    return (seen(room(1)) * gain + lift).clip(0, 255).astype(np.uint8)


def covered(share: float) -> Picture:
    """Return the room while a person walks past, close to the camera."""
    picture = seen(room(1))
    width = round(share * picture.shape[1])
    picture[:, :width] = cv2.resize(room(5), SIZE_WH)[:, :width]
    return picture


STAYS: dict[str, Callable[[], Picture]] = {
    "the same": lambda: seen(room(1)),
    "frozen": lambda: seen(room(1), noise=0),
    "noisy": lambda: seen(room(1), noise=25),
    "light switched on": lambda: lit(1.7, 20),
    "light switched off": lambda: lit(0.3, 0),
    "a flash": lambda: lit(1.5, 110),
    "white": lambda: lit(0, 255),
    "black": lambda: lit(0, 0),
    "a camera that shakes": lambda: seen(room(1), 25, -18),
    "a camera that turns": lambda: seen(room(1), 75, 10),
    "a person walks past": lambda: covered(0.5),
    "a smaller picture": lambda: cv2.resize(seen(room(1)), (320, 240)),
}


@pytest.mark.parametrize("change", STAYS)
def test_what_a_camera_does_is_no_cut(change: str) -> None:
    cuts = Cuts()
    pictures = [seen(room(1)), STAYS[change](), seen(room(1))]
    assert [cuts.update(picture, 5 + n / 10) for n, picture in enumerate(pictures)] == [False] * 3


def portrait(mirror: bool, head: Callable[[], object]) -> Picture:
    """Return the face of a portrait, in the same frame as all others."""
    image = cut(head(), 0.5, 0.5, 0.5, 0.5).image_bgr  # type: ignore[arg-type]
    image = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (480, 480))
    return np.ascontiguousarray(image[:, ::-1]) if mirror else image


CUTS: dict[str, tuple[Picture, Picture]] = {
    "another room": (seen(room(1)), seen(room(2))),
    "another room in the dark": (seen(room(1)), (seen(room(2)) * 0.4).astype(np.uint8)),
    "another face in the same frame": (portrait(False, collins), portrait(False, hopper)),
    "back": (portrait(True, hopper), portrait(False, collins)),
    "another camera": (seen(room(1)), seen(room(1))[:, 80:560]),
}


@pytest.mark.parametrize("kind", CUTS)
def test_another_picture_is_a_cut(kind: str) -> None:
    before, after = CUTS[kind]
    for between in ([], [np.zeros_like(before)], [np.zeros_like(before)] * 5):
        cuts = Cuts()
        pictures = [before, before, *between, after, after]
        told = [cuts.update(picture, n / 10) for n, picture in enumerate(pictures)]
        assert told == [False] * (len(told) - 2) + [True, False]


def test_a_cut_depends_on_pictures_and_media_time_alone() -> None:
    pictures = [seen(room(number)) for number in (1, 2, 3, 4)]
    cuts = Cuts()
    # Where the picture jumps ten times a second, two cuts a second are enough.
    assert [cuts.update(p, n / 10) for n, p in enumerate(pictures)] == [False, True, False, False]
    assert cuts.update(pictures[0], 60.0)
    cuts.reset()
    assert not cuts.update(pictures[1], 120.0), "there is nothing to compare it with"


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 700), (700, 1), (5, 5)])
def test_tiny_pictures_do_no_harm(size_hw: tuple[int, int]) -> None:
    cuts, noise = Cuts(), np.random.default_rng(0)
    for number in range(3):
        picture = noise.integers(0, 256, size_hw).astype(np.uint8)
        assert cuts.update(picture, number) in (False, True)
