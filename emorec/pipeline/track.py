"""Stage 2: which face is which, from frame to frame?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emorec.geometry import Boxes, as_boxes, distinct, iou
from emorec.pipeline.cut import Detail
from emorec.pipeline.follow import Follower
from emorec.pipeline.match import distances, matched
from emorec.records import Detection, Track

_SAME = 0.4  # IoU from which two detections are one face
_BIRTH = 2  # detections before a face is shown
_SUSPECTS = 4  # with caution, places that are confirmed in one frame beside the new ones
_PATIENCE_S = 0.7  # how long a face that is not seen is still shown
_CAUTIOUS_PATIENCE_S = 2.0
_MEMORY_S = 1.5  # for so long it keeps its id: the time to walk past another person
_STALE_S = 1.2  # a face that was only followed for so long, and not detected, is in doubt
_TRIES = 2  # searches near it in vain before its id is given up; with one, 25 people had 26 ids
LONGEST_UNSEEN_S = 5.0
"""After so long a face counts as a new one, however rarely it was searched for: people may have
changed places. Frames that are farther apart are read as single pictures."""

_CONTEST = 0.25  # below this distance a missed face may be the one detected
_DOUBT = 0.06  # added to a distance for each second unseen: prefers the face seen last
_COAST_S = 0.3  # how long a face that is not seen is taken to move on
_COVERED = 0.1  # IoU with a face that is seen from which one that is not stands behind it
_FRAME_S = 0.033  # least time between two corrections
_FOLLOWED_S = 0.8  # over a longer gap the flow finds similar things instead
_JERK = 0.08  # of its side: points that move so far from where the face should be lie on what
# hides it, or the camera was knocked; a search near the face decides
_LEAST_JERK_PX = 3.0
_ALIKE = 0.6  # correlation with its picture from which what was followed is the face still
_SAME_FACE = 0.55
"""Correlation with its picture from which a face found in the place of one that was gone at once is
that face. Seven people had 0.57 or more with another expression, 0.5 with other glasses. Of pairs
of different people 99 % have up to 0.52; in one studio and light 50 % up to 0.42, 95 % up to 0.66.
"""

_AT_ONCE_S = 0.12  # within it another person in a tile is found: such places are searched first
_CHANGED_S = 1.0  # for so long a face that looks different may be hidden by something
_DOUBTFUL = 4  # faces in doubt that are searched for in one frame
_UNPROVEN = 12  # faces detected once that are searched for in one frame: a crowd is shown in three
_PLACE_S = 0.06  # time constant of the place: removes the detector's jitter
_JITTER = 0.12  # of its side: a detection farther off is no jitter, and is taken as it is
_SIZE_S = 0.2  # of the size, which has more jitter and changes less
_VELOCITY_S = 0.1  # of the speed
_TILT_S = 0.2  # of the tilt


@dataclass(eq=False)
class _Candidate:
    box: npt.NDArray[np.float64]
    score: float
    tilt_deg: float
    born_s: float
    seen_s: float  # when it was found or followed last
    found_s: float  # when the detector found it last
    searched_s: float  # when the detector found it, or looked for it near its place, last
    coasts_until_s: float
    track_id: int = 0  # 0: not shown yet
    misses: int = 0  # searches near it that found nothing since it was seen last
    lost: bool = True  # it could not be followed into this frame
    hits: int = 1  # detections that are no mere suspicion
    thumbnail: npt.NDArray[np.float32] | None = None  # as it was found last
    thumbnail_s: float = 0.0  # when that was
    changed: bool = False  # it no longer looks like that: it has turned, or something hides it
    gone: Detail | None = None  # as it was before something else was in its place at once
    gone_s: float = 0.0  # when that was
    velocity: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def at(self, time_s: float) -> npt.NDArray[np.float64]:
        """Return where the face should be by now."""
        moved = self.velocity * (min(time_s, self.coasts_until_s) - self.seen_s)
        return self.box + np.concatenate((moved, moved))  # a fifth of the time of np.tile

    def remains(self, time_s: float, patience_s: float, tries: int) -> bool:
        """Return whether it was seen within the patience, or searched for less often since."""
        return time_s - self.seen_s <= patience_s or self.misses < tries

    def rescale(self, factor: float) -> None:
        """Update the face for a picture that shows the same, so many times as large."""
        self.box, self.velocity = self.box * factor, self.velocity * factor

    def follow(self, box_xyxy: npt.NDArray[np.float64], time_s: float) -> None:
        """Update the face with the place to which the flow has moved it."""
        passed = max(time_s - self.seen_s, 1e-3)
        shift = (box_xyxy - self.box).reshape(2, 2).mean(axis=0)
        self.velocity += (shift / passed - self.velocity) * (1 - np.exp(-passed / _VELOCITY_S))
        self.box, self.lost = box_xyxy, False
        self.seen_s, self.coasts_until_s = time_s, time_s + _COAST_S

    def see(self, detection: Detection, time_s: float, contested: bool) -> None:
        """Update the face with a detection; ``contested``: it may be of another face."""
        # A face that the flow has moved into this frame was seen one frame ago.
        passed = max(time_s - self.seen_s, _FRAME_S)
        expected = self.at(time_s)
        surprise = detection.box_xyxy - expected
        moved = (surprise[:2] + surprise[2:]) / 2
        grown = (surprise[2:] - surprise[:2]) / 2
        place_share, size_share, velocity_share, tilt_share = 1 - np.exp(
            -passed / np.array([_PLACE_S, _SIZE_S, _VELOCITY_S, _TILT_S])
        )
        side = max(expected[2] - expected[0], 1.0)
        jump = float(np.hypot(*moved)) / side / _JITTER
        # Of a face that something hides, the detector finds the part that is left.
        if not self.changed:
            place_share = max(place_share, min(jump**2, 1.0))
            expected = expected + np.concatenate([-grown, grown]) * size_share
        self.box = expected + np.tile(moved, 2) * place_share
        if not contested and not self.changed and self.lost:  # the flow knows the speed better
            self.velocity += moved / passed * velocity_share / 2
        if np.isnan(self.tilt_deg):
            self.tilt_deg = detection.tilt_deg
        elif not np.isnan(detection.tilt_deg):
            turned = (detection.tilt_deg - self.tilt_deg + 180) % 360 - 180
            self.tilt_deg = (self.tilt_deg + turned * tilt_share + 180) % 360 - 180
        self.seen_s = self.found_s = self.searched_s = time_s
        if not self.changed or time_s - self.thumbnail_s > _CHANGED_S:
            self.thumbnail = None  # a new one is due
        self.score, self.misses = detection.score, 0
        self.hits += not detection.suspected
        self.coasts_until_s = time_s + _COAST_S


class Tracker:
    """Follows faces from frame to frame by optical flow and by detections.

    Detections are matched with the places where the faces should be: of all matchings the likeliest
    one. Where the flow is lost, a face is taken to move on at constant velocity.

    A face is shown from its second detection on and for 0.7 s after it was seen last; with caution,
    for 2 s. Until then it has no id; with caution such a place is returned too, by the id 0. A face
    keeps its id for 1.5 s out of view. Ids start at 1 and are never used again.

    Time alone ends no face: when the machine stalls, nothing was searched in that time. So a face
    is hidden only after one search near it in vain, and its id is given up after two, but after 5 s
    in any case. Of 25 different people, read five times a second with a stall of 1 s (2 s) after
    every five seconds, there were 75 (127) ids in 40 s when time alone counted, and there are 25
    (26) now; where five of them are others after each stall, 147 and 53 ids of 50 people
    (benchmarks/stalls.py).
    """

    def __init__(self) -> None:
        self._candidates: list[_Candidate] = []
        self._last_id = 0
        self._before_s = float("nan")  # time of the frame before

    def reset(self) -> None:
        """Forget every face; ids go on."""
        self._candidates.clear()

    def rescale(self, factor: float) -> None:
        """Go on in pictures that show the same, so many times as large."""
        for candidate in self._candidates:
            candidate.rescale(factor)

    def expected(self, time_s: float) -> tuple[Boxes, npt.NDArray[np.float64]]:
        """Return where known faces should be, float64 (n, 4), and how they lean, (n,)."""
        boxes = as_boxes([candidate.at(time_s) for candidate in self._candidates])
        return boxes, np.array([candidate.tilt_deg for candidate in self._candidates])

    def follow(self, follower: Follower, image_gray: npt.NDArray[np.uint8], time_s: float) -> None:
        """Move the faces along with the flow of their points.

        Faces that overlap are not followed: the points of the one behind are on the one in front.
        Neither is a face that the last search near it did not find, nor one whose points no longer
        lie on what the detector found: they stay on a thing that passes in front of it.
        """
        boxes = as_boxes([candidate.box for candidate in self._candidates])
        lately = [c for c in self._candidates if c.thumbnail is None]  # found in the frame before
        shown = follower.thumbnails([candidate.box for candidate in lately])
        for candidate, thumbnail in zip(lately, shown, strict=True):
            candidate.thumbnail, candidate.thumbnail_s = thumbnail, candidate.found_s
        moved, followed = follower.move(image_gray, boxes)
        for number, now in enumerate(follower.thumbnails(moved)):
            candidate = self._candidates[number]
            candidate.changed = bool(candidate.thumbnail @ now < _ALIKE)
            followed[number] &= not candidate.changed
        overlap = iou(boxes, boxes)
        np.fill_diagonal(overlap, 0.0)
        alone = overlap.max(axis=1, initial=0) < _COVERED
        for candidate, box, sure in zip(self._candidates, moved, followed & alone, strict=True):
            surprise = np.abs((box - candidate.at(time_s)).reshape(2, 2).mean(axis=0)).max()
            if not sure and candidate.seen_s == self._before_s:
                candidate.gone, candidate.gone_s = follower.replaced(candidate.box), time_s
            candidate.lost = (
                not sure
                or candidate.misses > 0
                or candidate.gone is not None
                or time_s - candidate.seen_s > _FOLLOWED_S
                or surprise > max(_JERK * (box[2] - box[0]), _LEAST_JERK_PX)
            )
            if not candidate.lost:
                candidate.follow(box, time_s)
        self._before_s = time_s

    def due(self, time_s: float, count: int, cautious: bool = False) -> tuple[list[int], list[int]]:
        """Return near which faces of `expected` to search: those in doubt, then the others.

        Of each, first those in whose place something else is since this frame, then those that
        were searched for longest ago.

        Args:
            time_s: of this frame.
            count: how many of them; four of those in doubt come on top.
            cautious: near all, also those that may be no face.

        Returns:
            Those that are shown, and those that were detected only once. With caution all, and some
            of those that are to be confirmed.
        """
        ahead = [(c.gone is None or c.misses > 0, c.searched_s) for c in self._candidates]
        waiting = sorted(range(len(self._candidates)), key=lambda number: ahead[number])
        unproven = [n for n in waiting if not self._candidates[n].track_id]
        if cautious:
            unproven.sort(key=lambda number: -self._candidates[number].hits)
            return waiting, unproven[:_SUSPECTS]
        doubtful = [n for n in waiting if self._in_doubt(self._candidates[n], time_s)]
        sure = [n for n in waiting if n not in doubtful and n not in unproven]
        # Frames a second apart leave all in doubt. In a file of them 6 of 25 faces were found in a
        # frame when four were searched for, and 25 now.
        doubted = doubtful[: max(_DOUBTFUL, count)]
        left = count - max(len(doubted) - _DOUBTFUL, 0)
        return doubted + sure[:left], unproven[: max(_UNPROVEN, count)]

    @staticmethod
    def _in_doubt(candidate: _Candidate, time_s: float) -> bool:
        stale = time_s - candidate.found_s > _STALE_S
        return bool(candidate.track_id) and (candidate.lost or candidate.misses > 0 or stale)

    def update(
        self,
        detections: Sequence[Detection],
        time_s: float,
        cautious: bool = False,
        near: Sequence[int] = (),
        follower: Follower | None = None,
        at_once: bool = False,
    ) -> tuple[Track, ...]:
        """Match this frame's detections and return this frame's faces by rising id.

        Args:
            detections: of this frame.
            time_s: of this frame.
            cautious: return also what may be no face, and each for longer.
            near: the faces of `expected` that were searched for.
            follower: tells whether a face found is that which was there; None: it is.
            at_once: show a face from its first detection on.
        """
        # The searches near two known faces may find the same one.
        kept = distinct([found.box_xyxy for found in detections], _SAME)
        detections = [detections[number] for number in kept]
        searched = [self._candidates[number] for number in set(near)]
        self._candidates = [c for c in self._candidates if time_s - c.seen_s <= LONGEST_UNSEEN_S]
        expected = as_boxes([candidate.at(time_s) for candidate in self._candidates])
        found_boxes = as_boxes([found.box_xyxy for found in detections])
        unseen_s = np.array([time_s - c.seen_s for c in self._candidates])
        away = distances(expected, found_boxes) + _DOUBT * unseen_s[:, None]
        columns, rows = matched(away)
        strangers = self._strangers(columns, detections, follower, time_s)
        rows[columns[strangers]] = -1
        known = np.setdiff1d(np.arange(len(columns)), strangers)
        self._candidates = [self._candidates[number] for number in known]
        columns, expected = columns[known], expected[known]
        missed = as_boxes(expected[columns < 0])
        for candidate, column in zip(self._candidates, columns, strict=True):
            if column >= 0:
                contested = bool((distances(missed, found_boxes[[column]]) < _CONTEST).any())
                candidate.see(detections[column], time_s, contested)
        for candidate in searched:
            candidate.misses += candidate.found_s != time_s
            candidate.searched_s = time_s
        self._coast_behind(time_s)
        # Only after the matching, so that a face is matched however far apart the frames are.
        patience_s = _CAUTIOUS_PATIENCE_S if cautious else _PATIENCE_S
        memory = (patience_s / 2, 1), (max(patience_s, _MEMORY_S), _TRIES)
        self._candidates = [
            candidate
            for candidate in self._candidates
            if candidate.remains(time_s, *memory[bool(candidate.track_id or cautious)])
        ]
        for found, row in zip(detections, rows, strict=True):
            if row < 0:
                self._candidates.append(
                    _Candidate(
                        found.box_xyxy,
                        found.score,
                        found.tilt_deg,
                        time_s,
                        time_s,
                        time_s,
                        time_s,
                        time_s + _COAST_S,
                        hits=int(not found.suspected),
                    )
                )
        for candidate in self._candidates:
            if not candidate.track_id and candidate.hits >= (1 if at_once else _BIRTH):
                self._last_id += 1
                candidate.track_id = self._last_id
        shown = [
            candidate
            for candidate in self._candidates
            if (candidate.track_id or cautious)
            and candidate.remains(time_s, patience_s, 1)
            and (cautious or candidate.gone is None or not candidate.misses)
        ]
        return tuple(
            Track(
                track_id=c.track_id,
                box_xyxy=c.at(time_s),
                velocity_xy=c.velocity.copy(),
                score=c.score,
                age_s=time_s - c.born_s,
                unseen_s=time_s - c.seen_s,
                tilt_deg=0.0 if np.isnan(c.tilt_deg) else c.tilt_deg,
            )
            for c in sorted(shown, key=lambda c: c.track_id)
        )

    def _strangers(
        self,
        columns: npt.NDArray[np.int32],
        detections: Sequence[Detection],
        follower: Follower | None,
        time_s: float,
    ) -> list[int]:
        """Return the faces in whose place another person was found at once.

        A face that is found there later was hidden by something meanwhile.
        """
        strangers = []
        for number, (candidate, column) in enumerate(zip(self._candidates, columns, strict=True)):
            if column >= 0 and candidate.gone is not None and follower is not None:
                at_once = time_s - candidate.gone_s <= _AT_ONCE_S
                alike = follower.alike(candidate.gone, detections[column].box_xyxy)
                if at_once and alike < _SAME_FACE:
                    strangers.append(number)
                else:
                    candidate.gone = None
        return strangers

    def _coast_behind(self, time_s: float) -> None:
        """Let faces move on that are hidden by another face."""
        seen = as_boxes([c.box for c in self._candidates if c.seen_s == time_s])
        for candidate in self._candidates:
            if candidate.seen_s < time_s:
                covered = iou(candidate.at(time_s), seen) >= _COVERED
                if covered.any():
                    candidate.coasts_until_s = time_s + _COAST_S
