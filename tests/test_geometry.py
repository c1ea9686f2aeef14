from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.geometry import as_boxes, clip, distinct, iou, square

NONE = np.empty((0, 4))
numbers = st.floats(-1e4, 1e4, allow_nan=False)
sides = st.floats(0.5, 1e4)
boxes = st.builds(lambda x, y, w, h: np.array([x, y, x + w, y + h]), numbers, numbers, sides, sides)


@pytest.mark.parametrize("given_boxes", [[], NONE, np.empty((0,))])
def test_no_boxes_stay_no_boxes(given_boxes: object) -> None:
    assert as_boxes(given_boxes).shape == (0, 4)
    assert clip(given_boxes, (640, 480)).shape == (0, 4)
    assert square(given_boxes, 2).shape == (0, 4)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_overlap_with_nothing(n: int, m: int) -> None:
    assert iou(np.ones((n, 4)), np.ones((m, 4))).shape == (n, m)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0),  # half-open: they only touch
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (0, 0, 5, 5), 1 / 4),
        ((0, 0, 10, 10), (20, 20, 30, 30), 0),
        ((-5, -5, 5, 5), (0, 0, 10, 10), 25 / 175),
        ((3, 3, 3, 3), (3, 3, 3, 3), 0),  # empty
        ((5, 5, 0, 0), (0, 0, 10, 10), 0),  # inside out
    ],
)
def test_overlap(a: tuple[int, ...], b: tuple[int, ...], expected: float) -> None:
    assert iou(a, b) == pytest.approx(np.array([[expected]]))


def test_overlap_is_a_table_of_every_pair() -> None:
    a = [(0, 0, 10, 10), (0, 0, 5, 5)]
    b = [(0, 0, 10, 10), (50, 50, 60, 60), (0, 0, 5, 5)]
    np.testing.assert_allclose(iou(a, b), [[1, 0, 0.25], [0.25, 0, 1]])


@given(boxes, boxes)
def test_overlap_is_symmetric_and_in_range(a: np.ndarray, b: np.ndarray) -> None:
    assert iou(a, b)[0, 0] == pytest.approx(iou(b, a)[0, 0])
    assert 0 <= iou(a, b)[0, 0] <= 1 + 1e-9
    assert iou(a, a)[0, 0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((-10, -20, 30, 40), (0, 0, 30, 40)),
        ((600, 400, 700, 500), (600, 400, 640, 480)),
        ((-5, -5, 9999, 9999), (0, 0, 640, 480)),
        ((-50, 10, -20, 40), (0, 10, 0, 40)),  # outside: empty
        ((700, 500, 800, 600), (640, 480, 640, 480)),
    ],
)
def test_clip(box: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert clip(box, (640, 480)).tolist() == [list(expected)]


@pytest.mark.parametrize(
    ("box", "scale", "expected"),
    [
        ((0, 0, 10, 10), 1, (0, 0, 10, 10)),
        ((0, 0, 10, 20), 1, (-5, 0, 15, 20)),
        ((0, 0, 20, 10), 1, (0, -5, 20, 15)),
        ((0, 0, 10, 10), 2, (-5, -5, 15, 15)),
        ((4, 4, 4, 4), 3, (4, 4, 4, 4)),
    ],
)
def test_square(box: tuple[int, ...], scale: float, expected: tuple[int, ...]) -> None:
    assert square(box, scale).tolist() == [list(expected)]


@given(boxes, st.floats(0.1, 10))
def test_a_square_keeps_the_middle(box: np.ndarray, scale: float) -> None:
    x1, y1, x2, y2 = square(box, scale)[0]
    assert x2 - x1 == pytest.approx(y2 - y1)
    assert x2 - x1 == pytest.approx(max(box[2] - box[0], box[3] - box[1]) * scale)
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx(
        ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), abs=1e-6
    )


@pytest.mark.parametrize(
    ("boxes", "left"),
    [
        ([], []),
        ([(0, 0, 10, 10)], [0]),
        ([(0, 0, 10, 10), (1, 0, 11, 10), (50, 0, 60, 10)], [0, 2]),
        # The middle one is dropped by the first and so drops nobody.
        ([(0, 0, 10, 10), (3, 0, 13, 10), (6, 0, 16, 10)], [0, 2]),
        ([(0, 0, 0, 0), (0, 0, 0, 0)], [0, 1]),
    ],
)
def test_of_the_same_boxes_the_first_is_left(boxes: list, left: list[int]) -> None:
    assert distinct(boxes, 0.5) == left
