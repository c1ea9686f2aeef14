"""All stages in a row for the frames of a live picture or a video file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from emorec.geometry import as_boxes, clip
from emorec.pipeline.classify import Calibrate, Classifier, ReadingOrder, classify_faces
from emorec.pipeline.crop import crop_faces, features_inside, share_outside
from emorec.pipeline.cut import Cuts
from emorec.pipeline.detect import Detector
from emorec.pipeline.follow import Follower
from emorec.pipeline.quality import QUALITY, misplaced, unclear
from emorec.pipeline.schedule import Schedule, Work
from emorec.pipeline.search import ALL, FIRST, NEXT, Search
from emorec.pipeline.smooth import Smoother
from emorec.pipeline.track import LONGEST_UNSEEN_S, Tracker
from emorec.records import Box, Detection, Face, FrameResult, Probabilities, Track, unclassified
from emorec.settings import Settings

_LEFT = 0.5  # a face that is not seen has left if this share of it is beyond the border …
_LEAVING_S = 0.15  # … and it was not seen for this long
_SAME_ASPECT = 0.01  # relative difference of aspect ratios up to which they are the same, rounded


class StageTimes:
    """Milliseconds of each stage of one frame."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = self._clock()
        try:
            yield
        finally:
            self.ms[stage] = (self._clock() - began) * 1000


def to_gray(image_bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the picture's luma, uint8 of shape (h, w)."""
    return cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def to_box(box_xyxy: npt.NDArray[np.float64], size_wh: tuple[int, int]) -> Box:
    """Return the box in whole pixels, clipped to the picture."""
    return Box(*np.rint(clip(box_xyxy, size_wh)[0]).astype(int).tolist())


def sides(boxes_xyxy: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the longer side of each box, float64 of shape (n,)."""
    boxes = as_boxes(boxes_xyxy)
    return (boxes[:, 2:] - boxes[:, :2]).max(axis=1)


def in_view(
    tracks: Sequence[Track], size_wh: tuple[int, int], cautious: bool
) -> npt.NDArray[np.bool_]:
    """Return which faces have not left the picture, (n,); with caution all that have a pixel in it.

    All at once: one by one, 25 faces took half of the tracker's time.
    """
    boxes = as_boxes([track.box_xyxy for track in tracks])
    pixels = np.rint(clip(boxes, size_wh))
    seen = (pixels[:, 2:] > pixels[:, :2]).all(axis=1)
    if cautious:
        return np.asarray(seen)
    leaving = np.array([track.unseen_s > _LEAVING_S for track in tracks], dtype=bool)
    return np.asarray(seen & ~(leaving & (share_outside(boxes, size_wh) >= _LEFT)))


def _by_track(
    read: Sequence[int], rows: npt.NDArray[np.float32], tracks: Sequence[Track]
) -> list[Probabilities]:
    """Return the row of each track, as far as it was read."""
    known = dict(zip(read, rows, strict=True))
    return [known.get(track.track_id, unclassified()) for track in tracks]


def _face(
    track: Track,
    probs_raw: Probabilities,
    probs: Probabilities,
    emotion: str | None,
    reason: str | None,
    size_wh: tuple[int, int],
) -> Face:
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


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What is known of a frame before its faces are read.

    Attributes:
        new_scene: whether no face before this frame is one of it.
        suspects: places that may show a face, to be blurred.
        read: ids of the faces to read, ``crops`` what they look like.
        unreadable: by id, why a face cannot be read.
        whole: whether a search of the whole picture ended in this frame.
    """

    index: int
    time_s: float
    size_wh: tuple[int, int]
    new_scene: bool
    tracks: Sequence[Track]
    suspects: Sequence[Track]
    read: Sequence[int]
    crops: npt.NDArray[np.uint8]
    unreadable: Mapping[int, str]
    whole: bool
    smallest_px: float
    smoothing_s: float
    times: StageTimes


class Pipeline:
    """Reads the frames of one stream, in the order of their time. Not for several threads.

    Args:
        detector: finds the faces.
        classifier: reads them.
        settings: how.
        unsure_below: confidence in [0, 1] under which the label is "unsure".
        schedule: shares the time between the kinds of work; None: as a live picture wants it.
        clock: seconds, to see what each kind of work costs.
        calibrate: corrects what was read, before it is smoothed; None: nothing does.

    Attributes:
        settings: may be replaced between two frames.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: Settings,
        unsure_below: float,
        schedule: Schedule | None = None,
        clock: Callable[[], float] = perf_counter,
        calibrate: Calibrate | None = None,
    ) -> None:
        self.settings = settings
        self._classifier = classifier
        self._cuts = Cuts()
        self._tracker = Tracker()
        self._follower = Follower()
        self._search = Search(detector)
        self._detector = detector
        self._order = ReadingOrder()
        self._unreadable: dict[int, str] = {}
        self._new_scene = False
        self._smoother = Smoother(unsure_below)
        self._schedule = schedule or Schedule()
        self._clock = clock
        self._calibrate = calibrate
        self._index = 0
        self._in_view = 0
        self._before_s = float("nan")  # time of the frame before
        self._size_wh: tuple[int, int] | None = None  # its size

    def reset(self) -> None:
        """Forget the faces, as after a cut; ids and frame numbers go on."""
        self._cuts.reset()
        self._forget()

    def _forget(self) -> None:
        self._tracker.reset()
        self._follower.reset()
        self._search.reset()
        self._order.reset()
        self._unreadable = {}
        self._new_scene = True  # the smoother may still be at an earlier frame
        self._schedule.reset()
        self._in_view = 0

    def update(self, image_bgr: npt.NDArray[np.uint8], time_s: float) -> FrameResult:
        """Read the next frame.

        Args:
            image_bgr: uint8 of shape (h, w, 3).
            time_s: of the media clock; must not fall.
        """
        return self.find(image_bgr, time_s)()

    def find(self, image_bgr: npt.NDArray[np.uint8], time_s: float) -> Callable[[], FrameResult]:
        """Find the faces of the next frame.

        Args:
            image_bgr: uint8 of shape (h, w, 3).
            time_s: of the media clock; must not fall.

        Returns:
            Reads the faces, and returns the result. To be called once for each frame, in their
            order. Another thread may call it while this one finds the faces of the next frames.
        """
        times, settings = StageTimes(self._clock), self.settings
        size_wh = image_bgr.shape[1], image_bgr.shape[0]
        image_gray = to_gray(image_bgr)
        with times("follow"):
            alone = time_s - self._before_s > LONGEST_UNSEEN_S
            if self._cuts.update(image_gray, time_s) or alone or not self._goes_on(size_wh):
                self._forget()
            self._before_s, self._size_wh = time_s, size_wh
            self._tracker.follow(self._follower, image_gray, time_s)
            expected, tilts = self._tracker.expected(time_s)
        with times("detect"):
            self._search.prepare(settings, size_wh)
            smallest_px = self._search.smallest_px
            units: dict[Work, int] = {
                "search": len(self._search.patches),
                "near": len(expected),
                "read": self._in_view,
            }
            plan = self._schedule.plan(time_s, units)
            everything = settings.cautious or not self._search.begun
            count = units["search"] if everything else plan["search"]
            with self._spending("search", count):
                whole = self._search.advance(image_bgr, count)
            known, unproven = self._tracker.due(
                time_s, len(expected) if everything else plan["near"], settings.cautious
            )
            with self._spending("near", len(known) + 2 * len(unproven)):
                found = self._detector.detect_near(
                    image_bgr, expected[known], tilts[known], settings.cautious
                )
                # A new face is shown once it was confirmed in two frames, independently.
                places = [Detection(expected[n], 1.0, float(tilts[n])) for n in unproven]
                found += self._detector.confirm(image_bgr, places, settings.cautious)
                # Of two finds of one face the tracker takes the first.
                found.sort(key=lambda detection: detection.suspected)
            how_many = ALL if settings.cautious else FIRST if everything else NEXT
            found += self._search.confirm(image_bgr, expected, time_s, how_many)
        with times("track"):
            tracked = self._tracker.update(
                found, time_s, settings.cautious, known + unproven, self._follower, alone
            )
            seen = [
                track
                for track, inside in zip(
                    tracked, in_view(tracked, size_wh, settings.cautious), strict=True
                )
                if inside and np.ptp(track.box_xyxy[::2]) >= self._search.least_px
            ]
            tracks = [track for track in seen if track.track_id]
            suspects = [track for track in seen if not track.track_id]
            self._in_view = len(tracks)
            if whole:
                boxes = [track.box_xyxy for track in seen]
                self._search.finished(boxes or self._tracker.expected(time_s)[0])
        with times("crop"):
            count = len(tracks) if alone else plan["read"]
            read, crops = self._due(image_gray, tracks, time_s, count)
        index, self._index = self._index, self._index + 1
        new_scene, self._new_scene = self._new_scene, False
        found_here = _Found(
            index,
            time_s,
            size_wh,
            new_scene,
            tracks,
            suspects,
            read,
            crops,
            self._unreadable,
            whole,
            smallest_px,
            settings.smoothing_s,
            times,
        )
        return partial(self._read, found_here)

    def _read(self, found: _Found) -> FrameResult:
        tracks, time_s, times = found.tracks, found.time_s, found.times
        if found.new_scene:
            self._smoother.reset()
        with times("classify"), self._spending("read", len(found.read)):
            said, corrected = classify_faces(
                self._classifier, found.crops, found.read, self._calibrate, time_s
            )
        with times("smooth"):
            raw = _by_track(found.read, said, tracks)
            smoothed = self._smoother.update(
                [track.track_id for track in tracks],
                np.array(_by_track(found.read, corrected, tracks), dtype=np.float32).reshape(
                    -1, len(unclassified())
                ),
                time_s,
                found.smoothing_s,
            )
        faces = tuple(
            _face(track, own, *shown, found.unreadable.get(track.track_id), found.size_wh)
            for track, own, shown in zip(tracks, raw, smoothed, strict=True)
        )
        nothing = unclassified()
        return FrameResult(
            found.index,
            time_s,
            found.size_wh,
            faces,
            found.whole,
            MappingProxyType(times.ms),
            found.smallest_px,
            tuple(
                _face(suspect, nothing, nothing, None, None, found.size_wh)
                for suspect in found.suspects
            ),
        )

    def _goes_on(self, size_wh: tuple[int, int]) -> bool:
        """Rescale what is known if the size has changed; False if the proportions have too."""
        before_wh = self._size_wh or size_wh
        across, down = (now / before for now, before in zip(size_wh, before_wh, strict=True))
        if abs(across / down - 1) > _SAME_ASPECT:
            return False
        if size_wh != before_wh:
            self._tracker.rescale(across)
            self._follower.rescale(size_wh)
        return True

    @contextmanager
    def _spending(self, work: Work, units: int) -> Iterator[None]:
        began = self._clock()
        yield
        self._schedule.spent(work, units, self._clock() - began)

    def _due(
        self,
        image_gray: npt.NDArray[np.uint8],
        tracks: Sequence[Track],
        time_s: float,
        count: int,
    ) -> tuple[list[int], npt.NDArray[np.uint8]]:
        """Return the ids of the faces to read in this frame, and their crops.

        Marks those that cannot be read. The quality of a face is measured when it is due to be
        read, and holds until it is due again.
        """
        size_wh = image_gray.shape[1], image_gray.shape[0]
        boxes = [track.box_xyxy for track in tracks]
        before, self._unreadable = self._unreadable, {}
        in_place: dict[int, Track] = {}
        inside = features_inside(boxes, [track.tilt_deg for track in tracks], size_wh)
        for track, side_px, whole in zip(tracks, sides(boxes), inside, strict=True):
            known = before.get(track.track_id)
            reason = misplaced(float(side_px), bool(whole), known)
            if reason is None:
                in_place[track.track_id] = track
                reason = known if known in QUALITY else None
            if reason is not None:
                self._unreadable[track.track_id] = reason
        seen = [track_id for track_id, track in in_place.items() if track.unseen_s == 0]
        chosen = [in_place[i] for i in self._order.choose(list(in_place), seen, time_s, count)]
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
