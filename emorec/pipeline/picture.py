"""All stages in a row for a picture by itself, as a photo is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from time import perf_counter
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from emorec.geometry import as_boxes, reading_order
from emorec.pipeline.classify import Calibrate, Classifier, classify_faces
from emorec.pipeline.crop import crop_faces, features_inside
from emorec.pipeline.detect import Detector
from emorec.pipeline.pipeline import StageTimes, sides, to_box, to_gray
from emorec.pipeline.quality import misplaced, unclear
from emorec.pipeline.search import ALL, Search
from emorec.pipeline.smooth import label
from emorec.records import Detection, Face, FrameResult, unclassified
from emorec.settings import Settings


class PicturePipeline:
    """Reads pictures that have nothing to do with each other: every face found is shown.

    Args:
        detector: finds the faces.
        classifier: reads them.
        settings: how; may be replaced between two pictures.
        unsure_below: confidence in [0, 1] under which the label is "unsure".
        calibrate: corrects what was read; None: nothing does.
        clock: seconds, to tell how long the stages took.
        pool: threads that search parts of a picture at once; None: the caller's searches all.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: Settings,
        unsure_below: float,
        calibrate: Calibrate | None = None,
        clock: Callable[[], float] = perf_counter,
        pool: Executor | None = None,
    ) -> None:
        self.settings = settings
        self._detector = detector
        self._classifier = classifier
        self._unsure_below = unsure_below
        self._calibrate = calibrate
        self._clock = clock
        self._pool = pool

    def update(self, image_bgr: npt.NDArray[np.uint8], time_s: float = 0.0) -> FrameResult:
        """Read a picture; its faces are numbered row by row, from left to right.

        Args:
            image_bgr: uint8 of shape (h, w, 3).
            time_s: kept in the result.
        """
        times = StageTimes(self._clock)
        size_wh = image_bgr.shape[1], image_bgr.shape[0]
        image_gray = to_gray(image_bgr)
        with times("detect"):
            found, smallest_px = self._find(image_bgr, size_wh)
        boxes = [detection.box_xyxy for detection in found]
        tilts = [detection.tilt_deg for detection in found]
        with times("crop"):
            crops = crop_faces(image_gray, boxes, tilts)
            reasons = [
                misplaced(float(side_px), bool(inside)) or unclear(crop)
                for side_px, inside, crop in zip(
                    sides(boxes), features_inside(boxes, tilts, size_wh), crops, strict=True
                )
            ]
        with times("classify"):
            clear = np.array([reason is None for reason in reasons], dtype=bool)
            raw, probs = (np.tile(unclassified(), (len(found), 1)) for _ in range(2))
            ids = (np.flatnonzero(clear) + 1).tolist()
            raw[clear], probs[clear] = classify_faces(
                self._classifier, crops[clear], ids, self._calibrate, time_s
            )
        faces = tuple(
            Face(
                track_id=number,
                box=to_box(detection.box_xyxy, size_wh),
                score=detection.score,
                age_s=0.0,
                unseen_s=0.0,
                probs_raw=said,
                probs=own,
                emotion=label(own, self._unsure_below),
                unreadable=reason,
            )
            for number, (detection, said, own, reason) in enumerate(
                zip(found, raw, probs, reasons, strict=True), start=1
            )
        )
        stage_ms = MappingProxyType(times.ms)
        return FrameResult(0, time_s, size_wh, faces, True, stage_ms, smallest_px)

    def find(
        self, image_bgr: npt.NDArray[np.uint8], time_s: float = 0.0
    ) -> Callable[[], FrameResult]:
        """Return what finds and reads the faces, as `update` does."""
        return partial(self.update, image_bgr, time_s)

    def _find(
        self, image_bgr: npt.NDArray[np.uint8], size_wh: tuple[int, int]
    ) -> tuple[list[Detection], float]:
        """Return the faces in their order, and the side of the smallest that was looked for."""
        search = Search(self._detector, self._pool)
        search.prepare(self.settings, size_wh)
        found: list[Detection] = []
        finer = True
        while finer:
            smallest_px = search.smallest_px
            search.advance(image_bgr, len(search.patches))
            known = as_boxes([detection.box_xyxy for detection in found])
            found += search.confirm(image_bgr, known, 0.0, ALL)
            finer = search.finished([detection.box_xyxy for detection in found])
        order = reading_order([detection.box_xyxy for detection in found])
        return [found[index] for index in order], smallest_px
