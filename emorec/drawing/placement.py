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
    room = np.maximum(np.subtract(picture_wh, size_wh), 0)
    corner = np.clip(np.asarray(places_xy, dtype=np.float64), 0, room)
    other = np.asarray([own, *taken], dtype=np.float64)
    low = np.maximum(corner[:, None], other[None, :, :2])
    high = np.minimum((corner + size_wh)[:, None], other[None, :, 2:])
    overlaps = np.clip(high - low, 0, None).prod(axis=2)
    covered = overlaps[:, 1:].sum(axis=1)
    best = int((covered + _OWN_FACE * overlaps[:, 0]).argmin())
    x, y = int(corner[best, 0]), int(corner[best, 1])
    return Box(x, y, x + size_wh[0], y + size_wh[1]), float(covered[best])
