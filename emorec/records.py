"""What passes between the stages: frozen records, no picture in any of them.

This module imports nothing heavy, so every part of the project can use the records without loading
OpenCV, a runtime or a web framework. Records pickle, copy and pass between processes; a copy is as
read-only as its original.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, UNSURE, VALENCE

if TYPE_CHECKING:
    import pandas as pd

Probabilities = npt.NDArray[np.float32]
"""float32 of shape (7,) in ``EMOTIONS`` order, summing to 1; all NaN = not classified."""

UNREADABLE = ("too small", "too dark", "too noisy", "too blurred", "partly hidden", "cut off")
"""Why a face may be followed but not labelled."""

_VALENCE = np.array([VALENCE[emotion] for emotion in EMOTIONS], dtype=np.float32)


class Box(NamedTuple):
    """A rectangle in pixels, half-open: column ``x2`` and row ``y2`` are the first ones outside."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def width(self) -> int:
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        return self.y2 - self.y1


class Record:
    """What the frozen data classes below share: how they are pickled and copied.

    Pickle and `copy` call the constructor again, so that it makes the arrays and mappings of every
    copy read-only too.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        own = fields(self)  # type: ignore[arg-type]  # every subclass is a data class
        values = (getattr(self, part.name) for part in own)
        # Python pickles no mapping proxy, so a mapping travels as a dict.
        return type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)


@dataclass(frozen=True, slots=True, eq=False)
class Detection(Record):
    """A face found in one frame.

    Attributes:
        box_xyxy: float64 of shape (4,), pixels of the frame.
        score: the detector's confidence in [0, 1]; NaN where it gives none.
        tilt_deg: how far the head leans, from -180 to 180 degrees, positive where its top leans to
            the picture's right; NaN where the detector cannot tell.
    """

    box_xyxy: npt.NDArray[np.float64]
    score: float
    tilt_deg: float = float("nan")

    def __post_init__(self) -> None:
        self.box_xyxy.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Track(Record):
    """A face followed over frames.

    Attributes:
        track_id: 1 or more, unique in a session, never used again.
        box_xyxy: float64 of shape (4,): where the face is taken to be in this frame.
        velocity_xy: float64 of shape (2,): pixels a second of the box's centre.
        score: of the newest detection.
        age_s: seconds since the face was first seen.
        unseen_s: seconds since it was last found or followed; 0 = in this frame.
        tilt_deg: how far the head leans, as in `Detection`; 0 where nobody could tell.
    """

    track_id: int
    box_xyxy: npt.NDArray[np.float64]
    velocity_xy: npt.NDArray[np.float64]
    score: float
    age_s: float
    unseen_s: float
    tilt_deg: float = 0.0

    def __post_init__(self) -> None:
        for numbers in (self.box_xyxy, self.velocity_xy):
            numbers.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Face(Record):
    """One face in one frame: where, who of those in view, and how it looks.

    Attributes:
        track_id: 1 or more, unique in a session, never used again.
        box: pixels of the frame, clipped to it.
        score: the detector's confidence in [0, 1]; NaN where it gives none.
        age_s: seconds since the face was first seen.
        unseen_s: seconds since it was last found or followed; 0 = in this frame.
        probs_raw: of this frame alone.
        probs: smoothed over time.
        emotion: the label to show; None ("unsure") where the evidence does not carry one. It
            cannot be derived from ``probs``: a label once shown is held a little longer.
        velocity_xy: pixels a second of the box's centre, to draw it on a later frame.
        unreadable: why the face is followed but not labelled: one of ``UNREADABLE``, and then it
            is not classified either; None where it can be read.
        name: None unless the person was recognised.
    """

    track_id: int
    box: Box
    score: float
    age_s: float
    unseen_s: float
    probs_raw: Probabilities
    probs: Probabilities
    emotion: str | None
    velocity_xy: tuple[float, float] = (0.0, 0.0)
    unreadable: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        for probs in (self.probs_raw, self.probs):
            probs.setflags(write=False)

    @property
    def classified(self) -> bool:
        return not bool(np.isnan(self.probs).any())

    @property
    def says(self) -> str:
        """In words: the label, or "unsure", or "unreadable" and why."""
        return f"unreadable: {self.unreadable}" if self.unreadable else self.emotion or UNSURE

    @property
    def confidence(self) -> float:
        """Probability in [0, 1] of the label, or of the likeliest emotion where there is none."""
        if not self.classified:
            return float("nan")
        if self.emotion is None:
            return float(self.probs.max())
        return float(self.probs[EMOTIONS.index(self.emotion)])

    @property
    def valence(self) -> float:
        """Pleasant minus unpleasant probability, in [-1, 1]; NaN where not classified."""
        return float(self.probs @ _VALENCE)

    @property
    def by_emotion(self) -> dict[str, float]:
        """The smoothed probabilities by name, in ``EMOTIONS`` order."""
        return dict(zip(EMOTIONS, self.probs.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult(Record):
    """What was read from one frame.

    Attributes:
        index: of the frame in its stream, from 0; frames get dropped, so only time tells.
        time_s: of the media clock, from the start of the stream.
        size_wh: the frame's width and height in pixels.
        faces: by rising ``track_id``; empty when nobody is there.
        detector_ran: whether a search of the whole picture ended with this frame; in a stream it
            is spread over several.
        stage_ms: milliseconds each stage took.
        smallest_px: side in pixels of the smallest face looked for; NaN where unknown.
    """

    index: int
    time_s: float
    size_wh: tuple[int, int]
    faces: tuple[Face, ...] = ()
    detector_ran: bool = True
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    smallest_px: float = float("nan")

    def __post_init__(self) -> None:
        object.__setattr__(self, "stage_ms", MappingProxyType(dict(self.stage_ms)))

    def to_dataframe(self) -> pd.DataFrame:
        """Return the faces as a table, a row each; `emorec.rows` describes its columns."""
        from emorec.rows import to_dataframe  # `rows` imports this module: not at the top

        return to_dataframe([self])


def unclassified() -> Probabilities:
    """Return the probabilities of a face that was not classified: all NaN."""
    return np.full(len(EMOTIONS), np.nan, dtype=np.float32)
