"""A video file in place of a camera: a live picture takes its frames at the file's own rate."""

from __future__ import annotations

import logging
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import av

from emorec.errors import EmorecError
from emorec.media.video import Video

log = logging.getLogger(__name__)

_TIME_BASE = Fraction(1, 90_000)


class Film:
    """Plays a video file in an endless loop, in a thread of its own, from `start` to `stop`.

    Args:
        file: the video.
        put: takes each frame when it is due. Time stamps rise from loop to loop.
    """

    def __init__(self, file: Path, put: Callable[[av.VideoFrame], None]) -> None:
        self._file = file
        self._put = put
        self._over = Event()
        self._thread = Thread(target=self._play, name="emorec-film", daemon=True)

    def start(self) -> None:
        """Start the thread; may be called once."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the thread to end; never waits, and may be called again."""
        self._over.set()

    def _play(self) -> None:
        began_s = monotonic()
        last_s = 0.0
        try:
            while not self._over.is_set():
                loop_s = last_s
                with Video(self._file) as video:
                    step_s = 1 / (video.fps or 25.0)
                    for image_bgr, time_s in video.frames():
                        last_s = loop_s + time_s + step_s
                        if self._over.wait(max(0.0, began_s + last_s - monotonic())):
                            return
                        frame = av.VideoFrame.from_ndarray(image_bgr, format="bgr24")
                        frame.pts, frame.time_base = round(last_s / _TIME_BASE), _TIME_BASE
                        self._put(frame)
        except EmorecError as error:  # without frames the picture ends by silence
            log.error("a film cannot be played: %s", error)
