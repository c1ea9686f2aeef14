"""A sink that draws the results on every frame of a video, and writes the frames as a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.drawing.overlay import Show, draw_faces
from emorec.media.video_writer import VideoWriter
from emorec.records import FrameResult


class AnnotatedVideo(VideoWriter):
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
        super().__init__(path, sound_of, start_s)
        self._show = show

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Draw the result on a frame, and write the frame."""
        self.write(draw_faces(image_bgr, result.faces, self._show), result.time_s)
