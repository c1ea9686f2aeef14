"""A sink that draws the results on every frame of a video, and writes the frames as a video."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from emorec.drawing.overlay import Show, draw_faces
from emorec.media.video import VideoWriter
from emorec.records import FrameResult


class AnnotatedVideo:
    """Writes an MP4 file with the labels drawn, or the faces blurred.

    Args:
        path: of the file; an existing file is replaced.
        show: what is drawn.
        sound_of: the video whose sound is copied; None: no sound.
        start_s: the second of that video at which the frames begin.
    """

    def __init__(
        self, path: Path, show: Show = "label", sound_of: Path | None = None, start_s: float = 0.0
    ) -> None:
        self._show = show
        self._writer = VideoWriter(path, sound_of, start_s)

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Draw the result on a frame, and write the frame."""
        self._writer.write(draw_faces(image_bgr, result.faces, self._show), result.time_s)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)
