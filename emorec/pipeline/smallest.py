"""The smallest face to look for, where the user has chosen none."""

from __future__ import annotations

import math

import numpy as np

from emorec.geometry import Boxes
from emorec.pipeline.tiles import smallest_searched
from emorec.records import FrameResult
from emorec.settings import LEAST_FACE_PX
from emorec.words import _, ngettext

_FIRST = 16.0  # sides of a picture as large as this one, and square, over the first smallest face
_USUAL_PX = 36.0  # in smaller pictures too: there such faces are large
_NEAR = 1.5  # after a face less than so many times the smallest, smaller ones are looked for
_BLURRED = 30.0  # as `_FIRST`, where faces are looked for to be blurred
_STEP = 1.7  # from one smallest face to the next


class Smallest:
    """Chooses the side of the smallest face to search for, from search to search.

    The first is a sixteenth of the picture (60 pixels at 1280×720, 90 at 1920×1080; 36 in small
    pictures). After a search that found no face, or one hardly larger than the smallest, the next
    search is finer; where only larger faces are left, it is coarser again.

    Args:
        chosen_px: the smallest face that the user has chosen, which then stays; None: none chosen.
        size_wh: of the picture.
    """

    def __init__(self, chosen_px: int | None, size_wh: tuple[int, int]) -> None:
        least = chosen_px or LEAST_FACE_PX
        self._least = smallest_searched(size_wh, least)
        first = least if chosen_px else max(math.sqrt(size_wh[0] * size_wh[1]) / _FIRST, _USUAL_PX)
        self._most = max(float(first), self._least)
        self.px = self._most

    def searched(self, boxes_xyxy: Boxes) -> None:
        """Take in the boxes, (n, 4), of the faces that a search has found."""
        sides = boxes_xyxy[:, 2] - boxes_xyxy[:, 0]
        smallest = sides.min(initial=np.inf) if len(sides) else 0.0
        if smallest < _NEAR * self.px:
            self.px = max(self.px / _STEP, self._least)
        elif smallest > _STEP * _NEAR * self.px:
            self.px = min(self.px * _STEP, self._most)


def blurred_px(size_wh: tuple[int, int]) -> int:
    """Return the side of the smallest face that is looked for in order to blur it.

    A thirtieth of the picture, 24 pixels or more: 24 at 640×480, 32 at 1280×720, 48 at 1920×1080.
    Every frame is searched for them, so that a smaller bound would cost most of the frames.
    """
    return max(round(math.sqrt(size_wh[0] * size_wh[1]) / _BLURRED), 24)


def notes(result: FrameResult) -> list[str]:
    """Return in words which faces were too small to read or to find; often nothing."""
    told = []
    small = sum(face.unreadable == "too small" for face in result.faces)
    if small:
        told.append(
            ngettext(
                "{n} face is too small to read: come closer or zoom in.",
                "{n} faces are too small to read: come closer or zoom in.",
                small,
            ).format(n=small)
        )
    bound = smallest_searched(result.size_wh, LEAST_FACE_PX)
    # Into a picture that is narrower than the smallest face none fits.
    unsearched = min(bound, *result.size_wh) > LEAST_FACE_PX
    if unsearched and abs(result.smallest_px - bound) < 1:
        told.append(
            _(
                "Faces under {side} pixels were not looked for: the picture is large, and that"
                " would take too long."
            ).format(side=f"{bound:.0f}")
        )
    return told
