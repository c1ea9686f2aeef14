"""What a user can set; frozen, so a thread that holds one sees no change under its hands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emorec.errors import EmorecError

DETECTORS = ("auto", "haar")
"""What may find the faces: `emorec.pipeline.detect.make_detector` makes them."""

LEAST_FACE_PX = 16
"""Side in pixels of the smallest face that can be found; from 24 on it can be read."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How pictures are read.

    Attributes:
        min_face_px: side in pixels of the smallest face looked for, 16 or more; None: what suits
            the picture (`emorec.pipeline.smallest`). In either case the picture's area bounds it.
        smoothing_s: time constant in seconds over which a face's probabilities are averaged; 0
            shows every frame as it is.
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
        if not 0 <= self.smoothing_s <= 60:
            raise EmorecError(f"Expected smoothing_s from 0 to 60. Received {self.smoothing_s}.")
        if self.detector not in DETECTORS:
            raise EmorecError(
                f"Expected detector to be {' or '.join(DETECTORS)}. Received {self.detector!r}."
            )

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read ``EMOREC_MIN_FACE_PX``, ``EMOREC_SMOOTHING_S`` and ``EMOREC_DETECTOR``.

        What is not set, or empty, is the default.

        Raises:
            EmorecError: a value is no number or out of range; names the variable.
        """
        settings = cls()
        for setting, kind in (("min_face_px", int), ("smoothing_s", float), ("detector", str)):
            variable = f"EMOREC_{setting.upper()}"
            if not env.get(variable):
                continue
            try:
                value: Any = kind(env[variable])
                settings = replace(settings, **{setting: value})
            except ValueError:
                raise EmorecError(
                    f"{variable}: expected a number. Received {env[variable]!r}."
                ) from None
            except EmorecError as error:
                raise EmorecError(f"{variable}: {error}") from None
        return settings
