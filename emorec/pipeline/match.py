"""Which detection is which known face: the likeliest of all matchings."""

from __future__ import annotations

import lap
import numpy as np
import numpy.typing as npt

_REACH = 1.0  # how far from its place a face may be found, in faces
_LEAST_REACH_PX = 28.0  # a camera that is knocked moves small faces as far as large ones
_GROWTH = 2.0  # a size this many times another one counts as far as `_REACH` does


def distances(
    expected_xyxy: npt.NDArray[np.float64], found_xyxy: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how unlikely each face (n) is to be each one found (m), 1 = just possible: (n, m).

    Squared, as in the likelihood of a normal error: of all matchings the likeliest has the least
    sum.
    """
    centers, sides = _centers_and_sides(expected_xyxy)
    found_centers, found_sides = _centers_and_sides(found_xyxy)
    reach = np.maximum(sides * _REACH, _LEAST_REACH_PX)
    moved = np.square(centers[:, None] - found_centers[None]).sum(axis=2) / reach[:, None] ** 2
    grown = np.log(found_sides[None] / sides[:, None]) / np.log(_GROWTH)
    return moved + np.square(grown)


def _centers_and_sides(
    boxes_xyxy: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    sides = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).mean(axis=1)
    return (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2, np.maximum(sides, 1.0)


def matched(
    away: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the column of each row and the row of each column, -1 for none, of the least sum.

    Two that are 1 or farther apart are never matched: the limit is the cost of leaving both without
    a match. (R. Jonker and A. Volgenant, Computing 1987.)
    """
    if not away.size:  # which lap answers, but writes outside its memory
        return np.full(away.shape[0], -1, np.int32), np.full(away.shape[1], -1, np.int32)
    _, columns, rows = lap.lapjv(away, extend_cost=True, cost_limit=1.0)
    return columns, rows
