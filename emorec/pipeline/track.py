"""Stage 2: which face is which, from frame to frame?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emorec.geometry import as_boxes, iou, square
from emorec.records import Detection, Track

_REACH = 1.6  # boxes are compared this much larger, so that one fully jumped out of still meets
_OVERLAP = 0.2  # IoU of those from which a detection may be the face expected there
_SAME = 0.4  # IoU from which two detections are one face
_BIRTH = 2  # detections before a face is believed
_PATIENCE_S = 0.7  # how long a face that is not seen is still expected
_CAUTIOUS_PATIENCE_S = 2.0
_GAP_S = 2.0  # after so long without a look, nothing says that a face is the same
_COAST_S = 0.3  # how long a face that is not seen is taken to move on
_PLACE_S = 0.06  # time constant of the place: takes the detector's tremor out
_SIZE_S = 0.2  # of the size, which trembles more and changes less
_VELOCITY_S = 0.1  # of the speed


@dataclass(eq=False)
class _Candidate:
    box: npt.NDArray[np.float64]
    score: float
    born_s: float
    seen_s: float
    track_id: int = 0  # 0: not yet believed
    hits: int = 1
    velocity: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def at(self, time_s: float) -> npt.NDArray[np.float64]:
        """Return where the face should be by now."""
        return self.box + np.tile(self.velocity, 2) * min(time_s - self.seen_s, _COAST_S)

    def see(self, detection: Detection, time_s: float) -> None:
        passed = max(time_s - self.seen_s, 1e-3)
        expected = self.at(time_s)
        surprise = detection.box_xyxy - expected
        moved = (surprise[:2] + surprise[2:]) / 2
        grown = (surprise[2:] - surprise[:2]) / 2
        moved_share, grown_share, velocity_share = 1 - np.exp(
            -passed / np.array([_PLACE_S, _SIZE_S, _VELOCITY_S])
        )
        self.box = expected + np.tile(moved, 2) * moved_share
        self.box += np.concatenate([-grown, grown]) * grown_share
        self.velocity += moved / passed * velocity_share / 2
        self.seen_s, self.score, self.hits = time_s, detection.score, self.hits + 1


class Tracker:
    """Follows faces by where they should be: constant velocity, greedy matching by overlap.

    A face is reported from its second detection on and for 0.7 s after its last; with caution,
    from its first and for 2 s. Ids start at 1 and are never used again.
    """

    def __init__(self) -> None:
        self._candidates: list[_Candidate] = []
        self._last_id = 0

    def reset(self) -> None:
        """Forget every face; ids go on."""
        self._candidates.clear()

    def expected(self, time_s: float) -> npt.NDArray[np.float64]:
        """Return where known faces should be at this time, float64 of shape (n, 4)."""
        return as_boxes([candidate.at(time_s) for candidate in self._candidates])

    def update(
        self, detections: Sequence[Detection], time_s: float, cautious: bool = False
    ) -> tuple[Track, ...]:
        """Match this frame's detections and return this frame's faces by rising id."""
        detections = _distinct(detections)
        self._candidates = [c for c in self._candidates if time_s - c.seen_s <= _GAP_S]
        found_boxes = as_boxes([found.box_xyxy for found in detections])
        overlap = iou(square(self.expected(time_s), _REACH), square(found_boxes, _REACH))
        unmatched = set(range(len(detections)))
        free = set(range(len(self._candidates)))
        for flat in np.argsort(-overlap, axis=None, kind="stable"):
            row, column = divmod(int(flat), len(detections))
            if overlap[row, column] < _OVERLAP:
                break
            if row in free and column in unmatched:
                free.discard(row)
                unmatched.discard(column)
                self._candidates[row].see(detections[column], time_s)
        # Only now, so that a face is met again however far apart the frames are.
        patience_s = _CAUTIOUS_PATIENCE_S if cautious else _PATIENCE_S
        self._candidates = [
            candidate
            for candidate in self._candidates
            if time_s - candidate.seen_s <= (patience_s if candidate.track_id else patience_s / 2)
        ]
        for column in sorted(unmatched):
            found = detections[column]
            self._candidates.append(_Candidate(found.box_xyxy, found.score, time_s, time_s))
        for candidate in self._candidates:
            if not candidate.track_id and (cautious or candidate.hits >= _BIRTH):
                self._last_id += 1
                candidate.track_id = self._last_id
        believed = sorted((c for c in self._candidates if c.track_id), key=lambda c: c.track_id)
        return tuple(
            Track(
                track_id=c.track_id,
                box_xyxy=c.at(time_s),
                velocity_xy=c.velocity.copy(),
                score=c.score,
                age_s=time_s - c.born_s,
                unseen_s=time_s - c.seen_s,
            )
            for c in believed
        )


def _distinct(detections: Sequence[Detection]) -> list[Detection]:
    """Drop all but the first detection of each face: two known faces may lead to the same one."""
    boxes = as_boxes([found.box_xyxy for found in detections])
    same = iou(boxes, boxes) >= _SAME
    kept: list[int] = []
    for number in range(len(detections)):
        if not same[number, kept].any():
            kept.append(number)
    return [detections[number] for number in kept]
