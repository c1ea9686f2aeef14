"""Where a label goes: the first of several places that covers nothing, or the least covering."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emorec.records import Box

_OWN = 0.1  # a label had better hide a bit of its own face than of another's


def best_place(
    places_xy: Sequence[tuple[int, int]],
    size_wh: tuple[int, int],
    picture_wh: tuple[int, int],
    own: Box,
    taken: Sequence[Box],
) -> tuple[Box, float]:
    """Return the place that covers the least of what is taken; of equals the first.

    Args:
        places_xy: upper left corners to try, the liked ones first; at least one.
        size_wh: of what is to be placed, in pixels.
        picture_wh: each place is first moved to lie inside the picture.
        own: the face that it belongs to; covered rather than what is taken.
        taken: what is better not covered.

    Returns:
        The rectangle, and the pixels of ``taken`` that it covers (0 = free).
    """
    room = np.maximum(np.subtract(picture_wh, size_wh), 0)
    corner = np.clip(np.asarray(places_xy, dtype=np.float64), 0, room)
    other = np.asarray([own, *taken], dtype=np.float64)
    low = np.maximum(corner[:, None], other[None, :, :2])
    high = np.minimum((corner + size_wh)[:, None], other[None, :, 2:])
    overlaps = np.clip(high - low, 0, None).prod(axis=2)
    covered = overlaps[:, 1:].sum(axis=1)
    best = int((covered + _OWN * overlaps[:, 0]).argmin())
    x, y = int(corner[best, 0]), int(corner[best, 1])
    return Box(x, y, x + size_wh[0], y + size_wh[1]), float(covered[best])
