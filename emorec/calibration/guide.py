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
_LOST_S = 5.0  # by the media clock, between two readings


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the guide is.

    Attributes:
        emotion: the face to show now; None: it is over.
        seconds_left: until the readings of this face are complete, at the usual rate.
        prepares: whether readings do not count yet.
        problem: why it ended early, one line; None: it did not.
    """

    emotion: str | None
    seconds_left: float
    prepares: bool
    problem: str | None = None


class Guide:
    """Collects readings of one face (`emorec.calibration.person.Watch`).

    One thread gives it readings; another one asks for `progress`.

    Args:
        expressions: to show after the face at rest, at least one and at most
            ``MOST_EXPRESSIONS`` of ``EMOTIONS``.

    Attributes:
        track_id: of the face that is shown; None before the first reading.
        rows: the readings kept.
        labels: what each of them shows.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        steps = [name for name in expressions if name in EMOTIONS and name != "neutral"]
        if not 1 <= len(steps) <= MOST_EXPRESSIONS or len(set(steps)) != len(expressions):
            raise ValueError(f"Expected 1 to {MOST_EXPRESSIONS} expressions. Got {expressions}.")
        self.track_id: int | None = None
        self.rows: list[npt.NDArray[np.float32]] = []
        self.labels: list[str] = []
        self._steps = ["neutral", *steps]
        self._step = 0
        self._began_s = self._last_s = 0.0
        self._kept_s = -np.inf
        self._progress = Progress("neutral", PREPARE_S + HOLD_S, True)

    @property
    def progress(self) -> Progress:
        return self._progress

    def __call__(self, track_id: int, row: npt.NDArray[np.float32], time_s: float) -> None:
        """Take the next reading of any face in view."""
        if self._progress.emotion is None:
            return
        if self.track_id is None:
            self.track_id, self._began_s, self._last_s = track_id, time_s, time_s
        if track_id != self.track_id:
            self._end(
                N_("Your face was lost, or another one is in view: only yours may be. Begin again.")
            )
            return
        if time_s - self._last_s > _LOST_S:
            self._end(N_("Your face was out of view for too long. Begin again."))
            return
        self._last_s = time_s
        held_s = time_s - self._began_s - PREPARE_S
        emotion = self._steps[self._step]
        if held_s >= 0 and time_s - self._kept_s >= _APART_S:
            self._kept_s = time_s
            self.rows.append(np.array(row))
            self.labels.append(emotion)
        if held_s >= HOLD_S and self.labels.count(emotion) >= LEAST_READINGS:
            self._step += 1
            self._began_s, held_s = time_s, -PREPARE_S
            if self._step == len(self._steps):
                self._end(None)
                return
        self._progress = Progress(self._steps[self._step], max(HOLD_S - held_s, 0.0), held_s < 0)

    def _end(self, problem: str | None) -> None:
        self._progress = Progress(None, 0.0, False, problem)
