from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from emorec.model.network import FACE_SIDE
from emorec.pipeline.crop import crop_faces, features_inside, share_outside

# Every pixel tells where it lies: its column in the left half, its row in the right.
COLUMNS = np.tile(np.arange(200, dtype=np.uint8), (150, 1))
ROWS = np.tile(np.arange(150, dtype=np.uint8)[:, None], (1, 200))


@pytest.mark.parametrize("none", [[], np.empty((0, 4))])
def test_no_boxes(none: object) -> None:
    crops = crop_faces(COLUMNS, none)  # type: ignore[arg-type]
    assert crops.shape == (0, 48, 48) and crops.dtype == np.uint8


def test_a_box_of_the_networks_size_is_taken_as_it_is() -> None:
    box = (30, 40, 30 + FACE_SIDE, 40 + FACE_SIDE)
    np.testing.assert_array_equal(crop_faces(COLUMNS, [box])[0], COLUMNS[40:88, 30:78])
    np.testing.assert_array_equal(crop_faces(ROWS, [box])[0], ROWS[40:88, 30:78])


@pytest.mark.parametrize("side", [10, 47, 49, 96, 140])
def test_any_size_is_brought_to_the_networks(side: int) -> None:
    crop = crop_faces(COLUMNS, [(5, 5, 5 + side, 5 + side)])[0].astype(float)
    # Half-open: the crop runs from the middle of its first column to that of its last.
    middles = 5 + (np.arange(FACE_SIDE) + 0.5) * side / FACE_SIDE - 0.5
    np.testing.assert_allclose(crop[20], middles.clip(5, 4 + side), atol=1)


def test_a_box_that_is_not_square_is_widened_around_its_middle() -> None:
    box = (60, 50, 60 + 24, 50 + FACE_SIDE)
    np.testing.assert_array_equal(crop_faces(COLUMNS, [box])[0], COLUMNS[50:98, 48:96])


@pytest.mark.parametrize(
    ("box", "corner", "expected"),
    [
        ((-24, 0, 24, 48), (10, 0), 0),  # left of the picture its first column goes on
        ((176, 0, 224, 48), (10, 47), 199),
        ((-1000, -1000, -900, -900), (0, 0), 0),  # wholly outside: black
        ((500, 500, 600, 600), (47, 47), 0),
    ],
)
def test_over_the_border(
    box: tuple[int, int, int, int], corner: tuple[int, int], expected: int
) -> None:
    assert crop_faces(COLUMNS, [box])[0][corner] == expected


def test_the_faces_come_in_the_order_of_the_boxes() -> None:
    crops = crop_faces(COLUMNS, [(100, 0, 148, 48), (0, 0, 48, 48)])
    assert crops[0].mean() > crops[1].mean()


def portrait(lean_deg: float, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A real face whose head leans this far, top to the right, and its box."""
    gray = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)
    gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    box = np.array([[172.5, 62, 276.5, 166]]) * scale
    middle = box.reshape(2, 2).mean(axis=0) - 0.5
    lean = cv2.getRotationMatrix2D(middle.tolist(), -lean_deg, 1)
    return cv2.warpAffine(gray, lean, gray.shape[::-1], borderMode=cv2.BORDER_REPLICATE), box


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("tilt_deg", [-45, -20, -13, 13, 20, 45])
def test_a_leaning_head_is_turned_upright(tilt_deg: float, scale: float) -> None:
    upright = crop_faces(*portrait(0, scale))[0]
    leaning, box = portrait(tilt_deg, scale)
    turned = crop_faces(leaning, box, [tilt_deg])[0]
    assert likeness(turned, upright) > 0.97
    assert likeness(turned, upright) > likeness(crop_faces(leaning, box)[0], upright)
    # Turned twice by now, yet not blurred away.
    assert cv2.Laplacian(turned, cv2.CV_32F).std() > 0.5 * cv2.Laplacian(upright, cv2.CV_32F).std()


@pytest.mark.parametrize("tilt_deg", [0, 11.9, -11.9, float("nan")])
def test_an_upright_head_is_left_as_it_is(tilt_deg: float) -> None:
    image, box = portrait(0)
    np.testing.assert_array_equal(crop_faces(image, box, [tilt_deg]), crop_faces(image, box))


@pytest.mark.parametrize("tilt_deg", [-150, -90, 90, 179])
def test_a_head_is_turned_upright_however_far_it_leans(tilt_deg: float) -> None:
    upright = crop_faces(*portrait(0))[0]
    image, box = portrait(tilt_deg)
    assert likeness(crop_faces(image, box, [tilt_deg])[0], upright) > 0.95


@pytest.mark.parametrize(
    ("box", "tilt_deg", "expected"),
    [
        ((50, 50, 100, 100), 0, True),
        ((-15, 50, 35, 100), 0, True),  # the ear is outside, the eye at x = 0.5 is not
        ((-20, 50, 30, 100), 0, False),  # an eye
        ((165, 50, 215, 100), 0, True),
        ((170, 50, 220, 100), 0, False),
        ((50, -17, 100, 33), 0, True),  # hair and brow
        ((50, -20, 100, 30), 0, False),  # both eyes
        ((50, 112, 100, 162), 0, True),
        ((50, 115, 100, 165), 0, False),  # the mouth
        ((-20, 50, 30, 100), 90, False),  # leaning right, the mouth is at the left border
        ((-12, 50, 38, 100), 90, True),
        ((-17, 50, 33, 100), -90, True),  # leaning left, the eyes are there
        ((-20, 50, 30, 100), float("nan"), False),
        ((500, 500, 600, 600), 0, False),
    ],
)
def test_eyes_and_mouth_are_in_the_picture_or_not(
    box: tuple[int, int, int, int], tilt_deg: float, expected: bool
) -> None:
    assert features_inside([box], [tilt_deg], (200, 150)).tolist() == [expected]


def test_nobody_has_no_features() -> None:
    assert features_inside([], [], (200, 150)).shape == (0,)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 48, 48), 0),
        ((-24, 0, 24, 48), 0.5),
        ((-24, -24, 24, 24), 0.75),
        ((60, 10, 80, 50), 0),
        ((-10, 10, 10, 50), 2 / 4),  # the crop is the square around it
        ((500, 500, 600, 600), 1),
        ((10, 10, 10, 10), 1),
    ],
)
def test_share_outside(box: tuple[int, int, int, int], expected: float) -> None:
    assert share_outside([box], (200, 150)) == pytest.approx([expected])


def test_nobody_is_outside() -> None:
    assert share_outside([], (200, 150)).shape == (0,)


coordinates = st.floats(-400, 400)


@given(coordinates, coordinates, st.floats(0, 500), st.floats(0, 500), st.floats(-180, 180))
def test_any_box_gives_a_face(
    x: float, y: float, width: float, height: float, tilt_deg: float
) -> None:
    crops = crop_faces(COLUMNS, [(x, y, x + width, y + height)], [tilt_deg])
    assert crops.shape == (1, FACE_SIDE, FACE_SIDE) and crops.dtype == np.uint8
    assert crops.max() <= 199
