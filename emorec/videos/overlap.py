"""Decoding, reading and writing of one video at the same time, each in a thread of its own.

Frames keep their order, errors reach the caller's thread, and memory is bounded. Threads help
because PyAV, OpenCV and LiteRT release Python's lock while they work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Condition
from types import TracebackType
from typing import Generic, Self, TypeVar

from emorec.media.video import ImageBGR, VideoFrame
from emorec.reading import Sink
from emorec.records import FrameResult

T = TypeVar("T")

_WAITING_BYTES = 32_000_000
"""Most bytes of the pictures that wait in one `Channel`: 11 pictures of 1280×720. Reading takes
longest in the frames with a search, of which every tenth is one in a video of 30 frames a second.
"""


class Channel(Generic[T]):
    """Hands values from one thread to another, in order; it is full at a number of bytes.

    A value larger than that is accepted when no other one waits.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._ended = self._stopped = False

    def send(self, value: T, size: int) -> bool:
        """Add a value of so many bytes, once there is room; return False if `stop` was called."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or not self._waiting or self._bytes + size <= _WAITING_BYTES
            )
            if self._stopped:
                return False
            self._waiting.append((value, size))
            self._bytes += size
            self._changed.notify_all()
        return True

    def end(self) -> None:
        """Say that no value follows; the receiver still gets those that wait."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Drop the values that wait; the sender and the receiver go on at once."""
        with self._changed:
            self._ended = self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Yield the values until the sender has ended, or until `stop` is called."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                value, size = self._waiting.popleft()
                self._bytes -= size
                self._changed.notify_all()
            yield value


@contextmanager
def decoded_ahead(frames: Iterator[VideoFrame]) -> Iterator[Iterator[VideoFrame]]:
    """Decode frames in a thread of its own, some ahead of the caller.

    Args:
        frames: what `emorec.media.video.Video.frames` returns. The video may be closed after the
            end of the context: no frame is being decoded then.

    Yields:
        The same frames; it raises what ``frames`` raises, after the frames before the error.
    """
    channel = Channel[VideoFrame]()

    def decode() -> None:
        try:
            for frame in frames:
                if not channel.send(frame, frame.image_bgr.nbytes):
                    return
        finally:
            channel.end()

    def received() -> Iterator[VideoFrame]:
        # The first frame is decoded in the caller's thread, where Ctrl+C interrupts it: without an
        # index the video is decoded from its start on to find that frame.
        first = next(frames, None)
        if first is None:
            return
        decoded = pool.submit(decode)
        yield first
        yield from channel
        decoded.result()

    with ThreadPoolExecutor(1, "decode") as pool:
        try:
            yield received()
        finally:
            channel.stop()


class InThread:
    """A sink that hands frames and results to another sink, in a thread of its own.

    A picture that waits is not copied. So the source must give each picture an array of its own, as
    `emorec.media.video.Video.frames` does. An error of the other sink is raised by the next `add`,
    or at the end of the context.

    Args:
        sink: the other sink. Its context begins and ends in the caller's thread.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._frames = Channel[tuple[ImageBGR, FrameResult]]()
        self._pool = ThreadPoolExecutor(1, "write")
        self._written: Future[None] | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._sink)
        self._open.enter_context(self._pool)
        self._open.callback(self._frames.stop)
        return self

    def add(self, image_bgr: ImageBGR, result: FrameResult) -> None:
        """Hand over a frame; waits while too many wait already."""
        if self._written is None:
            self._written = self._pool.submit(self._write)
        if not self._frames.send((image_bgr, result), image_bgr.nbytes):
            self._written.result()  # raises the other sink's error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._open.__exit__(kind, error, trace)
            return
        with self._open:  # so that the other sink learns of an error of its last frames
            self._frames.end()
            if self._written is not None:
                self._written.result()

    def _write(self) -> None:
        try:
            for image_bgr, result in self._frames:
                self._sink.add(image_bgr, result)
        finally:
            self._frames.stop()
