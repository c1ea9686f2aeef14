"""Which parts of a picture the face network searches, and at which scales.

The network finds faces from `LEAST` to three times as many pixels of its input, so a picture is
searched at several scales, each three times finer than the one before: a pyramid (E. Adelson et
al., "Pyramid methods in image processing", RCA Engineer 1984). A scale that is too large for one
input is cut into overlapping tiles.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

LEAST = 28
"""Side in input pixels from which a face is found: of 194 people's photographs the network scores
99 % above 0.1 at 29 pixels, 92 % at 24, 63 % at 20."""

INPUT_SIDE = 128
"""Side in input pixels of the smallest input, and of the input for one enlarged face."""

MOST_PIXELS = 2_000_000
"""Input pixels of the finest scale: bounds the cost of a picture, at any aspect ratio."""

_STEP = 3.0  # from scale to scale: faces of 84 input pixels are found as surely as those of 28
_PAD = 1.5  # side of the whole picture's input over its longer side: finds faces that fill it
_TILE = 320  # most input pixels along a tile's side; larger ones do not fit the caches
_NARROWEST = INPUT_SIDE // 2  # side of a tile of a strip that is narrower at its scale
_OVERLAP = 1.3 * LEAST  # of neighbouring tiles, in input pixels: no small face is cut by both
_BEYOND = 1.2 * LEAST  # with caution, how far tiles reach over the border, in input pixels
_MULTIPLE = 16  # the network's coarsest stride


class Patch(NamedTuple):
    """A part of the picture as the network sees it; it may reach over the picture's border."""

    x: float
    """Left edge in picture pixels."""
    y: float
    """Upper edge in picture pixels."""
    scale: float
    """Input pixels in a picture pixel."""
    size_wh: tuple[int, int]
    """Width and height in input pixels."""
    cautious: bool = False
    """Whether the picture goes on in its mirror image beyond the border, else it is black there."""


def smallest_searched(size_wh: tuple[int, int], min_face_px: float) -> float:
    """Return the side in pixels of the smallest face that a search of bounded cost looks for.

    Args:
        size_wh: of the picture.
        min_face_px: side in pixels from which faces are wanted.
    """
    shorter, longer = sorted(size_wh)
    scale = math.sqrt(MOST_PIXELS / (shorter * longer))
    if shorter * scale < _NARROWEST:  # a tile is wider than such a strip
        scale = MOST_PIXELS / (_NARROWEST * longer)
    return max(min_face_px, LEAST / scale)


def patches(size_wh: tuple[int, int], min_face_px: float, cautious: bool = False) -> list[Patch]:
    """Return the patches to search for all faces from this side on, the coarsest scale first.

    Args:
        size_wh: of the picture.
        min_face_px: side in pixels of the smallest face looked for.
        cautious: whether faces are looked for of which half is beyond the border. There the picture
            goes on in its mirror image: of faces of which half or less was in the picture, the
            network scored 48 by 0.54 to 0.96 then, and by 0.14 to 0.64 with black.
    """
    half = _PAD * max(size_wh) / 2
    whole = INPUT_SIDE / (2 * half)
    corner = size_wh[0] / 2 - half, size_wh[1] / 2 - half
    found = [Patch(*corner, whole, (INPUT_SIDE, INPUT_SIDE), cautious)]
    scale = LEAST / smallest_searched(size_wh, min_face_px)
    scales = []
    while scale > whole:
        scales.append(scale)
        scale /= _STEP
    return found + [tile for scale in reversed(scales) for tile in _tiles(size_wh, scale, cautious)]


def _tiles(size_wh: tuple[int, int], scale: float, cautious: bool) -> list[Patch]:
    """Cut the picture at this scale into overlapping tiles of one size."""
    beyond = _BEYOND if cautious else 0.0
    starts, sides = [], []
    for length in (side * scale + 2 * beyond for side in size_wh):
        count = max(1, math.ceil((length - _OVERLAP) / (_TILE - _OVERLAP)))
        fitting = (length + (count - 1) * _OVERLAP) / count
        side = max(_NARROWEST, math.ceil(fitting / _MULTIPLE) * _MULTIPLE)
        starts.append((np.linspace(0, max(length - side, 0), count) - beyond) / scale)
        sides.append(side)
    return [
        Patch(float(x), float(y), scale, (sides[0], sides[1]), cautious)
        for y in starts[1]
        for x in starts[0]
    ]
