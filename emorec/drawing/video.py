"""A sink that draws the results on every frame of a video, and writes the frames as a video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from emorec.drawing.blur import Image
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
        on_drawn: called with each frame as it is drawn, and its result; it must neither change nor
            keep them.
    """

    def __init__(
        self,
        path: Path,
        show: Show = "label",
        sound_of: Path | None = None,
        start_s: float = 0.0,
        on_drawn: Callable[[Image, FrameResult], None] | None = None,
    ) -> None:
        super().__init__(path, sound_of, start_s)
        self._show = show
        self._on_drawn = on_drawn
        self._drawn_bgr: Image | None = None  # one memory for all frames: new pages cost as much

    def add(self, image_bgr: Image, result: FrameResult) -> None:
        """Draw the result on a frame, and write the frame."""
        if self._drawn_bgr is None or self._drawn_bgr.shape != image_bgr.shape:
            self._drawn_bgr = np.empty_like(image_bgr)
        faces = result.faces + result.suspects
        drawn_bgr = draw_faces(image_bgr, faces, self._show, out=self._drawn_bgr)
        self.write(drawn_bgr, result.time_s)
        if self._on_drawn:
            self._on_drawn(drawn_bgr, result)
