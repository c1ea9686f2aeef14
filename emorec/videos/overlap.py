"""Decoding, finding, reading and writing of one video at the same time, each in its own thread.

Frames keep their order, errors reach the caller's thread, and memory is bounded. Threads help
because PyAV, OpenCV and LiteRT release Python's lock while they work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Condition
from types import TracebackType
from typing import Generic, Self, TypeVar

from emorec.media.video import ImageBGR
from emorec.reading import Sink
from emorec.records import FrameResult

T = TypeVar("T")

_WAITING_BYTES = 21_000_000
"""Most bytes of the pictures that wait in one `Channel`: 7 pictures of 1280×720. Finding takes
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
def ahead(values: Iterator[T], size: Callable[[T], int], thread: str) -> Iterator[Iterator[T]]:
    """Make values in a thread of its own, some ahead of the caller.

    Args:
        values: makes them. What it uses may be closed after the end of the context: no value is
            being made then.
        size: returns the bytes of a value.
        thread: the thread's name.

    Yields:
        The same values; it raises what ``values`` raises, after the values before the error.
    """
    channel = Channel[T]()

    def make() -> None:
        try:
            for value in values:
                if not channel.send(value, size(value)):
                    return
        finally:
            channel.end()

    def received() -> Iterator[T]:
        # The first value is made in the caller's thread, where Ctrl+C interrupts it: without an
        # index a video is decoded from its start on to find the first frame.
        first = next(values, None)
        if first is None:
            return
        made = pool.submit(make)
        yield first
        yield from channel
        made.result()

    with ThreadPoolExecutor(1, thread) as pool:
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
