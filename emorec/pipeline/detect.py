"""Stage 1: where are faces?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.geometry import Boxes
from emorec.paths import BLAZEFACE, FACE_CHECK
from emorec.pipeline.blazeface import BlazeFaceDetector
from emorec.pipeline.haar import HaarDetector
from emorec.pipeline.tiles import Patch
from emorec.records import Detection
from emorec.settings import DETECTORS

Image = npt.NDArray[np.uint8]


class Detector(Protocol):
    """Finds faces in a picture, uint8 (h, w, 3); several threads may use one.

    Every detector frames the boxes alike: as FER2013 frames its faces.
    """

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        """Search the whole picture at once for faces of this side or more."""
        ...

    def patches(
        self, size_wh: tuple[int, int], min_face_px: float, cautious: bool = False
    ) -> list[Patch]:
        """Return the parts of a whole search; with caution for faces half in the picture too."""
        ...

    def search(self, image_bgr: Image, patch: Patch) -> list[Detection]:
        """Return the places in one part of the picture where a face may be."""
        ...

    def confirm(
        self, image_bgr: Image, places: Sequence[Detection], cautious: bool = False
    ) -> list[Detection]:
        """Return the faces among such places; with caution also doubtful ones, as suspected."""
        ...

    def detect_near(
        self,
        image_bgr: Image,
        boxes_xyxy: Boxes,
        tilts_deg: npt.ArrayLike | None = None,
        cautious: bool = False,
    ) -> list[Detection]:
        """Search only around known faces, for faces of about their size.

        Args:
            image_bgr: the picture.
            boxes_xyxy: of shape (n, 4).
            tilts_deg: of shape (n,), how far each leans as in `Detection`; None: unknown.
            cautious: whether of a face half may be beyond the border. What is found is suspected
                then: such a search does not tell a known face from a thing.
        """
        ...


def make_detector(name: str) -> Detector:
    """Return the detector of this name, one of ``DETECTORS``.

    Where a file of BlazeFace's is missing, the Haar cascade replaces it: `shortcoming` says so.

    Raises:
        EmorecError: there is no detector of this name.
        ModelError: a file that it needs is damaged, or the cascade is missing.
    """
    if name not in DETECTORS:
        raise EmorecError(f"Expected detector to be {' or '.join(DETECTORS)}. Received {name!r}.")
    if name == "haar" or missing():
        return HaarDetector() if missing() else HaarUnlessCautious()
    return BlazeFaceDetector(BLAZEFACE, FACE_CHECK)


class HaarUnlessCautious:
    """The Haar cascade; with caution BlazeFace, as the cascade misses tilted and half faces."""

    def __init__(self) -> None:
        self._haar, self._blazeface = HaarDetector(), BlazeFaceDetector(BLAZEFACE, FACE_CHECK)

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        return self._haar.detect(image_bgr, min_face_px)

    def patches(
        self, size_wh: tuple[int, int], min_face_px: float, cautious: bool = False
    ) -> list[Patch]:
        return self._one(cautious).patches(size_wh, min_face_px, cautious)

    def search(self, image_bgr: Image, patch: Patch) -> list[Detection]:
        return self._one(patch.cautious).search(image_bgr, patch)

    def confirm(
        self, image_bgr: Image, places: Sequence[Detection], cautious: bool = False
    ) -> list[Detection]:
        return self._one(cautious).confirm(image_bgr, places, cautious)

    def detect_near(
        self,
        image_bgr: Image,
        boxes_xyxy: Boxes,
        tilts_deg: npt.ArrayLike | None = None,
        cautious: bool = False,
    ) -> list[Detection]:
        return self._one(cautious).detect_near(image_bgr, boxes_xyxy, tilts_deg, cautious)

    def _one(self, cautious: bool) -> Detector:
        return self._blazeface if cautious else self._haar


def missing() -> Path | None:
    """Return a file that BlazeFace needs and that is missing; None where none is."""
    return next((file for file in (BLAZEFACE, FACE_CHECK) if not file.is_file()), None)


def shortcoming(name: str) -> str | None:
    """Return one line if another detector replaces the one named, else None."""
    if name == "haar" or not (file := missing()):
        return None
    return (
        f"{file.name}: is missing from {file.parent}, so only the Haar cascade looks for"
        " faces: it misses tilted and turned ones, and finds some that are none."
    )
