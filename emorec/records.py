"""The records that the stages pass to each other: frozen, and without pictures.

This module imports no large library, so every part of the project can use the records without
loading OpenCV, a runtime or a web framework. Records can be pickled, copied and passed between
processes; a copy is read-only too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, UNSURE, VALENCE
from emorec.words import N_, _

if TYPE_CHECKING:
    import pandas as pd

Probabilities = npt.NDArray[np.float32]
"""float32 of shape (7,) in ``EMOTIONS`` order, summing to 1; all NaN = not classified."""

UNREADABLE = (
    N_("too small"),
    N_("too dark"),
    N_("too noisy"),
    N_("too blurred"),
    N_("partly hidden"),
    N_("cut off"),
)
"""The reasons why a tracked face may have no label."""

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
    """Base class of the frozen data classes below; defines how they are pickled and copied.

    Unpickling and copying call the constructor, which makes the arrays and mappings of the copy
    read-only.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        own = fields(self)  # type: ignore[arg-type]  # every subclass is a data class
        values = (getattr(self, part.name) for part in own)
        # Python cannot pickle a MappingProxyType, so it is pickled as a dict.
        return type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)


@dataclass(frozen=True, slots=True, eq=False)
class Detection(Record):
    """A face found in one frame.

    Attributes:
        box_xyxy: float64 of shape (4,), pixels of the frame.
        score: the detector's confidence in [0, 1]; NaN if the detector has none.
        tilt_deg: the head's tilt, from -180 to 180 degrees, positive if its top leans to the right
            of the picture; NaN if the detector does not measure it.
        suspected: whether it was found with caution only, so that it need not be a face.
    """

    box_xyxy: npt.NDArray[np.float64]
    score: float
    tilt_deg: float = float("nan")
    suspected: bool = False

    def __post_init__(self) -> None:
        self.box_xyxy.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Track(Record):
    """A face tracked over frames.

    Attributes:
        track_id: 1 or more, unique in a session, never used again; 0: with caution, a place that
            may show a face.
        box_xyxy: float64 of shape (4,): the estimated place of the face in this frame.
        velocity_xy: float64 of shape (2,): of the box's centre, in pixels a second.
        score: of the newest detection.
        age_s: seconds since the face was first found.
        unseen_s: seconds since it was last found or tracked; 0 = in this frame.
        tilt_deg: the head's tilt, as in `Detection`; 0 if it was not measured.
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
    """One face in one frame: its track, its place and its apparent expression.

    Attributes:
        track_id: 1 or more, unique in a session, never used again.
        box: pixels of the frame, clipped to it.
        score: the detector's confidence in [0, 1]; NaN if the detector has none.
        age_s: seconds since the face was first found.
        unseen_s: seconds since it was last found or tracked; 0 = in this frame.
        probs_raw: what the network says of this frame alone, without any person's calibration and
            before smoothing; all NaN in a frame in which the face was not read.
        probs: what is shown: corrected by the person's calibration, if there is one
            (`emorec.calibration`), and smoothed over time.
        emotion: the label to show; None ("unsure") if the evidence is too weak for one. It cannot
            be derived from ``probs``: a label that was shown is held a little longer.
        velocity_xy: of the box's centre, in pixels a second; used to draw it on a later frame.
        unreadable: the reason, one of ``UNREADABLE``, why the face is tracked but not classified;
            None if it can be read.
        name: the person's name; None if the person was not recognised.
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
        """The text to show: the label, or "unsure", or "unreadable" with the reason; translated."""
        if self.unreadable:
            return _("unreadable: {why}").format(why=_(self.unreadable))
        return _(self.emotion or UNSURE)

    @property
    def confidence(self) -> float:
        """Probability in [0, 1] of the label; without a label, that of the likeliest emotion."""
        if not self.classified:
            return float("nan")
        if self.emotion is None:
            return float(self.probs.max())
        return float(self.probs[EMOTIONS.index(self.emotion)])

    @property
    def valence(self) -> float:
        """Pleasant minus unpleasant probability, in [-1, 1]; NaN if not classified."""
        return float(self.probs @ _VALENCE)

    @property
    def by_emotion(self) -> dict[str, float]:
        """The smoothed probabilities by name, in ``EMOTIONS`` order."""
        return dict(zip(EMOTIONS, self.probs.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult(Record):
    """The result of reading one frame.

    Attributes:
        index: number of the frame in its stream, from 0; frames may be dropped, so it does not
            measure time.
        time_s: time of the media clock, from the start of the stream.
        size_wh: the frame's width and height in pixels.
        faces: sorted by ``track_id``; empty if there is no face.
        suspects: with caution, the other places that may show a face: they are blurred with the
            faces, and neither read nor counted. Their ``track_id`` is 0.
        detector_ran: whether a search of the whole picture ended with this frame; in a stream a
            search is spread over several frames.
        stage_ms: milliseconds that each stage took.
        smallest_px: side in pixels of the smallest face searched for; NaN if unknown.
    """

    index: int
    time_s: float
    size_wh: tuple[int, int]
    faces: tuple[Face, ...] = ()
    detector_ran: bool = True
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    smallest_px: float = float("nan")
    suspects: tuple[Face, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "stage_ms", MappingProxyType(dict(self.stage_ms)))

    def to_dataframe(self) -> pd.DataFrame:
        """Return the faces as a table with one row each; `emorec.rows` describes its columns."""
        from emorec.rows import to_dataframe  # `rows` imports this module: not at the top

        return to_dataframe([self])


def unclassified() -> Probabilities:
    """Return the probabilities of a face that was not classified: all NaN."""
    return np.full(len(EMOTIONS), np.nan, dtype=np.float32)
