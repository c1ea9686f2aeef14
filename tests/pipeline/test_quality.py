"""Who can be read: a real face made worse step by step, and marks that do not flicker."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage.data import astronaut

from emorec.pipeline.crop import crop_faces
from emorec.pipeline.quality import QUALITY, misplaced, unclear
from emorec.records import UNREADABLE

BOX = np.array([172.5, 62, 276.5, 166])


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)


def face(image_gray: np.ndarray, scale: float = 1.0) -> np.ndarray:
    return crop_faces(image_gray, [BOX * scale])[0]


def darkened(image_gray: np.ndarray, share: float, noise: float) -> np.ndarray:
    grain = np.random.default_rng(0).normal(0, noise, image_gray.shape)
    return np.rint(image_gray * share + grain).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("side_px", "inside", "before", "expected"),
    [
        (100, True, None, None),
        (24, True, None, None),
        (23.9, True, None, "too small"),
        (25, True, "too small", "too small"),  # it must have grown a little more than it must be
        (27, True, "too small", None),
        (25, True, "too dark", None),
        (100, False, None, "cut off"),
        (100, False, "cut off", "cut off"),
        (100, True, "cut off", None),
        (10, False, None, "too small"),
    ],
)
def test_misplaced(side_px: float, inside: bool, before: str | None, expected: str | None) -> None:
    assert misplaced(side_px, inside, before) == expected


@pytest.mark.parametrize("side", [24, 36, 48, 104, 300])
def test_a_real_face_of_any_size_that_counts_is_clear(portrait: np.ndarray, side: float) -> None:
    scale = side / 104
    image = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert unclear(face(image, scale)) is None


@pytest.mark.parametrize(
    ("share", "noise", "expected"),
    [
        (0.3, 2, None),  # the network still reads it with the same certainty
        (0.1, 2, None),
        (0.05, 0, None),  # dark, but nothing drowns it
        (0.05, 2, "too dark"),  # it changes its mind
        (0.02, 2, "too dark"),
        (0.01, 0, "too dark"),
        (0, 0, "too dark"),
    ],
)
def test_dark(portrait: np.ndarray, share: float, noise: float, expected: str | None) -> None:
    assert unclear(face(darkened(portrait, share, noise))) == expected


@pytest.mark.parametrize(
    ("share", "noise", "expected"),
    [
        (1, 10, None),
        (1, 60, "too noisy"),
        (0.5, 40, "too noisy"),
        (0.1, 20, "too dark"),  # more light would help
    ],
)
def test_noise_is_named_where_light_is_not_what_lacks(
    portrait: np.ndarray, share: float, noise: float, expected: str | None
) -> None:
    assert unclear(face(darkened(portrait, share, noise))) == expected


def test_a_bright_dithered_face_is_not_called_dark() -> None:
    dithered = Image.fromarray(astronaut()).convert("1").convert("L")
    assert unclear(face(np.asarray(dithered))) == "too noisy"


def test_a_bright_face_without_contrast_is_not_called_dark() -> None:
    assert unclear(np.full((48, 48), 200, np.uint8)) == "too blurred"
    assert unclear(np.full((48, 48), 20, np.uint8)) == "too dark"


@pytest.mark.parametrize("tone", [30, 120, 230])
@pytest.mark.parametrize("pleats", [0, 3])
def test_a_mask_is_named(portrait: np.ndarray, tone: int, pleats: int) -> None:
    masked = portrait.copy()
    outline = [(178, 112), (225, 122), (272, 112), (266, 150), (225, 172), (184, 150)]
    cv2.fillPoly(masked, [np.array(outline)], tone)
    for number in range(pleats):
        y = 130 + 9 * number
        cv2.line(masked, (190, y), (260, y), tone - 15, 1)
    assert unclear(face(masked)) == "partly hidden"
    assert unclear(face(portrait)) is None


def test_light_that_comes_and_goes_in_noise_lets_nothing_through(portrait: np.ndarray) -> None:
    reason = None
    for share in np.linspace(0.2, 0.6, 40):
        reason = unclear(face(darkened(portrait, share, 60)), reason)
        assert reason in ("too dark", "too noisy")
    assert reason == "too noisy"


@pytest.mark.parametrize(
    ("sigma", "expected"),
    [(1, None), (2, None), (3, None), (6, "too blurred"), (8, "too blurred"), (20, "too blurred")],
)
@pytest.mark.parametrize("contrast", [0.4, 1.0])
def test_blurred(portrait: np.ndarray, sigma: float, contrast: float, expected: str | None) -> None:
    blurred = cv2.GaussianBlur(portrait, (0, 0), sigma)
    assert unclear(face(darkened(blurred, contrast, 0))) == expected


def test_what_comes_and_goes_does_not_flicker(portrait: np.ndarray) -> None:
    sigmas = np.linspace(2, 8, 60)
    looks = [face(cv2.GaussianBlur(portrait, (0, 0), sigma)) for sigma in sigmas]
    first = next(i for i, look in enumerate(looks) if unclear(look))
    reason, marks = None, []
    for _ in range(10):
        for look in (looks[first - 1], looks[first]):
            reason = unclear(look, reason)
            marks.append(reason)
    assert marks == [None] + ["too blurred"] * 19
    assert unclear(looks[first - 20], reason) is None


@given(arrays(np.uint8, (48, 48)), st.sampled_from([None, *UNREADABLE]))
def test_any_picture_gets_an_answer(look: np.ndarray, before: str | None) -> None:
    assert unclear(look, before) in (None, *QUALITY)
    # Having been refused never helps.
    assert unclear(look) is None or unclear(look, before) is not None
