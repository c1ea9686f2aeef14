"""What a user can set. It is frozen, so that it never changes while a thread uses it."""

from __future__ import annotations

from dataclasses import dataclass

from emorec.errors import EmorecError

DETECTORS = ("auto", "haar")
"""What may find the faces: `emorec.pipeline.detect.make_detector` makes them."""

LEAST_FACE_PX = 16
"""Side in pixels of the smallest face that can be found; from 24 on it can be read."""

LONGEST_SMOOTHING_S = 60
"""Longest time constant in seconds that a face's probabilities may be averaged over."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How pictures are read.

    Attributes:
        min_face_px: side in pixels of the smallest face looked for, 16 or more; None: what suits
            the picture (`emorec.pipeline.smallest`). In either case the picture's area bounds it.
        smoothing_s: time constant in seconds over which a face's probabilities are averaged, at
            most ``LONGEST_SMOOTHING_S``; 0 shows every frame as it is.
        cautious: search the whole picture in every frame, believe a face at first sight and keep
            it longer: for blurring, where a missed face costs more than a false one.
        detector: what finds the faces, one of ``DETECTORS``.
    """

    min_face_px: int | None = None
    smoothing_s: float = 0.6
    cautious: bool = False
    detector: str = DETECTORS[0]

    def __post_init__(self) -> None:
        if self.min_face_px is not None and self.min_face_px < LEAST_FACE_PX:
            raise EmorecError(
                f"Expected min_face_px of {LEAST_FACE_PX} or more. Received {self.min_face_px}."
            )
        if not 0 <= self.smoothing_s <= LONGEST_SMOOTHING_S:
            raise EmorecError(
                f"Expected smoothing_s from 0 to {LONGEST_SMOOTHING_S}."
                f" Received {self.smoothing_s}."
            )
        if self.detector not in DETECTORS:
            raise EmorecError(
                f"Expected detector to be {' or '.join(DETECTORS)}. Received {self.detector!r}."
            )
