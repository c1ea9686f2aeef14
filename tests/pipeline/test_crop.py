from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.pipeline.crop import FACE_SIDE, crop_faces

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


coordinates = st.floats(-400, 400)


@given(coordinates, coordinates, st.floats(0, 500), st.floats(0, 500))
def test_any_box_gives_a_face(x: float, y: float, width: float, height: float) -> None:
    crops = crop_faces(COLUMNS, [(x, y, x + width, y + height)])
    assert crops.shape == (1, FACE_SIDE, FACE_SIDE) and crops.dtype == np.uint8
    assert crops.max() <= 199
