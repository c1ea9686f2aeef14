"""Stage 1: where are faces?"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import ModelError
from emorec.geometry import Boxes, as_boxes, clip, square
from emorec.paths import CASCADE
from emorec.records import Detection

Image = npt.NDArray[np.uint8]

_WINDOW = 24  # side in pixels of the cascade's own window: no smaller face can be seen
_NEAR = 1.8  # side of the neighbourhood searched for a known face, in faces
_NEAR_DETAIL = 2.0  # side of a known face as it is searched for, in windows; less makes it tremble
_NEAR_STEP, _NEAR_VOTES = 1.15, 4  # at that detail as sure as the usual 1.1 and 5, and faster


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        """Search the whole picture, uint8 (h, w, 3), for faces of this side or more."""
        ...

    def detect_near(self, image_bgr: Image, boxes_xyxy: Boxes) -> list[Detection]:
        """Search only around these boxes (n, 4), for faces of about their size."""
        ...


class HaarDetector:
    """OpenCV's frontal-face cascade (P. Viola and M. Jones, CVPR 2001; R. Lienhart, 2002).

    The picture is first reduced until the smallest face asked for just fills the cascade's
    window: the cost is that of the picture that the smallest face needs, whatever the camera's
    resolution. The cascade gives no confidence, so scores are NaN.

    Raises:
        ModelError: the cascade file is missing or is none.
    """

    def __init__(self, cascade: Path = CASCADE) -> None:
        if not cascade.is_file():
            raise ModelError(f"{cascade.name}: the face cascade is missing from {cascade.parent}.")
        try:
            self._cascade = cv2.CascadeClassifier(str(cascade))
        except (cv2.error, SystemError) as error:  # which of them depends on the damage
            raise ModelError(f"{cascade.name}: is no cascade that OpenCV can read.") from error
        if self._cascade.empty():
            raise ModelError(f"{cascade.name}: is no cascade that OpenCV can read.")
        self._lock = Lock()  # a cascade keeps its working buffers inside

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        scale = min(_WINDOW / min_face_px, 1.0)
        boxes = self._search(image_bgr, scale, (min_face_px, 0), step=1.1, votes=5)
        return [Detection(box, float("nan")) for box in boxes]

    def detect_near(self, image_bgr: Image, boxes_xyxy: Boxes) -> list[Detection]:
        height, width = image_bgr.shape[:2]
        found = []
        regions = clip(square(boxes_xyxy, _NEAR), (width, height)).astype(int)
        for (x1, y1, x2, y2), box in zip(regions, boxes_xyxy, strict=True):
            side = max(box[2] - box[0], box[3] - box[1])
            if side <= 0:
                continue
            scale = min(_NEAR_DETAIL * _WINDOW / side, 1.0)
            nearby = self._search(
                image_bgr[y1:y2, x1:x2],
                scale,
                (0.7 * side, 1.4 * side),
                _NEAR_STEP,
                _NEAR_VOTES,
            )
            nearby += np.array([x1, y1, x1, y1])
            if len(nearby):
                # A neighbour's face may reach in: the one nearest to the middle is meant.
                middle = (box[:2] + box[2:]) / 2
                away = np.abs((nearby[:, :2] + nearby[:, 2:]) / 2 - middle).sum(axis=1)
                found.append(Detection(nearby[away.argmin()], float("nan")))
        return found

    def _search(
        self,
        image_bgr: Image,
        scale: float,
        sides: tuple[float, float],
        step: float,
        votes: int,
    ) -> Boxes:
        """Search the picture reduced by ``scale`` for faces from one side to another in pixels.

        A largest side of 0 is none. The window grows by ``step``; a face is found where ``votes``
        windows agree on it, besides the first.
        """
        smallest, largest = (int(side * scale) for side in sides)
        if min(image_bgr.shape[:2]) * scale < _WINDOW:
            return as_boxes([])
        image_gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        if scale < 1:
            image_gray = cv2.resize(
                image_gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
        with self._lock:
            rects = self._cascade.detectMultiScale(
                image_gray,
                scaleFactor=step,
                minNeighbors=votes,
                minSize=(smallest, smallest),
                maxSize=(largest, largest),
            )
        boxes = as_boxes(rects)
        boxes[:, 2:] += boxes[:, :2]
        return boxes / scale
