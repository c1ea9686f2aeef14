"""Stage 1: where are faces?"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.geometry import Boxes
from emorec.paths import BLAZEFACE
from emorec.pipeline.auto import AutoDetector
from emorec.pipeline.blazeface import BlazeFaceDetector
from emorec.pipeline.haar import HaarDetector
from emorec.records import Detection
from emorec.settings import DETECTORS

Image = npt.NDArray[np.uint8]


class Detector(Protocol):
    """Finds faces in a picture; several threads may use one.

    Whatever finds them, the boxes are framed alike: as FER2013 frames its faces.
    """

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        """Search the whole picture, uint8 (h, w, 3), for faces of this side or more."""
        ...

    def detect_near(self, image_bgr: Image, boxes_xyxy: Boxes) -> list[Detection]:
        """Search only around these boxes (n, 4), for faces of about their size."""
        ...


def make_detector(name: str) -> Detector:
    """Return the detector of this name, one of ``DETECTORS``.

    Where BlazeFace's file is missing, the cascade serves for all: `shortcoming` says so.

    Raises:
        EmorecError: there is no detector of this name.
        ModelError: a file that it needs is damaged, or the cascade is missing.
    """
    if name not in DETECTORS:
        raise EmorecError(f"Expected detector to be {' or '.join(DETECTORS)}. Received {name!r}.")
    if name == "haar" or not BLAZEFACE.is_file():
        return HaarDetector()
    if name == "blazeface":
        return BlazeFaceDetector(BLAZEFACE)
    return AutoDetector(HaarDetector(), BlazeFaceDetector(BLAZEFACE))


def shortcoming(name: str) -> str | None:
    """Return one line if another detector than the one named has to serve, else None."""
    if name == "haar" or BLAZEFACE.is_file():
        return None
    return (
        f"{BLAZEFACE.name}: is missing from {BLAZEFACE.parent}, so only the Haar cascade looks for"
        " faces: it misses tilted and turned ones, and finds some that are none."
    )
