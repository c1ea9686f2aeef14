"""The two threads behind one START: one reads the newest frame, one draws on the newest."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock, Thread, current_thread
from time import monotonic
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt

from emorec.drawing.overlay import Show, blur_all, draw_faces, moved
from emorec.live.mailbox import Mailbox
from emorec.live.names import Names
from emorec.monitoring import (
    ERRORS,
    FRAMES_ANALYSED,
    FRAMES_DROPPED,
    FRAMES_IN,
    STAGE_SECONDS,
)
from emorec.pipeline.pipeline import Pipeline
from emorec.records import Box, Face, FrameResult
from emorec.sessions.timeline import Timeline

if TYPE_CHECKING:
    from emorec.live.stream import LiveStream

log = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]

_RATE_OVER_S = 2.0
OLD_S = 1.0
"""Labels of a frame that is older than this are dimmed, and the page says so."""


@dataclass(frozen=True, slots=True)
class View:
    """How the live picture is shown: what is drawn, and whether as in a mirror."""

    show: Show = "label"
    mirror: bool = True


class Frame:
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
class Shown:
    """A drawn picture, ready to be sent."""

    planes: Image
    """I420: brightness above, both colours at half the size below; uint8 (h * 3 / 2, w)."""
    blurred: bool


class Worker:
    """The two threads of one START; one that dies is replaced.

    Args:
        stream: whose settings, view and names hold, and which is stopped by silence.
        make_pipeline: gives the reading thread its pipeline.
        silence_s: a stream without a frame for so long is over.

    Attributes:
        result: what was last read; None before the first frame was.
        newest: what was last drawn; None before the first frame was, and after the end.
        error: one line while reading fails, None while it works.
        timeline: all that was read.
        shown: how often a picture was drawn.
        read: how often a frame was read.
    """

    def __init__(
        self, stream: LiveStream, make_pipeline: Callable[[], Pipeline], silence_s: float
    ) -> None:
        self.result: FrameResult | None = None
        self.newest: Shown | None = None
        self.error: str | None = None
        self.timeline = Timeline(datetime.now(UTC))
        self.shown, self.read = _Rate(), _Rate()
        self._stream = stream
        self._make_pipeline = make_pipeline
        self._silence_s = silence_s
        self._clock = _Clock()
        self._replaced_age_s = 0.0  # of the labels before, when they were replaced
        self._to_read: Mailbox[Frame] = Mailbox()
        self._to_draw: Mailbox[Frame] = Mailbox()
        self._threads = [self._reader(), self._drawer()]

    def put(self, picture: av.VideoFrame) -> None:
        frame = Frame(picture, self._clock.seconds(picture))
        FRAMES_IN.inc()
        if not all(thread.is_alive() for thread in self._threads):
            self._replace_dead()
        if self._to_read.put(frame):
            FRAMES_DROPPED.inc()
        if self._stream.view.show != "blur":
            self._to_draw.put(frame)

    @property
    def labels_age_s(self) -> float:
        """How old the labels on the picture get: those of now, or those before, whichever more.

        At a reading every two seconds the age of those of now is a second at one moment and three
        at the next.
        """
        return max(self._age_s(), self._replaced_age_s)

    def _age_s(self) -> float:
        result = self.result
        return self._clock.last_s - result.time_s if result else 0.0

    def close(self) -> None:
        self._to_read.close()
        self._to_draw.close()

    def join(self, wait_s: float) -> None:
        for thread in self._threads:
            if thread is not current_thread():
                thread.join(wait_s)

    def _reader(self) -> Thread:
        return _started("emorec-read", self._reading, self._make_pipeline())

    def _drawer(self) -> Thread:
        return _started("emorec-draw", self._drawing)

    def _replace_dead(self) -> None:
        reader, drawer = self._threads
        if not reader.is_alive():
            ERRORS.labels("reading").inc()
            log.error("the thread that reads frames has died; a new one takes its place")
            self._threads[0] = self._reader()
        if not drawer.is_alive():
            ERRORS.labels("drawing").inc()
            log.error("the thread that draws on frames has died; a new one takes its place")
            self._threads[1] = self._drawer()

    def _reading(self, pipeline: Pipeline) -> None:
        naming = _Naming()
        try:
            self._read_frames(pipeline, naming)
        finally:
            naming.by(None)

    def _read_frames(self, pipeline: Pipeline, naming: _Naming) -> None:
        failed = False
        while frame := self._next():
            blur = self._stream.view.show == "blur"
            pipeline.settings = replace(self._stream.settings, cautious=blur)
            try:
                result = pipeline.update(frame.image(), frame.time_s)
            except Exception as error:  # one frame must not end the stream
                if not failed:  # thirty tracebacks a second would hide the first
                    log.exception("reading a frame failed")
                failed = True
                ERRORS.labels("reading").inc()
                self.error = f"The picture cannot be read at the moment ({error})."
                continue
            if _something_read(result):
                self.error = None
            naming.by(None if blur else self._stream.names)
            result = naming.named(frame.image(), result)
            self._replaced_age_s = self._age_s()
            self.result = result
            self.timeline.add(result)
            self.read.tick()
            FRAMES_ANALYSED.inc()
            for stage, ms in result.stage_ms.items():
                STAGE_SECONDS.labels(stage).observe(ms / 1000)
            if blur:
                frame.result = result
                self._to_draw.put(frame)

    def _next(self) -> Frame | None:
        """Return the frame to read next, None at the end; silence is one."""
        try:
            return self._to_read.take(self._silence_s)
        except TimeoutError:
            log.info("no frame came for %.0f s: a live session is over", self._silence_s)
            self._stream.stop()
            return None

    def _drawing(self) -> None:
        failed = False
        while frame := self._to_draw.take():
            view = self._stream.view
            try:
                self.newest = Shown(self._drawn(frame, view), view.show == "blur")
            except Exception:  # the next frame may be drawn again
                if not failed:
                    log.exception("drawing on a frame failed")
                failed = True
                ERRORS.labels("drawing").inc()
                continue
            self.shown.tick()
        self.newest = None

    def _drawn(self, frame: Frame, view: View) -> Image:
        image = frame.image()
        result = frame.result or self.result
        faces: tuple[Face, ...] = ()
        old = False
        if view.show == "blur" and frame.result is None:
            # Blur was switched on while this frame was on its way; nobody searched it.
            image = blur_all(image)
        elif result:
            size_wh = image.shape[1], image.shape[0]
            age_s = frame.time_s - result.time_s
            faces, old = moved(result.faces, age_s, size_wh), age_s > OLD_S
        if view.mirror:
            image = np.asarray(cv2.flip(image, 1))  # NumPy's own way takes twenty times as long
            faces = mirrored(faces, image.shape[1])
        drawn = draw_faces(image, faces, view.show, dimmed=old)
        # I420 halves both sides, and PyAV takes the height of such planes for a multiple of four
        # (`VideoFrame.from_numpy_buffer`: rows // 6 * 4): others came out with wrong colours.
        height, width = drawn.shape[0] // 4 * 4, drawn.shape[1] // 2 * 2
        return np.asarray(cv2.cvtColor(drawn[:height, :width], cv2.COLOR_BGR2YUV_I420))


def _started(name: str, work: Callable[..., None], *args: object) -> Thread:
    thread = Thread(target=work, args=args, name=name, daemon=True)
    thread.start()
    return thread


def _something_read(result: FrameResult) -> bool:
    """Return whether a face was classified in this very frame, or none was there to be."""
    read = any(not np.isnan(face.probs_raw).any() for face in result.faces)
    return read or all(face.unreadable for face in result.faces)


class _Naming:
    """Who names the faces now; whoever did before has ended and forgotten them."""

    def __init__(self) -> None:
        self._names: Names | None = None

    def by(self, names: Names | None) -> None:
        if names is not self._names and self._names is not None:
            self._names.stop()
        self._names = names

    def named(self, image: Image, result: FrameResult) -> FrameResult:
        if self._names is None:
            return result
        self._names.offer(image, result)
        return self._names.named(result)


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
        self.last_s = 0.0

    def seconds(self, frame: av.VideoFrame) -> float:
        now = frame.time if frame.time is not None else monotonic()
        if self._first is None:
            self._first = now
        self.last_s = max(self.last_s, now - self._first)
        return self.last_s


class _Rate:
    """How often something happens."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=256)

    def tick(self) -> None:
        self._times.append(monotonic())

    def per_s(self) -> float:
        since = monotonic() - _RATE_OVER_S
        return sum(time >= since for time in tuple(self._times)) / _RATE_OVER_S
