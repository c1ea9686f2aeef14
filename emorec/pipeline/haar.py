"""Stage 1 by OpenCV's Haar cascade: finds upright faces that look towards the camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import ModelError
from emorec.geometry import Boxes, as_boxes, clip, square
from emorec.paths import CASCADE
from emorec.pipeline.tiles import Patch, smallest_searched
from emorec.records import Detection

Image = npt.NDArray[np.uint8]

_WINDOW = 24  # side in pixels of the cascade's own window: no smaller face can be seen
_NEAR = 1.8  # side of the neighbourhood searched for a known face, in faces
_NEAR_DETAIL = 2.0  # side of a known face as it is searched for, in windows; less makes it tremble
_FULL = 1.1, 5  # growth of the window from step to step; windows that must agree, but for one
_NEARBY = 1.15, 4  # at that detail as sure as the usual 1.1 and 5, and faster
_EVEN_WEIGHT = 4.3  # of the last stage: see the class


class HaarDetector:
    """OpenCV's frontal-face cascade (P. Viola and M. Jones, CVPR 2001; R. Lienhart, 2002).

    The picture is first reduced until the smallest face asked for just fills the cascade's
    window: the cost is that of the picture that the smallest face needs, whatever the camera's
    resolution.

    A cascade knows no probability. The score is the logistic function of how far the last stage's
    sum lies above 4.3: fitted so that, of as many FER2013 faces in scenes as boxes on pictures
    without a face, a score of 0.5 is as often the one as the other (slope 1.0; half of the faces
    lie above 0.86, half of the false boxes below 0.14). It cannot tell how a head leans.

    Raises:
        ModelError: the cascade file is missing or damaged.
    """

    def __init__(self, cascade: Path = CASCADE) -> None:
        if not cascade.is_file():
            raise ModelError(f"{cascade.name}: the face cascade is missing from {cascade.parent}.")
        self._cascade = cv2.CascadeClassifier()
        try:
            # Not by its path: on Windows OpenCV opens none with letters beyond the code page.
            text = cascade.read_text(encoding="utf-8")
            storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
            self._cascade.read(storage.getFirstTopLevelNode())
        except (OSError, UnicodeDecodeError, cv2.error, SystemError) as error:
            # Which of OpenCV's two depends on the damage.
            raise ModelError(f"{cascade.name}: is no cascade that OpenCV can read.") from error
        if self._cascade.empty():
            raise ModelError(f"{cascade.name}: is no cascade that OpenCV can read.")
        self._lock = Lock()  # a cascade keeps its working buffers inside

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        (patch,) = self.patches((image_bgr.shape[1], image_bgr.shape[0]), min_face_px)
        return self.search(image_bgr, patch)

    def patches(
        self, size_wh: tuple[int, int], min_face_px: float, cautious: bool = False
    ) -> list[Patch]:
        width, height = size_wh
        scale = min(_WINDOW / smallest_searched(size_wh, min_face_px), 1.0)
        return [Patch(0.0, 0.0, scale, (round(width * scale), round(height * scale)))]

    def search(self, image_bgr: Image, patch: Patch) -> list[Detection]:
        return self._search(image_bgr, patch.scale, (_WINDOW / patch.scale, 0), _FULL)

    def confirm(
        self, image_bgr: Image, places: Sequence[Detection], cautious: bool = False
    ) -> list[Detection]:
        return list(places)  # the cascade's windows have agreed on each

    def detect_near(
        self,
        image_bgr: Image,
        boxes_xyxy: Boxes,
        tilts_deg: npt.ArrayLike | None = None,
        cautious: bool = False,
    ) -> list[Detection]:
        height, width = image_bgr.shape[:2]
        found = []
        regions = clip(square(boxes_xyxy, _NEAR), (width, height)).astype(int)
        for (x1, y1, x2, y2), box in zip(regions, boxes_xyxy, strict=True):
            side = max(box[2] - box[0], box[3] - box[1])
            if side <= 0:
                continue
            scale = min(_NEAR_DETAIL * _WINDOW / side, 1.0)
            nearby = self._search(
                image_bgr[y1:y2, x1:x2], scale, (0.7 * side, 1.4 * side), _NEARBY, (x1, y1)
            )
            if nearby:
                # A neighbour's face may be in view too: take the one nearest to the middle.
                middle = (box[:2] + box[2:]) / 2
                centers = [(face.box_xyxy[:2] + face.box_xyxy[2:]) / 2 for face in nearby]
                found.append(nearby[np.abs(centers - middle).sum(axis=1).argmin()])
        return found

    def _search(
        self,
        image_bgr: Image,
        scale: float,
        sides: tuple[float, float],
        care: tuple[float, int],
        corner: tuple[int, int] = (0, 0),
    ) -> list[Detection]:
        """Search the picture reduced by ``scale`` for faces from one side to another in pixels.

        A largest side of 0 means no bound. ``care`` holds the growth of the window from step to
        step, and how many windows must agree on a face besides the first. The detections are
        moved by ``corner``.
        """
        smallest, largest = (int(side * scale) for side in sides)
        if min(image_bgr.shape[:2]) * scale < _WINDOW:
            return []
        image_gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        if scale < 1:
            image_gray = cv2.resize(
                image_gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
        step, votes = care
        with self._lock:
            rects, _, weights = self._cascade.detectMultiScale3(
                image_gray,
                scaleFactor=step,
                minNeighbors=votes,
                minSize=(smallest, smallest),
                maxSize=(largest, largest),
                outputRejectLevels=True,
            )
        boxes = as_boxes(rects)
        boxes[:, 2:] += boxes[:, :2]
        scores = 1 / (1 + np.exp(_EVEN_WEIGHT - np.asarray(weights, dtype=np.float64).ravel()))
        return [
            Detection(box, float(score))
            for box, score in zip(boxes / scale + np.tile(corner, 2), scores, strict=True)
        ]
