"""All stages in a row: a frame in, a FrameResult out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from emorec.geometry import clip, iou
from emorec.pipeline.classify import Classifier, classify_faces
from emorec.pipeline.crop import crop_faces
from emorec.pipeline.detect import Detector
from emorec.pipeline.smooth import Smoother, label
from emorec.pipeline.track import Tracker
from emorec.records import Box, Face, FrameResult, unclassified
from emorec.settings import Settings

_FULL_SEARCH_S = 0.15  # a newcomer waits no longer than this for the first look
_LOOKS = 12  # known faces looked at in one frame
_FULL_SEARCH_SHARE = 0.25  # of the time that may go into searching the whole picture
_STILL_FACE = 0.8  # side of a known face that is still looked for, over that of a new one


class StageTimes:
    """Milliseconds of each stage of one frame."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = perf_counter()
        try:
            yield
        finally:
            self.ms[stage] = (perf_counter() - began) * 1000


def to_gray(image_bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the picture's luma, uint8 of shape (h, w)."""
    return cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def smallest_face(settings: Settings, size_wh: tuple[int, int]) -> float:
    """Return the side in pixels of the smallest face looked for in a picture of this size."""
    return max(settings.min_face_px, max(size_wh) / 50)


def read_picture(
    image_bgr: npt.NDArray[np.uint8],
    detector: Detector,
    classifier: Classifier,
    settings: Settings,
    unsure_below: float,
) -> FrameResult:
    """Read one picture that has no past: every face found is shown, numbered from left to right."""
    times = StageTimes()
    size_wh = image_bgr.shape[1], image_bgr.shape[0]
    image_gray = to_gray(image_bgr)
    with times("detect"):
        found = detector.detect(image_bgr, smallest_face(settings, size_wh))
        found.sort(key=lambda detection: tuple(detection.box_xyxy))
    boxes = [detection.box_xyxy for detection in found]
    with times("crop"):
        crops = crop_faces(image_gray, boxes)
    with times("classify"):
        probs = classify_faces(classifier, crops)
    faces = tuple(
        Face(
            track_id=number,
            box=to_box(detection.box_xyxy, size_wh),
            score=detection.score,
            age_s=0.0,
            unseen_s=0.0,
            probs_raw=own,
            probs=own,
            emotion=label(own, unsure_below),
        )
        for number, (detection, own) in enumerate(zip(found, probs, strict=True), start=1)
    )
    return FrameResult(0, 0.0, size_wh, faces, True, MappingProxyType(times.ms))


def to_box(box_xyxy: npt.NDArray[np.float64], size_wh: tuple[int, int]) -> Box:
    """Return the box in whole pixels, clipped to the picture."""
    return Box(*np.rint(clip(box_xyxy, size_wh)[0]).astype(int).tolist())


def has_area(box: Box) -> bool:
    """Tell whether there is a pixel in the box."""
    return box.width > 0 and box.height > 0


class Pipeline:
    """Reads the frames of one stream, in the order of their time. Not for several threads."""

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: Settings,
        unsure_below: float,
    ) -> None:
        self.settings = settings
        """May be replaced between two frames."""
        self._detector = detector
        self._classifier = classifier
        self._tracker = Tracker()
        self._smoother = Smoother(unsure_below)
        self._index = 0
        self._next_search_s = float("-inf")

    def reset(self) -> None:
        """Forget the faces, as after a cut; ids and frame numbers go on."""
        self._tracker.reset()
        self._smoother.reset()
        self._next_search_s = float("-inf")

    def update(self, image_bgr: npt.NDArray[np.uint8], time_s: float) -> FrameResult:
        """Read the next frame.

        Args:
            image_bgr: uint8 of shape (h, w, 3).
            time_s: of the media clock; must not fall.
        """
        times, settings = StageTimes(), self.settings
        size_wh = image_bgr.shape[1], image_bgr.shape[0]
        image_gray = to_gray(image_bgr)
        with times("detect"):
            smallest = smallest_face(settings, size_wh)
            expected = self._tracker.expected(time_s)
            expected = expected[expected[:, 2] - expected[:, 0] >= _STILL_FACE * smallest]
            full = settings.cautious or not len(expected) or time_s >= self._next_search_s
            if full:
                began = perf_counter()
                found = self._detector.detect(image_bgr, smallest)
                cost_s = perf_counter() - began
                self._next_search_s = time_s + max(_FULL_SEARCH_S, cost_s / _FULL_SEARCH_SHARE)
                # The look from nearby sees finer, and so finds what the search has just missed.
                overlap = iou(expected, [detection.box_xyxy for detection in found])
                missed = expected[overlap.max(axis=1, initial=0) == 0]
                found += self._detector.detect_near(image_bgr, missed)
            else:
                # In a crowd the faces take turns, so that a frame's cost stays bounded.
                turns = max(1, math.ceil(len(expected) / _LOOKS))
                found = self._detector.detect_near(
                    image_bgr, expected[self._index % turns :: turns]
                )
        with times("track"):
            tracks = [
                track
                for track in self._tracker.update(found, time_s, settings.cautious)
                if has_area(to_box(track.box_xyxy, size_wh))  # else it has left the picture
            ]
        seen = [track for track in tracks if track.unseen_s == 0]
        with times("crop"):
            crops = crop_faces(image_gray, [track.box_xyxy for track in seen])
        with times("classify"):
            read = classify_faces(self._classifier, crops)
        with times("smooth"):
            probs_by_id = {track.track_id: row for track, row in zip(seen, read, strict=True)}
            raw = [probs_by_id.get(track.track_id, unclassified()) for track in tracks]
            smoothed = self._smoother.update(
                [track.track_id for track in tracks],
                np.array(raw, dtype=np.float32).reshape(-1, len(unclassified())),
                time_s,
                settings.smoothing_s,
            )
        faces = tuple(
            Face(
                track_id=track.track_id,
                box=to_box(track.box_xyxy, size_wh),
                score=track.score,
                age_s=track.age_s,
                unseen_s=track.unseen_s,
                probs_raw=own,
                probs=probs,
                emotion=emotion,
                velocity_xy=(float(track.velocity_xy[0]), float(track.velocity_xy[1])),
            )
            for track, own, (probs, emotion) in zip(tracks, raw, smoothed, strict=True)
        )
        self._index += 1
        return FrameResult(
            self._index - 1, time_s, size_wh, faces, full, MappingProxyType(times.ms)
        )
