"""All stages in a row: a frame in, a FrameResult out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from emorec.geometry import as_boxes, clip, iou
from emorec.pipeline.classify import Classifier, Turns, classify_faces
from emorec.pipeline.crop import crop_faces, share_outside
from emorec.pipeline.detect import Detector
from emorec.pipeline.quality import LOOKS, misplaced, unclear
from emorec.pipeline.smooth import Smoother, label
from emorec.pipeline.track import Tracker
from emorec.records import Box, Face, FrameResult, Probabilities, Track, unclassified
from emorec.settings import Settings

_FULL_SEARCH_S = 0.18  # a newcomer waits no longer than this for the first look
_LOOKS = 12  # known faces looked at in one frame
_LOOK_EVERY_S = 0.3  # … and more, if frames come so seldom that each waited longer than this
_FULL_SEARCH_SHARE = 0.25  # of the time that may go into searching the whole picture
_STILL_FACE = 0.8  # side of a known face that is still looked for, over that of a new one
_LEFT = 0.5  # share of a face beyond the border from which one that is not seen has left …
_LEAVING_S = 0.15  # … once it was not seen for this long


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
        crops = crop_faces(image_gray, boxes, [detection.tilt_deg for detection in found])
        reasons = [
            misplaced(float(side_px), float(outside)) or unclear(crop)
            for side_px, outside, crop in zip(
                sides(boxes), share_outside(boxes, size_wh), crops, strict=True
            )
        ]
    with times("classify"):
        clear = np.array([reason is None for reason in reasons], dtype=bool)
        probs = np.tile(unclassified(), (len(found), 1))
        probs[clear] = classify_faces(classifier, crops[clear])
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
            unreadable=reason,
        )
        for number, (detection, own, reason) in enumerate(
            zip(found, probs, reasons, strict=True), start=1
        )
    )
    return FrameResult(0, 0.0, size_wh, faces, True, MappingProxyType(times.ms))


def to_box(box_xyxy: npt.NDArray[np.float64], size_wh: tuple[int, int]) -> Box:
    """Return the box in whole pixels, clipped to the picture."""
    return Box(*np.rint(clip(box_xyxy, size_wh)[0]).astype(int).tolist())


def sides(boxes_xyxy: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the longer side of each box, float64 of shape (n,)."""
    boxes = as_boxes(boxes_xyxy)
    return (boxes[:, 2:] - boxes[:, :2]).max(axis=1)


def has_area(box: Box) -> bool:
    """Tell whether there is a pixel in the box."""
    return box.width > 0 and box.height > 0


def has_left(track: Track, size_wh: tuple[int, int], cautious: bool) -> bool:
    """Tell whether a face is beyond the border; with caution only if no pixel of it remains."""
    if not has_area(to_box(track.box_xyxy, size_wh)):
        return True
    outside = float(share_outside(track.box_xyxy, size_wh)[0])
    return not cautious and track.unseen_s > _LEAVING_S and outside >= _LEFT


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
        self._turns = Turns()
        self._unreadable: dict[int, str] = {}
        self._smoother = Smoother(unsure_below)
        self._index = 0
        self._turn = 0
        self._time_s = float("-inf")
        self._next_search_s = float("-inf")

    def reset(self) -> None:
        """Forget the faces, as after a cut; ids and frame numbers go on."""
        self._tracker.reset()
        self._turns.reset()
        self._unreadable.clear()
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
            expected = self._tracker.expected(time_s, settings.cautious)
            expected = expected[expected[:, 2] - expected[:, 0] >= _STILL_FACE * smallest]
            searched = 0
            full = settings.cautious or not len(expected) or time_s >= self._next_search_s
            if full:
                began = perf_counter()
                found = self._detector.detect(image_bgr, smallest)
                cost_s = perf_counter() - began
                searched = len(found)
                self._next_search_s = time_s + max(_FULL_SEARCH_S, cost_s / _FULL_SEARCH_SHARE)
                # The look from nearby sees finer, and so finds what the search has just missed.
                overlap = iou(expected, [detection.box_xyxy for detection in found])
                missed = expected[overlap.max(axis=1, initial=0) == 0]
                found += self._detector.detect_near(image_bgr, missed)
            else:
                # In a crowd the faces take turns, so that a frame's cost stays bounded; the slower
                # the frames come, the more of them in each.
                passed_s = time_s - self._time_s
                looks = max(_LOOKS, math.ceil(len(expected) * passed_s / _LOOK_EVERY_S))
                turns = max(1, math.ceil(len(expected) / looks))
                self._turn = (self._turn + 1) % turns  # by no clock that the searches share
                found = self._detector.detect_near(image_bgr, expected[self._turn :: turns])
        with times("track"):
            tracks = [
                track
                for track in self._tracker.update(found, time_s, settings.cautious, searched)
                if not has_left(track, size_wh, settings.cautious)
            ]
        with times("crop"):
            read, crops = self._due(image_gray, tracks, time_s)
        with times("classify"):
            began = perf_counter()
            new = classify_faces(self._classifier, crops)
            self._turns.spent(len(read), perf_counter() - began)
        with times("smooth"):
            probs_by_id = dict(zip(read, new, strict=True))
            raw = [probs_by_id.get(track.track_id, unclassified()) for track in tracks]
            smoothed = self._smoother.update(
                [track.track_id for track in tracks],
                np.array(raw, dtype=np.float32).reshape(-1, len(unclassified())),
                time_s,
                settings.smoothing_s,
            )
        faces = tuple(
            self._face(track, own, *shown, size_wh)
            for track, own, shown in zip(tracks, raw, smoothed, strict=True)
        )
        self._index += 1
        self._time_s = time_s
        return FrameResult(
            self._index - 1, time_s, size_wh, faces, full, MappingProxyType(times.ms)
        )

    def _due(
        self, image_gray: npt.NDArray[np.uint8], tracks: Sequence[Track], time_s: float
    ) -> tuple[list[int], npt.NDArray[np.uint8]]:
        """Return the ids of the faces to be read in this frame and their crops.

        Marks those that cannot be read. How a face looks is known only once it is its turn; until
        the next, what was found holds.
        """
        size_wh = image_gray.shape[1], image_gray.shape[0]
        boxes = [track.box_xyxy for track in tracks]
        before, self._unreadable = self._unreadable, {}
        in_place: dict[int, Track] = {}
        for track, side_px, outside in zip(
            tracks, sides(boxes), share_outside(boxes, size_wh), strict=True
        ):
            known = before.get(track.track_id)
            reason = misplaced(float(side_px), float(outside), known)
            if reason is None:
                in_place[track.track_id] = track
                reason = known if known in LOOKS else None
            if reason is not None:
                self._unreadable[track.track_id] = reason
        seen = [track_id for track_id, track in in_place.items() if track.unseen_s == 0]
        chosen = [in_place[i] for i in self._turns.choose(list(in_place), seen, time_s)]
        crops = crop_faces(
            image_gray,
            [track.box_xyxy for track in chosen],
            [track.tilt_deg for track in chosen],
        )
        reasons = [
            unclear(crop, before.get(track.track_id))
            for track, crop in zip(chosen, crops, strict=True)
        ]
        for track, reason in zip(chosen, reasons, strict=True):
            self._unreadable.pop(track.track_id, None)
            if reason is not None:
                self._unreadable[track.track_id] = reason
        clear = [reason is None for reason in reasons]
        return [t.track_id for t, c in zip(chosen, clear, strict=True) if c], crops[clear]

    def _face(
        self,
        track: Track,
        probs_raw: Probabilities,
        probs: Probabilities,
        emotion: str | None,
        size_wh: tuple[int, int],
    ) -> Face:
        reason = self._unreadable.get(track.track_id)
        if reason is not None:
            # The smoother keeps what was read before, for when the face can be read again.
            probs, emotion = unclassified(), None
        return Face(
            track_id=track.track_id,
            box=to_box(track.box_xyxy, size_wh),
            score=track.score,
            age_s=track.age_s,
            unseen_s=track.unseen_s,
            probs_raw=probs_raw,
            probs=probs,
            emotion=emotion,
            velocity_xy=(float(track.velocity_xy[0]), float(track.velocity_xy[1])),
            unreadable=reason,
        )
