"""Leads a person through the examples: first at rest, then each expression, held for some seconds.

It is driven by the readings of a stream, so its time is that of the media clock: while no face is
read, it waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.words import N_

PREPARE_S = 2.0
"""Time to change one's face before readings of a step count."""

HOLD_S = 3.0
"""How long each face is held."""

LEAST_READINGS = 4
"""Readings of each step; where faces are read rarely a step takes longer."""

MOST_EXPRESSIONS = 3

_APART_S = 0.4
_ALONE_S = 2.0  # after the last reading of another face
_GONE_S, _LOST_S = 1.5, 5.0  # the tracker keeps the number of a face out of view for 1.5 s


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the guide is.

    Attributes:
        emotion: the face to show now; None: it is over.
        seconds_left: until the readings of this face are complete, at the usual rate.
        prepares: whether readings do not count yet.
        crowded: whether it waits until no other face is in view.
        share: how much is done, in [0, 1].
        problem: why it ended early, one line; None: it did not.
    """

    emotion: str | None
    seconds_left: float
    prepares: bool
    crowded: bool = False
    share: float = 0.0
    problem: str | None = None


class Guide:
    """Collects readings of one face (`emorec.calibration.person.Watch`).

    While another face is in view the present step waits, and begins again afterwards. One thread
    gives it readings; another one asks for `progress`.

    Args:
        expressions: to show after the face at rest, at least one and at most
            ``MOST_EXPRESSIONS`` of ``EMOTIONS``.

    Attributes:
        steps: the faces to show, the one at rest first.
        track_id: of the face that is shown; None before the first reading.
        one_track: whether all readings are of this track; else it was out of view for a moment.
        read_s: when it was read last, by the media clock.
        rows: the readings kept.
        labels: what each of them shows.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        chosen = [name for name in expressions if name in EMOTIONS and name != "neutral"]
        if not 1 <= len(chosen) <= MOST_EXPRESSIONS or len(set(chosen)) != len(expressions):
            raise ValueError(f"Expected 1 to {MOST_EXPRESSIONS} expressions. Got {expressions}.")
        self.steps = ("neutral", *chosen)
        self.track_id: int | None = None
        self.one_track = True
        self.read_s = 0.0
        self.rows: list[npt.NDArray[np.float32]] = []
        self.labels: list[str] = []
        self._step = 0
        self._began_s = 0.0
        self._kept_s = self._other_s = self._next_s = -np.inf
        self._newest_id = self._next = 0
        self._progress = Progress("neutral", PREPARE_S + HOLD_S, True)

    @property
    def progress(self) -> Progress:
        return self._progress

    def __call__(self, track_id: int, row: npt.NDArray[np.float32], time_s: float) -> None:
        """Take the next reading of any face in view."""
        if self._progress.emotion is None:
            return
        if self.track_id is None:
            self._take(track_id, time_s)
        if track_id != self.track_id and not self._follows(track_id, time_s):
            return
        if self._next_s >= self.read_s and self._next != track_id:
            self._other_s = time_s  # the new number is another face: this one has not gone
            self._newest_id = max(self._newest_id, self._next)
        self.read_s, self._newest_id = time_s, max(self._newest_id, track_id)
        if time_s - self._other_s < _ALONE_S:
            self._began_s = time_s
            self._tell(-PREPARE_S, crowded=True)
            return
        held_s = time_s - self._began_s - PREPARE_S
        emotion = self.steps[self._step]
        if held_s >= 0 and time_s - self._kept_s >= _APART_S:
            self._kept_s = time_s
            self.rows.append(np.array(row))
            self.labels.append(emotion)
        if held_s >= HOLD_S and self.labels.count(emotion) >= LEAST_READINGS:
            self._step += 1
            self._began_s, held_s = time_s, -PREPARE_S
            if self._step == len(self.steps):
                self._progress = Progress(None, 0.0, False, share=1.0)
                return
        self._tell(held_s)

    def _take(self, track_id: int, time_s: float) -> None:
        self.track_id, self._began_s = track_id, time_s

    def _follows(self, track_id: int, time_s: float) -> bool:
        """Return whether another number is the same face, which was out of view for a moment.

        It is if the face has gone, and this number is new since then, twice in a row.
        """
        gone_s = time_s - self.read_s
        if gone_s > _LOST_S and self.rows:  # it may be somebody else
            problem = N_("Your face was lost for a moment. Begin again.")
            self._progress = Progress(None, 0.0, False, problem=problem)
        elif gone_s > _LOST_S:
            self._take(track_id, time_s)
            return True
        elif track_id <= self._newest_id:
            self._other_s = time_s
        elif self._next == track_id and gone_s > _GONE_S:
            self._take(track_id, time_s)
            self.one_track = self.one_track and not self.rows
            return True
        else:
            self._next, self._next_s = track_id, time_s
        return False

    def _tell(self, held_s: float, crowded: bool = False) -> None:
        left_s = max(HOLD_S - held_s, 0.0)
        done = self._step + 1 - left_s / (PREPARE_S + HOLD_S)
        self._progress = Progress(
            self.steps[self._step], left_s, held_s < 0, crowded, done / len(self.steps)
        )
