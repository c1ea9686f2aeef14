"""Stage 2: which face is which, from frame to frame?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emorec.geometry import as_boxes, iou
from emorec.records import Detection, Track

_OVERLAP = 0.2  # IoU from which a detection may be the face expected there
_BIRTH = 2  # detections before a face is believed
_PATIENCE_S = 0.7  # how long a face that is not seen is still expected
_CAUTIOUS_PATIENCE_S = 2.0
_SMOOTHING_S = 0.06  # time constant of the box: takes the detector's tremor out
_VELOCITY_S = 0.15  # time constant of the speed


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
        return self.box + np.tile(self.velocity, 2) * (time_s - self.seen_s)

    def see(self, detection: Detection, time_s: float) -> None:
        passed = max(time_s - self.seen_s, 1e-3)
        expected = self.at(time_s)
        surprise = detection.box_xyxy - expected
        self.box = expected + surprise * (1 - np.exp(-passed / _SMOOTHING_S))
        middle = (surprise[:2] + surprise[2:]) / 2
        self.velocity += middle / passed * (1 - np.exp(-passed / _VELOCITY_S)) * 0.5
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
        patience_s = _CAUTIOUS_PATIENCE_S if cautious else _PATIENCE_S
        self._candidates = [
            candidate
            for candidate in self._candidates
            if time_s - candidate.seen_s <= (patience_s if candidate.track_id else patience_s / 2)
        ]
        overlap = iou(self.expected(time_s), [found.box_xyxy for found in detections])
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
