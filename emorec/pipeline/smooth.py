"""Stage 5: a steady label out of probabilities that vary from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.pipeline.track import LONGEST_UNSEEN_S
from emorec.records import Probabilities

_HOLD = 0.08  # by which a new label must be likelier, and by which the shown one may fall short


@dataclass(eq=False)
class _Past:
    probs: Probabilities
    time_s: float
    seen_s: float
    emotion: str | None


def label(probs: Probabilities, unsure_below: float, shown: str | None = None) -> str | None:
    """Choose the label to show, or None where no emotion is likely enough.

    Args:
        probs: float32 of shape (7,).
        unsure_below: a new label needs at least this probability, in [0, 1].
        shown: the label shown now; it stays until another one is clearly likelier or its own
            probability is clearly too low, so that the label does not flicker.
    """
    if np.isnan(probs).any():
        return None
    best = int(probs.argmax())
    if shown is not None:
        own = float(probs[EMOTIONS.index(shown)])
        if own >= unsure_below - _HOLD and probs[best] - own < _HOLD:
            return shown
    return EMOTIONS[best] if probs[best] >= unsure_below else None


class Smoother:
    """Averages each face's probabilities over time and holds its label.

    Time counts in seconds, not frames, so that a slow machine shows the same as a fast one.
    """

    def __init__(self, unsure_below: float) -> None:
        self._unsure_below = unsure_below
        self._past: dict[int, _Past] = {}

    def reset(self) -> None:
        """Forget every face."""
        self._past.clear()

    def update(
        self,
        track_ids: Sequence[int],
        probs_raw: npt.NDArray[np.float32],
        time_s: float,
        smoothing_s: float,
    ) -> list[tuple[Probabilities, str | None]]:
        """Return smoothed probabilities and label of each face of this frame.

        A face that is not in this frame keeps its past for as long as the tracker may keep its id;
        one that is, but cannot be read, for as long as it is followed.

        Args:
            track_ids: of the faces of this frame.
            probs_raw: float32 of shape (n, 7); an all-NaN row (not read now) leaves the past.
            time_s: of this frame.
            smoothing_s: time constant; 0 takes each frame as it is.
        """
        self._past = {
            track_id: past
            for track_id, past in self._past.items()
            if time_s - past.seen_s <= LONGEST_UNSEEN_S
        }
        for track_id in track_ids:
            if track_id in self._past:
                self._past[track_id].seen_s = time_s
        return [
            self._one(track_id, probs, time_s, smoothing_s)
            for track_id, probs in zip(track_ids, probs_raw, strict=True)
        ]

    def _one(
        self, track_id: int, raw: Probabilities, time_s: float, smoothing_s: float
    ) -> tuple[Probabilities, str | None]:
        past = self._past.get(track_id)
        if np.isnan(raw).any():
            return (raw, None) if past is None else (past.probs, past.emotion)
        if past is None or smoothing_s == 0:
            probs, shown = raw, past.emotion if past else None
        else:
            share = 1 - np.exp(-max(time_s - past.time_s, 0.0) / smoothing_s)
            probs = (past.probs + share * (raw - past.probs)).astype(np.float32)
            shown = past.emotion
        emotion = label(probs, self._unsure_below, shown)
        self._past[track_id] = _Past(probs, time_s, time_s, emotion)
        return probs, emotion
