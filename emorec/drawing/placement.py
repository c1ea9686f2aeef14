"""Chooses the place of a label: the first one that covers nothing, else the least covering one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emorec.records import Box

_OWN_FACE = 0.1  # weight of covered pixels of the label's own face; those of other faces weigh 1


def best_place(
    places_xy: Sequence[tuple[int, int]],
    size_wh: tuple[int, int],
    picture_wh: tuple[int, int],
    own: Box,
    taken: Sequence[Box],
) -> tuple[Box, float]:
    """Return the place that covers the least of ``taken``; of equal places the first.

    Args:
        places_xy: upper left corners to try, in order of preference; at least one.
        size_wh: size of the label in pixels.
        picture_wh: size of the picture; each place is first moved inside it.
        own: the label's own face; it is covered rather than ``taken``.
        taken: other faces and labels, which should not be covered.

    Returns:
        The rectangle, and how many pixels of ``taken`` it covers (0 = none).
    """
    width, height = size_wh
    right, bottom = max(picture_wh[0] - width, 0), max(picture_wh[1] - height, 0)
    corners = [(min(max(x, 0), right), min(max(y, 0), bottom)) for x, y in places_xy]
    (x, y), others = corners[0], (own, *taken)
    # Mostly the first place covers nothing, which NumPy takes several times as long to find.
    if not any(
        x < x2 and x1 < x + width and y < y2 and y1 < y + height for x1, y1, x2, y2 in others
    ):
        return Box(x, y, x + width, y + height), 0.0
    corner, other = np.array(corners, np.float64)[:, None], np.array(others, np.float64)
    sides = np.minimum(corner + size_wh, other[:, 2:]) - np.maximum(corner, other[:, :2])
    sides = np.maximum(sides, 0.0)  # of the overlaps
    overlaps = sides[..., 0] * sides[..., 1]
    covered = overlaps[:, 1:].sum(axis=1)
    best = int((covered + _OWN_FACE * overlaps[:, 0]).argmin())
    x, y = corners[best]
    return Box(x, y, x + width, y + height), float(covered[best])
