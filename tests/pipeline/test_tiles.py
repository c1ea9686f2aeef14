from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorec.pipeline.tiles import (
    INPUT_SIDE,
    LEAST,
    MOST_PIXELS,
    Patch,
    patches,
    smallest_searched,
)

SIZES = [(1, 1), (640, 480), (720, 1280), (3840, 2160), (12_000, 300), (300, 12_000)]
STRIPS = [(1_000_001, 1), (1, 1_000_001), (1_000_000, 40), (200_000, 64)]
SURE = 3.1 * LEAST  # input pixels up to which a face is found as surely as from `LEAST` on
sides = st.integers(1, 5000)


def extent(patch: Patch) -> np.ndarray:
    """Return what a patch shows of the picture, x1, y1, x2, y2."""
    corner = np.array([patch.x, patch.y])
    return np.concatenate([corner, corner + np.array(patch.size_wh) / patch.scale])


def shares(patch: Patch, boxes: np.ndarray) -> np.ndarray:
    """Return how much of each box, along the axis where it is less, lies in the patch."""
    x1, y1, x2, y2 = extent(patch)
    low = np.maximum(boxes[:, :2], [x1, y1])
    high = np.minimum(boxes[:, 2:], [x2, y2])
    return ((high - low).clip(0, None) / (boxes[:, 2:] - boxes[:, :2])).min(axis=1)


def faces_everywhere(size_wh: tuple[int, int], face: float, count: int = 40) -> np.ndarray:
    """Return boxes of this side all over the picture, float64 (n, 4)."""
    x, y = (np.linspace(0, max(side - face, 0), count) for side in size_wh)
    corners = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    return np.hstack([corners, corners + face])


@pytest.mark.parametrize("size_wh", SIZES[1:])
@pytest.mark.parametrize("min_face_px", [16, 48, 200])
def test_faces_of_every_size_are_seen_whole_or_almost_at_a_size_that_is_found(
    size_wh: tuple[int, int], min_face_px: float
) -> None:
    found = patches(size_wh, min_face_px)
    least = smallest_searched(size_wh, min_face_px)
    longest = max(*size_wh, least)
    for face in np.geomspace(least, longest, 12):
        boxes = faces_everywhere(size_wh, face)
        seen = np.zeros(len(boxes))
        for patch in found:
            if LEAST - 1e-6 <= face * patch.scale <= SURE or (
                patch is found[0] and face < least * 3
            ):
                seen = np.maximum(seen, shares(patch, boxes))
        # The smallest is whole somewhere; of three times as large ones three quarters are.
        assert seen.min() >= (1 - 1e-6 if face <= 1.25 * least else 0.7), face


@pytest.mark.parametrize("size_wh", SIZES[1:])
def test_neighbouring_tiles_share_at_least_a_smallest_face(size_wh: tuple[int, int]) -> None:
    found = patches(size_wh, 32)
    finest = [patch for patch in found if patch.scale == found[-1].scale]
    for axis in (0, 1):
        starts = sorted({patch[axis] for patch in finest})
        side = finest[0].size_wh[axis] / finest[0].scale
        assert starts[0] == 0 and starts[-1] + side >= size_wh[axis] - 1e-6
        assert np.all(np.diff(starts) <= side - LEAST / finest[0].scale)


@given(sides, sides, st.floats(16, 400))
@settings(max_examples=60)
def test_any_picture_is_covered_at_every_scale_at_a_bounded_cost(
    width: int, height: int, face: float
) -> None:
    found = patches((width, height), face)
    assert found[0].size_wh == (INPUT_SIDE, INPUT_SIDE)
    scales = [patch.scale for patch in found]
    assert scales == sorted(scales), "the coarsest first"
    assert scales[-1] == max(scales[0], LEAST / smallest_searched((width, height), face))
    for scale in set(scales):
        tiles = [patch for patch in found if patch.scale == scale]
        x1, y1 = np.min([extent(tile)[:2] for tile in tiles], axis=0)
        x2, y2 = np.max([extent(tile)[2:] for tile in tiles], axis=0)
        assert x1 <= 0 and y1 <= 0 and x2 >= width - 1e-6 and y2 >= height - 1e-6
    for patch in found:
        assert all(side > 0 and side % 16 == 0 for side in patch.size_wh)
    assert len({patch.size_wh for patch in found}) <= 8, "each size is made ready once"
    # Overlap, and tiles of a strip that is narrower than one, cost no more than the picture.
    cost = sum(math.prod(patch.size_wh) for patch in found)
    assert cost <= 2.5 * MOST_PIXELS + 64 * max(width, height) * scales[-1]


@pytest.mark.parametrize("size_wh", [(1, 1), (40, 30), (100, 100)])
def test_a_tiny_picture_is_one_look(size_wh: tuple[int, int]) -> None:
    (patch,) = patches(size_wh, 48)
    x1, y1, x2, y2 = extent(patch)
    assert x1 < 0 and y1 < 0 and x2 > size_wh[0] and y2 > size_wh[1], (
        "room for a face that fills it"
    )


@pytest.mark.parametrize(
    ("size_wh", "min_face_px", "expected"),
    [
        ((1, 1), 16, 16),
        ((640, 480), 16, 16),
        ((1280, 720), 16, 19),
        ((1280, 720), 48, 48),  # the user asks for no smaller ones
        ((1920, 1080), 16, 28.5),
        ((3840, 2160), 16, 57),
        ((12_000, 300), 16, 37.6),  # a strip by its area, not by its longer side
        ((300, 12_000), 16, 37.6),
    ],
)
def test_the_area_bounds_the_smallest_face(
    size_wh: tuple[int, int], min_face_px: float, expected: float
) -> None:
    assert smallest_searched(size_wh, min_face_px) == pytest.approx(expected, abs=0.1)


def test_smaller_faces_cost_more() -> None:
    costs = [
        sum(math.prod(patch.size_wh) for patch in patches((1280, 720), face))
        for face in (200, 100, 50, 25)
    ]
    assert costs == sorted(set(costs))


@pytest.mark.parametrize("size_wh", STRIPS)
def test_a_long_strip_costs_no_more_than_any_picture(size_wh: tuple[int, int]) -> None:
    """A tile is wider than the strip: what counts is what is computed."""
    found = patches(size_wh, smallest_searched(size_wh, 16))
    assert sum(math.prod(patch.size_wh) for patch in found) <= 2.5 * MOST_PIXELS


def test_with_caution_tiles_reach_over_the_border_on_all_sides() -> None:
    found = patches((640, 480), 36, cautious=True)
    assert all(patch.cautious for patch in found)
    finest = [extent(patch) for patch in found if patch.scale == found[-1].scale]
    half = 36 / 2
    assert np.all(np.min(finest, axis=0)[:2] <= -half)
    assert np.all(np.max(finest, axis=0)[2:] >= np.array([640, 480]) + half)
