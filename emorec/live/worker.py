"""The two threads behind one START: one reads the newest frame, one draws on the newest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from threading import Thread, current_thread
from time import monotonic, sleep

import av
import numpy as np

from emorec.live.clock import MediaClock, Rate
from emorec.live.frame import DrawMemory, Drawn, Frame, FrameMemory, View, draw
from emorec.live.mailbox import Mailbox
from emorec.live.names import LiveNames
from emorec.live.pace import Pace, Skipper
from emorec.monitoring import (
    ERRORS,
    FRAMES_ANALYSED,
    FRAMES_DROPPED,
    FRAMES_IN,
    STAGE_SECONDS,
)
from emorec.reading import Reader, Sink
from emorec.records import FrameResult
from emorec.settings import Settings
from emorec.words import _

log = logging.getLogger(__name__)

_CAMERA_UNEVEN_S = (
    0.01  # else every frame that comes a moment early would have to wait for the next
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a visitor wants now.

    Attributes:
        settings: how frames are read.
        view: how they are shown.
        names: what names the faces; None: no names are wanted.
        paused: whether frames are dropped.
    """

    settings: Settings
    view: View
    names: LiveNames | None
    paused: bool = False


class Worker:
    """The two threads of one START; one that dies is replaced.

    Args:
        make_reader: gives the reading thread its reader.
        choices: asked before every frame.
        sinks: take what is read; they end with the reading thread.
        silence_s: without a frame for so long it is over.
        end: called by the reading thread when it is over by silence.
        drawn: called by the drawing thread after each picture.
        pace: how many frames are drawn and read.

    Attributes:
        result: what was last read; None before the first frame was.
        newest: what was last drawn; None before the first frame was, and after the end.
        error: one line while reading fails, None while it works.
        shown: how often a picture was drawn.
        read: how often a frame was read.
    """

    def __init__(
        self,
        make_reader: Callable[[], Reader],
        choices: Callable[[], Choices],
        sinks: Sequence[Sink],
        silence_s: float,
        end: Callable[[], None],
        drawn: Callable[[], None],
        pace: Pace,
    ) -> None:
        self.result: FrameResult | None = None
        self.newest: Drawn | None = None
        self._failure: Exception | None = None
        self.shown, self.read = Rate(), Rate()
        self._make_reader = make_reader
        self._choices = choices
        self._sinks = sinks
        self._silence_s = silence_s
        self._end = end
        self._drawn = drawn
        self._pace, self._skipper = pace, Skipper(pace)
        self._clock = MediaClock()
        self._came_s = monotonic()  # when the last frame came, dropped or not
        self._memory = FrameMemory()
        self._replaced_age_s = 0.0  # of the labels before, when they were replaced
        self._to_read: Mailbox[Frame] = Mailbox()
        self._to_draw: Mailbox[Frame] = Mailbox()
        self._open_sinks = ExitStack()
        for sink in sinks:
            self._open_sinks.enter_context(sink)
        self._threads = [self._reader(), self._drawer()]

    def put(self, picture: av.VideoFrame) -> None:
        """Take the camera's next frame, or drop it while it is paused; never waits."""
        self._came_s = monotonic()
        choices = self._choices()
        if choices.paused:
            return
        frame = Frame(picture, self._clock.seconds(picture), self._memory)
        FRAMES_IN.inc()
        if not all(thread.is_alive() for thread in self._threads):
            self._replace_dead()
        if self._to_read.put(frame):
            FRAMES_DROPPED.inc()
        if not choices.view.blurs and self._skipper.takes(self._came_s):
            self._to_draw.put(frame)

    @property
    def error(self) -> str | None:
        """One line while reading fails, None while it works."""
        failure = self._failure
        if failure is None:
            return None
        return _("The picture cannot be read at the moment ({why}).").format(why=failure)

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
        """Tell both threads to end."""
        self._to_read.close()
        self._to_draw.close()

    def join(self, wait_s: float) -> None:
        """Wait for each thread, at most for so long."""
        for thread in self._threads:
            if thread is not current_thread():
                thread.join(wait_s)

    def _reader(self) -> Thread:
        return _started("emorec-read", self._reading, self._make_reader())

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

    def _reading(self, reader: Reader) -> None:
        names: LiveNames | None = None
        failed = False
        read_s = 0.0
        try:
            while frame := self._next(read_s):
                read_s = monotonic()
                choices = self._choices()
                blurs = choices.view.blurs
                wanted = None if blurs else choices.names
                if names is not None and names is not wanted:
                    names.stop()
                reader.names = names = wanted
                reader.settings = replace(choices.settings, cautious=blurs)
                try:
                    result = reader.read(frame.image(), frame.time_s)
                except Exception as error:  # one frame must not end the stream
                    if not failed:  # thirty tracebacks a second would hide the first
                        log.exception("reading a frame failed")
                    failed = True
                    ERRORS.labels("reading").inc()
                    self._failure = error
                    continue
                self._publish(frame, result)
                if blurs:
                    frame.result = result
                    self._to_draw.put(frame)
        finally:
            if names is not None:
                names.stop()
        # Not where the thread dies: the one that replaces it goes on with the same sinks.
        self._open_sinks.close()

    def _publish(self, frame: Frame, result: FrameResult) -> None:
        if _something_read(result):
            self._failure = None
        self._replaced_age_s = self._age_s()
        self.result = result
        for sink in self._sinks:
            sink.add(frame.image(), result)
        self.read.tick()
        FRAMES_ANALYSED.inc()
        for stage, ms in result.stage_ms.items():
            STAGE_SECONDS.labels(stage).observe(ms / 1000)

    def _next(self, read_s: float) -> Frame | None:
        """Return the frame to read next; None at the end, which silence is too.

        Args:
            read_s: when the reading of the last one began.
        """
        per_s = self._pace.readings_per_s(self._choices().view.blurs)
        sleep(max(0.0, read_s + 1 / per_s - monotonic() - _CAMERA_UNEVEN_S))
        while (left_s := self._came_s + self._silence_s - monotonic()) > 0:
            # While it is paused frames come, and none of them gets here.
            with suppress(TimeoutError):
                return self._to_read.take(left_s)
        log.info("no frame came for %.0f s: a live session is over", self._silence_s)
        self._end()
        return None

    def _drawing(self) -> None:
        failed = False
        memory = DrawMemory()
        while frame := self._to_draw.take():
            try:
                self.newest = draw(frame, self.result, self._choices().view, memory)
            except Exception:  # the next frame may be drawn again
                if not failed:
                    log.exception("drawing on a frame failed")
                failed = True
                ERRORS.labels("drawing").inc()
                continue
            self.shown.tick()
            self._drawn()
        self.newest = None


def _started(name: str, work: Callable[..., None], *args: object) -> Thread:
    thread = Thread(target=work, args=args, name=name, daemon=True)
    thread.start()
    return thread


def _something_read(result: FrameResult) -> bool:
    """Return whether a face was classified in this very frame, or none was there to be."""
    read = any(not np.isnan(face.probs_raw).any() for face in result.faces)
    return read or all(face.unreadable for face in result.faces)
