"""Which squares of a picture a network with a small square input looks at."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from emorec.geometry import Boxes, square

INPUT_SIDE = 192
"""Side in pixels of the network's input."""

ZOOMS = 4
"""Zoomed squares that share one input."""

_FACE = 25  # side in input pixels that the smallest face is brought to, where tiles allow
_TILES = 12  # in one picture, besides the whole
_OVERLAP = 1.5  # of neighbouring tiles, in smallest faces: none may be cut by both
_ZOOM = 1.8  # side of a zoomed square, in faces: they come out 53 input pixels wide


class Patch(NamedTuple):
    """A square of the picture in its pixels, and where in the network's input it lies.

    It may reach over the border of the picture, where the input stays black.
    """

    x: int
    y: int
    side: int
    left: int = 0
    top: int = 0
    cell: int = INPUT_SIDE
    mirrored: bool = False

    @property
    def scale(self) -> float:
        """Picture pixels in an input pixel."""
        return self.side / self.cell


def tiles(size_wh: tuple[int, int], min_face_px: float) -> list[Patch]:
    """Return the whole picture and, where it would show faces too small, overlapping tiles.

    The tiles are as large as the smallest face allows; there are 12 at most, so that in a large
    picture they are larger.
    """
    width, height = size_wh
    whole = Patch(0, 0, max(width, height))
    overlap = _OVERLAP * min_face_px
    side = INPUT_SIDE / _FACE * min_face_px
    if whole.side <= side:
        return [whole]
    while (columns := _steps(width, side, overlap)) * (
        rows := _steps(height, side, overlap)
    ) > _TILES:
        side *= 1.02
    fitting = math.ceil(max((width - overlap) / columns, (height - overlap) / rows) + overlap)
    xs = np.linspace(0, max(width - fitting, 0), columns, dtype=int).tolist()
    ys = np.linspace(0, max(height - fitting, 0), rows, dtype=int).tolist()
    return [whole, *(Patch(x, y, fitting) for y in ys for x in xs)]


def zooms(boxes_xyxy: Boxes, mirrored: bool = False) -> list[list[Patch]]:
    """Return the neighbourhood of each box, as many to an input as share one.

    BlazeFace is surest of faces some 50 input pixels wide, so that four fit into an input: those
    of the standard portrait, 24 to 200 pixels wide, dark, bright and tilted, score 0.64 or more
    there, and 0.1 or more if each fills an input.
    """
    per_side = math.isqrt(ZOOMS)
    cell = INPUT_SIDE // per_side
    patches = []
    for number, (x1, y1, x2, _) in enumerate(square(boxes_xyxy, _ZOOM).tolist()):
        row, column = divmod(number % ZOOMS, per_side)
        side = max(round(x2 - x1), 1)
        patches.append(Patch(round(x1), round(y1), side, column * cell, row * cell, cell, mirrored))
    return [patches[first : first + ZOOMS] for first in range(0, len(patches), ZOOMS)]


def _steps(length: float, side: float, overlap: float) -> int:
    """Return how many tiles of this side cover a length."""
    return max(1, math.ceil((length - overlap) / (side - overlap)))
