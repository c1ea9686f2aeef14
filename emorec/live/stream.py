"""The thread boundary of the live picture.

The browser's frames arrive in `LiveStream.put` and leave by `LiveStream.picture`; both are called
on the event loop of the connection and do nothing but swap a reference. Two threads do the work:
one reads the newest frame, one draws the newest known faces on the newest frame. So the picture
goes on at the camera's rate however long the reading takes.

With blur on, only frames that were searched themselves are shown.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from threading import Lock, Thread
from time import monotonic

import av
import numpy as np
import numpy.typing as npt

from emorec.drawing.overlay import Show, blur_all, draw_faces, moved
from emorec.live.mailbox import Mailbox
from emorec.pipeline.pipeline import Pipeline
from emorec.records import Box, Face, FrameResult
from emorec.sessions.timeline import Timeline
from emorec.settings import Settings

log = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]

_RATE_OVER_S = 2.0
_FALLBACK_WH = (640, 480)


@dataclass(frozen=True, slots=True)
class View:
    """How the live picture is shown: what is drawn, and whether as in a mirror."""

    show: Show = "label"
    mirror: bool = True


class _Frame:
    """A camera frame that both threads look at."""

    def __init__(self, picture: av.VideoFrame, time_s: float) -> None:
        self.time_s = time_s
        self.result: FrameResult | None = None
        """Set where this very frame was searched."""
        self._picture = picture
        self._image: Image | None = None
        self._lock = Lock()

    def image(self) -> Image:
        """Return the pixels, uint8 (h, w, 3), blue first; not to be written to."""
        # A VideoFrame keeps its converter inside: two threads converting at once crash the process.
        with self._lock:
            if self._image is None:
                self._image = self._picture.to_ndarray(format="bgr24")
                self._image.setflags(write=False)
            return self._image


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    picture: av.VideoFrame
    blurred: bool


class LiveStream:
    """One visitor's live picture, from START to STOP and, pressed again, anew.

    `start` lets frames in; with the first one the threads begin, and `stop` ends them. Frames that
    arrive late are dropped. What was seen stays readable until the next start. Nothing is written
    to disk.

    Args:
        make_pipeline: gives a new pipeline; called at each start.
        settings: how pictures are read; may be replaced at any time.
        view: how the picture is shown; may be replaced at any time.
    """

    def __init__(
        self,
        make_pipeline: Callable[[], Pipeline],
        settings: Settings | None = None,
        view: View | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.view = view or View()
        self._make_pipeline = make_pipeline
        self._lock = Lock()  # of starting and stopping
        self._run: _Run | None = None
        self._open = False
        self._running = False

    @property
    def running(self) -> bool:
        return self._running

    @property
    def result(self) -> FrameResult | None:
        """What was last read; None before the first frame was."""
        return self._run.result if self._run else None

    @property
    def timeline(self) -> Timeline | None:
        """All that was read since START; None before the first START."""
        return self._run.timeline if self._run else None

    @property
    def error(self) -> str | None:
        """One line while reading fails, None while it works."""
        return self._run.error if self._run else None

    @property
    def shown_per_s(self) -> float:
        """Pictures drawn a second, over the last two."""
        return self._run.shown.per_s() if self._run and self._running else 0.0

    @property
    def read_per_s(self) -> float:
        """Frames read a second, over the last two."""
        return self._run.read.per_s() if self._run and self._running else 0.0

    def start(self) -> None:
        """Let frames in; does nothing while they are."""
        self._open = True

    def put(self, frame: av.VideoFrame) -> None:
        """Take the camera's next frame; never waits for the work."""
        with self._lock:
            if not self._open:
                return
            if not self._running or self._run is None:
                self._run = _Run(self, self._make_pipeline())
                self._running = True
            run = self._run
        run.put(frame)

    def picture(self, pts: int, time_base: Fraction) -> av.VideoFrame:
        """Return the picture to send now; the sender stamps it with its own clock."""
        del pts, time_base
        run = self._run if self._running else None
        shown = run.newest if run else None
        if shown is not None and (shown.blurred or self.view.show != "blur"):
            return shown.picture
        width, height = (
            (shown.picture.width, shown.picture.height) if shown is not None else _FALLBACK_WH
        )
        blank = np.full((height, width, 3), 32, dtype=np.uint8)
        return av.VideoFrame.from_ndarray(blank, format="bgr24")

    def stop(self, wait_s: float = 0.0) -> None:
        """Tell both threads to end; a second call does nothing.

        Args:
            wait_s: how long to wait for each of them. The event loop must not wait.
        """
        with self._lock:
            self._open = self._running = False
        if self._run is not None:
            self._run.stop(wait_s)


class _Run:
    """The two threads of one START."""

    def __init__(self, stream: LiveStream, pipeline: Pipeline) -> None:
        self.result: FrameResult | None = None
        self.newest: _Shown | None = None
        self.error: str | None = None
        self.timeline = Timeline(datetime.now(UTC))
        self.shown, self.read = _Rate(), _Rate()
        self._failed = False
        self._stream = stream
        self._pipeline = pipeline
        self._clock = _Clock()
        self._to_read: Mailbox[_Frame] = Mailbox()
        self._to_draw: Mailbox[_Frame] = Mailbox()
        self._threads = [
            Thread(target=self._reading, name="emorec-read", daemon=True),
            Thread(target=self._drawing, name="emorec-draw", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def put(self, picture: av.VideoFrame) -> None:
        frame = _Frame(picture, self._clock.seconds(picture))
        self._to_read.put(frame)
        if self._stream.view.show != "blur":
            self._to_draw.put(frame)

    def stop(self, wait_s: float) -> None:
        self._to_read.close()
        self._to_draw.close()
        for thread in self._threads:
            thread.join(wait_s)

    def _reading(self) -> None:
        while (frame := self._to_read.take()) is not None:
            blur = self._stream.view.show == "blur"
            self._pipeline.settings = replace(self._stream.settings, cautious=blur)
            try:
                result = self._pipeline.update(frame.image(), frame.time_s)
            except Exception as error:  # one frame must not end the stream
                if not self._failed:  # thirty tracebacks a second would hide the first
                    log.exception("reading a frame failed")
                self._failed = True
                self.error = f"The picture cannot be read at the moment ({error})."
                continue
            self.error = None
            self.result = result
            self.timeline.add(result)
            self.read.tick()
            if blur:
                frame.result = result
                self._to_draw.put(frame)

    def _drawing(self) -> None:
        while (frame := self._to_draw.take()) is not None:
            view = self._stream.view
            image = frame.image()
            result = frame.result or self.result
            if view.show == "blur" and frame.result is None:
                # Blur was switched on while this frame was on its way; nobody searched it.
                image = blur_all(image)
                faces: tuple[Face, ...] = ()
            else:
                size_wh = image.shape[1], image.shape[0]
                faces = moved(result.faces, frame.time_s - result.time_s, size_wh) if result else ()
            if view.mirror:
                image = np.ascontiguousarray(image[:, ::-1])
                faces = mirrored(faces, image.shape[1])
            drawn = av.VideoFrame.from_ndarray(
                draw_faces(image, faces, view.show), format="bgr24"
            ).reformat(format="yuv420p")
            self.newest = _Shown(drawn, view.show == "blur")
            self.shown.tick()


def mirrored(faces: tuple[Face, ...], width: int) -> tuple[Face, ...]:
    """Return the faces of a picture of this width as they lie in the mirrored one."""
    return tuple(
        replace(
            face,
            box=Box(width - face.box.x2, face.box.y1, width - face.box.x1, face.box.y2),
            velocity_xy=(-face.velocity_xy[0], face.velocity_xy[1]),
        )
        for face in faces
    )


class _Clock:
    """Seconds of the media clock since the first frame; never falls."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def seconds(self, frame: av.VideoFrame) -> float:
        now = frame.time if frame.time is not None else monotonic()
        if self._first is None:
            self._first = now
        self._last = max(self._last, now - self._first)
        return self._last


class _Rate:
    """How often something happens."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=256)

    def tick(self) -> None:
        self._times.append(monotonic())

    def per_s(self) -> float:
        since = monotonic() - _RATE_OVER_S
        return sum(time >= since for time in tuple(self._times)) / _RATE_OVER_S
