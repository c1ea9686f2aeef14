"""Both ways to find faces, each where it is the better one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from emorec.geometry import Boxes, as_boxes, iou
from emorec.pipeline.blazeface import BlazeFaceDetector
from emorec.pipeline.haar import HaarDetector
from emorec.pipeline.tiles import tiles
from emorec.records import Detection

# In pixels of BlazeFace's input. Above it the cascade's proposals add little: of FER2013's cut-off
# faces on photographs 29 instead of 26 % were found at 25 input pixels, 34 instead of 33 % at 33,
# none more at 43; and they take more than half of the time of a search.
_SHOWN = 20


class AutoDetector:
    """The cascade's proposals confirmed by BlazeFace, and BlazeFace's own.

    Where BlazeFace's tiles show even the smallest face well, the cascade is not asked. Near known
    faces it goes first, as the faster of the two, and BlazeFace looks for those that it misses.
    """

    def __init__(self, haar: HaarDetector, blazeface: BlazeFaceDetector) -> None:
        self._haar = haar
        self._blazeface = blazeface

    def detect(self, image_bgr: npt.NDArray[np.uint8], min_face_px: float) -> list[Detection]:
        height, width = image_bgr.shape[:2]
        shown = min_face_px / tiles((width, height), min_face_px)[-1].scale
        proposals = self._haar.propose(image_bgr, min_face_px) if shown < _SHOWN else as_boxes([])
        return self._blazeface.search(image_bgr, min_face_px, proposals)

    def detect_near(self, image_bgr: npt.NDArray[np.uint8], boxes_xyxy: Boxes) -> list[Detection]:
        found = self._haar.detect_near(image_bgr, boxes_xyxy)
        overlap = iou(boxes_xyxy, [face.box_xyxy for face in found])
        missed = as_boxes(boxes_xyxy)[overlap.max(axis=1, initial=0) == 0]
        return found + self._blazeface.detect_near(image_bgr, missed)
