"""The thread boundary of the live picture.

The browser's frames arrive in `LiveStream.put`, from the thread that decodes them, and leave by
`LiveStream.planes`, on the event loop of the connection; both do nothing but swap a reference. Two
threads do the work:
one reads the newest frame, one draws the newest known faces on the newest frame. So the picture
goes on at the camera's rate however long the reading takes.

With blur on, only frames that were searched themselves are shown. While it is paused, frames are
dropped and the last picture stands; blur switched on meanwhile hides that too.

A stream to which no frame comes for `SILENCE_S`, as when the tab dies, stops by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from time import monotonic

import av
import cv2
import numpy as np

from emorec.live.frame import Image, View
from emorec.live.names import LiveNames
from emorec.live.pace import Pace
from emorec.live.worker import Choices, Worker
from emorec.reading import Reader
from emorec.records import FrameResult
from emorec.sessions.timeline import Timeline
from emorec.settings import Settings

SILENCE_S = 20.0
"""After so long without a frame, or without a first frame after START, a stream is over."""

_FALLBACK = (480 * 3 // 2, 640)  # rows and columns of I420
_BLANK = 44  # dark, where 16 is black


class LiveStream:
    """One visitor's live picture, from START to STOP, and again from the next START.

    After `start` it takes frames. The first frame starts the threads; `stop` or silence ends them.
    Frames that arrive late are dropped. What was read stays available until the next start;
    pictures do not. Nothing is written to disk.

    Args:
        make_reader: gives a new reader; called at each start.
        settings: how pictures are read; may be replaced at any time.
        view: how the picture is shown; may be replaced at any time.
        pace: of all visitors; None: nothing is left out.

    Attributes:
        names: names the faces, except with blur on; None: no names are wanted. May be replaced at
            any time.
        paused: whether frames are dropped; may be replaced at any time. A start ends it.
        problem: one line that says why the server ended the session; None: it did not.
        received: whether a frame has come since the last start.
        drawn: called after each picture, by the thread that draws; None: nothing is to be called.
    """

    def __init__(
        self,
        make_reader: Callable[[], Reader],
        settings: Settings | None = None,
        view: View | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.view = view or View()
        self.names: LiveNames | None = None
        self.paused = False
        self.problem: str | None = None
        self.received = False
        self.drawn: Callable[[], None] | None = None
        self._make_reader = make_reader
        self._pace = pace or Pace()
        self._lock = Lock()  # of starting and stopping
        self._worker: Worker | None = None
        self._timeline: Timeline | None = None
        self._open = False
        self._running = False
        self._blank = _blank(*_FALLBACK)
        self._sign_s = 0.0  # when it was started or a frame came

    @property
    def live(self) -> bool:
        """Whether it takes frames: from `start` until it is stopped, or silent for too long."""
        return self._open and not self.silent

    @property
    def silent(self) -> bool:
        """Whether no frame has come for `SILENCE_S`, nor START been pressed."""
        return monotonic() - self._sign_s >= SILENCE_S

    @property
    def running(self) -> bool:
        return self._running

    @property
    def result(self) -> FrameResult | None:
        """What was last read; None before the first frame was."""
        return self._worker.result if self._worker else None

    @property
    def timeline(self) -> Timeline | None:
        """All that was read since START; None before the first frame of the first START."""
        return self._timeline

    @property
    def error(self) -> str | None:
        """One line while reading fails, None while it works."""
        return self._worker.error if self._worker else None

    @property
    def labels_age_s(self) -> float:
        """How old the labels on the picture get, by the camera's clock; 0 where nothing is read."""
        return self._worker.labels_age_s if self._worker and self._running else 0.0

    @property
    def shown_per_s(self) -> float:
        """Pictures drawn a second, over the last two."""
        return self._worker.shown.per_s() if self._worker and self._running else 0.0

    @property
    def read_per_s(self) -> float:
        """Frames read a second, over the last two."""
        return self._worker.read.per_s() if self._worker and self._running else 0.0

    def start(self) -> None:
        """Take frames from now on; does nothing while it does."""
        with self._lock:
            if not self.live:
                self._sign_s = monotonic()
                self._open, self.received = True, False
                self.paused = False

    def put(self, frame: av.VideoFrame) -> None:
        """Take the camera's next frame; never waits for the work."""
        with self._lock:
            if not self.live:
                return
            self._sign_s, self.received = monotonic(), True
            if not self._running or self._worker is None:
                self._timeline = Timeline(datetime.now(UTC))
                self._worker = Worker(
                    self._make_reader,
                    self._choices,
                    [self._timeline],
                    SILENCE_S,
                    self.stop,
                    self._tell_drawn,
                    self._pace,
                )
                self._running = True
            worker = self._worker
        worker.put(frame)

    @property
    def planes(self) -> Image:
        """The picture to send now, I420, uint8 (h * 3 / 2, w); the same array until it changes."""
        worker = self._worker if self._running else None
        shown = worker.newest if worker else None
        if shown is not None and (shown.blurred or not self.view.blurs):
            return shown.planes
        shape = shown.planes.shape if shown is not None else _FALLBACK
        if self._blank.shape != shape:
            self._blank = _blank(*shape)
        return self._blank

    def snapshot(self) -> Image:
        """Return the picture that is sent now, as drawn, uint8 (h, w, 3), blue first."""
        return np.asarray(cv2.cvtColor(self.planes, cv2.COLOR_YUV2BGR_I420))

    def discard(self) -> None:
        """Forget what was read, its last picture and why it ended; only once it has stopped."""
        with self._lock:
            if not self.live:
                self.problem = None
                self._timeline = None
                self._worker = None

    def stop(self, wait_s: float = 0.0) -> None:
        """Tell both threads to end; a second call does nothing.

        Args:
            wait_s: how long to wait for each of them. The event loop must not wait.
        """
        with self._lock:
            self._open = self._running = False
            worker = self._worker
            if worker is not None:
                worker.close()
        if worker is not None:
            worker.join(wait_s)

    def _tell_drawn(self) -> None:
        if (drawn := self.drawn) is not None:
            drawn()

    def _choices(self) -> Choices:
        return Choices(self.settings, self.view, self.names, self.paused)


def _blank(rows: int, width: int) -> Image:
    planes = np.full((rows, width), 128, dtype=np.uint8)
    planes[: rows * 2 // 3] = _BLANK
    return planes
