"""The search of the whole picture for faces that are not known yet, spread over frames."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emorec.geometry import Boxes, as_boxes, iou, share_inside
from emorec.pipeline.blazeface import surest
from emorec.pipeline.detect import Detector
from emorec.pipeline.smallest import Smallest, blurred_px
from emorec.pipeline.tiles import Patch
from emorec.records import Detection
from emorec.settings import Settings

_KNOWN = 0.3  # IoU from which a place that a search finds is a face that is known
_PART = 0.7  # share of it inside a known face from which it is a part of that
_REJECTED_S = 10.0  # for so long a place that was no face is not confirmed again
_SAME_PLACE = 0.4  # IoU from which it is the same place …
_SURER = 0.2  # … unless it scores so much more: a face that is half in the picture may have come in
_STILL_FACE = 0.8  # side of a face that still counts, over the smallest that was chosen


class Care(NamedTuple):
    """Which places are confirmed in this frame.

    Attributes:
        most: so many, the likeliest first; the others wait for the next frame.
        least_score: places with a lower score are left to the next search.
    """

    most: int
    least_score: float


ALL = Care(1000, 0.0)
FIRST = Care(32, 0.25)
NEXT = Care(2, 0.25)


class Search:
    """A search of the whole picture, spread over frames; it looks for faces that are not known.

    Args:
        detector: searches the patches.
        pool: threads that search some of them at once; None: the caller's searches all.

    Attributes:
        patches: what one whole search consists of.
        begun: whether a patch of this picture's size was searched.
        smallest_px: side of the smallest face looked for.
        least_px: side from which faces count, where the user has chosen the smallest.
    """

    def __init__(self, detector: Detector, pool: Executor | None = None) -> None:
        self.patches: list[Patch] = []
        self.begun = False
        self._detector = detector
        self._each = map if pool is None else pool.map
        self._smallest: Smallest | None = None
        self._wanted: tuple[int | None, tuple[int, int], bool] | None = None
        self.least_px = 0.0
        self._next = 0
        self._cautious = False
        self._places: list[Detection] = []
        self._rejected: list[tuple[Detection, float]] = []

    @property
    def smallest_px(self) -> float:
        return self._smallest.px if self._smallest else float("nan")

    def reset(self) -> None:
        """Start over with the next frame."""
        self._wanted = None

    def prepare(self, settings: Settings, size_wh: tuple[int, int]) -> None:
        """Start over if the size of the picture or the smallest face has changed."""
        # With caution the visitor's choice does not bound whom a search finds, and the first search
        # is as fine as every other one.
        self._cautious = settings.cautious
        chosen = blurred_px(size_wh) if settings.cautious else settings.min_face_px
        wanted = chosen, size_wh, settings.cautious
        if wanted != self._wanted:
            self._wanted = wanted
            self._smallest = Smallest(chosen, size_wh)
            self.least_px = _STILL_FACE * (chosen or 0)
            self._lay_out()
            self.begun = False
            self._places, self._rejected = [], []

    def advance(self, image_bgr: npt.NDArray[np.uint8], count: int) -> bool:
        """Search the next patches; return whether that ended a search of the whole picture."""
        end = min(self._next + count, len(self.patches))
        search = partial(self._detector.search, image_bgr)
        for found in self._each(search, self.patches[self._next : end]):
            self._places += found
        self._next = end % len(self.patches)
        self.begun = True
        return count > 0 and self._next == 0

    def confirm(
        self, image_bgr: npt.NDArray[np.uint8], known_xyxy: Boxes, time_s: float, care: Care
    ) -> list[Detection]:
        """Return the new faces among the places found.

        Args:
            image_bgr: the frame.
            known_xyxy: where known faces should be, of shape (n, 4).
            time_s: of this frame.
            care: which places to confirm.
        """
        self._rejected = [one for one in self._rejected if time_s - one[1] <= _REJECTED_S]
        places = [place for place in surest(self._places) if place.score >= care.least_score]
        places = _apart(places, known_xyxy)
        places = self._not_rejected(places)
        now, self._places = places[: care.most], places[care.most :]
        faces = self._detector.confirm(image_bgr, now, self._cautious)
        faces = [face for face in faces if np.ptp(face.box_xyxy[::2]) >= self.least_px]
        if not self._cautious:  # with caution a place is confirmed in every frame
            overlap = iou([place.box_xyxy for place in now], [face.box_xyxy for face in faces])
            self._rejected += [
                (place, time_s)
                for place, most in zip(now, overlap.max(axis=1, initial=0), strict=True)
                if most < _KNOWN
            ]
        # Enlarged, a place beside a known face may show that face.
        return _apart(faces, known_xyxy)

    def _not_rejected(self, places: list[Detection]) -> list[Detection]:
        """Return the places but those that were lately no face, and look no more like one now."""
        before = [place for place, _ in self._rejected]
        same = (
            iou([place.box_xyxy for place in places], [place.box_xyxy for place in before])
            >= _SAME_PLACE
        )
        scores = np.array([place.score for place in places])
        surer = scores[:, None] >= np.array([place.score for place in before]) + _SURER
        return [places[number] for number in np.flatnonzero((~same | surer).all(axis=1))]

    def finished(self, boxes_xyxy: npt.ArrayLike) -> bool:
        """Choose how small a face the next search looks for, by who was found.

        Returns:
            Whether the next search is finer.
        """
        assert self._smallest is not None
        before = self._smallest.px
        self._smallest.searched(as_boxes(boxes_xyxy))
        if self._smallest.px != before:
            self._lay_out()
        return self._smallest.px < before

    def _lay_out(self) -> None:
        assert self._smallest is not None and self._wanted is not None
        _, size_wh, cautious = self._wanted
        self.patches = self._detector.patches(size_wh, self._smallest.px, cautious)
        self._next = 0


def _apart(found: Sequence[Detection], known_xyxy: Boxes) -> list[Detection]:
    """Return which of those found are neither a known face nor a part of one."""
    boxes = [one.box_xyxy for one in found]
    most = iou(boxes, known_xyxy).max(axis=1, initial=0)
    part = share_inside(boxes, known_xyxy).max(axis=1, initial=0)
    free = ((most < _KNOWN) & (part < _PART)).tolist()
    return [one for one, apart in zip(found, free, strict=True) if apart]
