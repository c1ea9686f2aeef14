"""A detector that finds what a test tells it to, for tests of the stages after detection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from emorec.geometry import Boxes, as_boxes, iou
from emorec.pipeline.tiles import Patch
from emorec.records import Detection

Image = npt.NDArray[np.uint8]
Place = Sequence[float] | npt.NDArray[np.float64] | Detection

_SAME = 0.3
_NEAR = 0.5  # how far from its place a known face is found, in its sides


class Scripted:
    """Returns the faces that a test sets, and records its calls.

    Args:
        faces: the faces to find: boxes x1, y1, x2, y2, or detections.
        things: objects that a search takes for faces, and that are not confirmed.
        columns: number of patches, side by side, of a whole search.

    Attributes:
        faces, things: as above; may be replaced between two frames.
        blind_near: whether searches near known faces find nothing.
        blind_far: whether searches of the picture find nothing.
        searched: the patches of each search, in order.
        confirmed: the boxes that were to be confirmed, in order.
        searched_near: the number of known faces of each search near them.
        tilts: the tilts of these faces.
        asked_px: the smallest faces that searches were planned for.
        spend: called with the kind of work and its units; a test's clock uses it.
    """

    def __init__(
        self, faces: Iterable[Place] = (), things: Iterable[Place] = (), columns: int = 1
    ) -> None:
        self.faces: Iterable[Place] = faces
        self.things: Iterable[Place] = things
        self.columns = columns
        self.blind_near = self.blind_far = False
        self.searched: list[Patch] = []
        self.confirmed: list[list[float]] = []
        self.searched_near: list[int] = []
        self.tilts: list[float] = []
        self.asked_px: list[float] = []
        self.spend: Callable[[str, int], None] = lambda work, units: None

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        self.asked_px.append(min_face_px)
        return self._all(self.faces)

    def patches(
        self, size_wh: tuple[int, int], min_face_px: float, cautious: bool = False
    ) -> list[Patch]:
        self.asked_px.append(min_face_px)
        side = size_wh[0] / self.columns, size_wh[1]
        return [
            Patch(number * side[0], 0.0, 1.0, (int(np.ceil(side[0])), int(side[1])))
            for number in range(self.columns)
        ]

    def search(self, image_bgr: Image, patch: Patch) -> list[Detection]:
        self.searched.append(patch)
        self.spend("search", 1)
        if self.blind_far:
            return []
        width = patch.size_wh[0] / patch.scale
        return [
            place
            for place in self._all(self.faces) + self._all(self.things)
            if patch.x <= place.box_xyxy[::2].mean() < patch.x + width
        ]

    def confirm(
        self, image_bgr: Image, places: Sequence[Detection], cautious: bool = False
    ) -> list[Detection]:
        self.confirmed += [place.box_xyxy.tolist() for place in places]
        self.spend("near", 2 * len(places))
        things = [replace(thing, suspected=True) for thing in self._all(self.things)]
        there = self._all(self.faces) + (things if cautious else [])
        overlap = iou([p.box_xyxy for p in places], [face.box_xyxy for face in there])
        return [face for face, own in zip(there, overlap.T, strict=True) if (own > _SAME).any()]

    def detect_near(
        self,
        image_bgr: Image,
        boxes_xyxy: Boxes,
        tilts_deg: npt.ArrayLike | None = None,
        cautious: bool = False,
    ) -> list[Detection]:
        boxes = as_boxes(boxes_xyxy)
        self.searched_near.append(len(boxes))
        self.tilts += [] if tilts_deg is None else np.asarray(tilts_deg).tolist()
        self.spend("near", len(boxes))
        found = []
        for box in () if self.blind_near else boxes:
            middle, side = (box[:2] + box[2:]) / 2, box[2] - box[0]
            for face in self._all(self.faces):
                away = np.abs((face.box_xyxy[:2] + face.box_xyxy[2:]) / 2 - middle).max()
                if away <= _NEAR * side:
                    found.append(replace(face, suspected=cautious))
        return found

    @staticmethod
    def _all(places: Iterable[Place]) -> list[Detection]:
        return [
            place
            if isinstance(place, Detection)
            else Detection(np.array(place, dtype=np.float64), 0.9)
            for place in places
        ]


class Clock:
    """A clock whose seconds pass only when a test adds them."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def costing(self, **cost_s: float) -> Callable[[str, int], None]:
        """Return a ``spend`` for the detector: seconds per unit of each kind of work."""

        def spend(work: str, units: int) -> None:
            self.now_s += cost_s.get(work, 0.0) * units

        return spend


def textured(size_wh: tuple[int, int] = (640, 480)) -> Image:
    """Return a picture that is nowhere dark or blurred, with points for optical flow everywhere."""
    cells = np.random.default_rng(0).integers(0, 256, (size_wh[1] // 8, size_wh[0] // 8, 1))
    squares = np.tile(cells.astype(np.uint8), 3)
    return np.asarray(cv2.resize(squares, size_wh, interpolation=cv2.INTER_NEAREST), np.uint8)
