"""The limits on what is decoded of one visitor's camera: pixels, pixels a second, waiting frames.

aiortc decodes every picture that arrives. Three VP8 frames of 8192×8192 (114 kB) took the server
from 421 to 3,137 MB. So the header of each frame is read before the frame is decoded.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import av
from aiortc.codecs import get_decoder

from emorec.words import N_

MOST_PIXELS = 1920 * 1440
"""The largest picture taken: the page asks for 1920×1080 at most, which VP8 codes as 1920×1088, and
some browsers answer with the whole sensor of a camera that is 1920 wide, up to 4:3."""

MOST_PIXELS_PER_S = 45 * 1920 * 1088
"""The page asks for 30 frames a second; this is half as many again of the largest size asked for,
and 60 frames a second of 1280×720."""

MOST_STREAMS = 16
"""Streams of packets (SSRC) of one camera: a browser has two, and six where it sends three sizes of
the picture at once."""

_BURST_S = 2.0  # what a line held back arrives at once; `emorec.live.bandwidth` keeps it short
_LEAST_PIXELS = 1 << 20  # a small frame costs the other threads as much as its decoding
_MOST_WAITING = 90  # frames, 3 s of a camera

_START_CODE = b"\x9d\x01\x2a"
_EXCESS = "emorec_excess"

Task = tuple[Any, Any] | None
"""What aiortc puts into a decoder's queue: codec and encoded frame; None ends the thread."""


def is_key_frame(data: bytes) -> bool:
    """Return whether a VP8 frame can be decoded without the ones before it (RFC 6386, 9.1)."""
    return bool(data) and not data[0] & 1


def key_frame_size(data: bytes) -> tuple[int, int]:
    """Return the width and height in pixels that a VP8 key frame gives.

    Raises:
        ValueError: the header is cut short, or is no header of a key frame.

    Source: RFC 6386, section 9.1.
    """
    if len(data) < 10 or data[3:6] != _START_CODE:
        raise ValueError("no header of a VP8 key frame")
    width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width, height


class Allowance:
    """What one camera may still send; `excess` takes each frame in turn.

    Args:
        clock: gives seconds that never fall.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._size_wh = (0, 0)
        self._left = _BURST_S * MOST_PIXELS_PER_S
        self._at_s = clock()

    def excess(self, data: bytes) -> str | None:
        """Return one line for the visitor where a frame is over a limit; None where it is not.

        Raises:
            ValueError: as of `key_frame_size`.
        """
        if is_key_frame(data):
            self._size_wh = key_frame_size(data)
        width, height = self._size_wh
        if width * height > MOST_PIXELS:
            return (
                f"Your camera's picture is {width} × {height} pixels, and the most that is taken "
                "is 1920 × 1440: this session is over. Choose a lower resolution, and press START."
            )
        now_s = self._clock()
        earned = (now_s - self._at_s) * MOST_PIXELS_PER_S
        self._left = min(self._left + earned, _BURST_S * MOST_PIXELS_PER_S)
        self._at_s = now_s
        self._left -= max(width * height, _LEAST_PIXELS)
        if self._left < 0:
            return N_(
                "Your camera sends more pictures a second than are taken: this session is over."
                " Choose a lower resolution, and press START."
            )
        return None


class Intake:
    """Stands between the frames that arrive and the thread that decodes them.

    That thread (`decode`) takes each frame by `get`. A frame over a limit ends the camera's track,
    as STOP does; `excess_of` then says why. Where the thread falls behind, frames are skipped up to
    the next key frame, which the sender is asked for.

    Args:
        arrived: the frames, in order.
        decoded: the queue of the camera's track.
        damaged: set where the sender is to be asked for a key frame.
        allowance: what the camera may send.
    """

    def __init__(
        self,
        arrived: queue.Queue[Task],
        decoded: asyncio.Queue[Any],
        damaged: threading.Event,
        allowance: Allowance | None = None,
    ) -> None:
        self._arrived = arrived
        self._decoded = decoded
        self._damaged = damaged
        self._allowance = allowance or Allowance()
        self._skips = False

    def get(self) -> Task:
        """Return the next frame to decode; None: there is none any more. Waits for it."""
        while (task := self._arrived.get()) is not None:
            data = task[1].data
            try:
                excess = self._allowance.excess(data)
            except ValueError:
                self._damaged.set()
                continue
            if excess is not None:
                setattr(self._decoded, _EXCESS, excess)
                return None
            if self._arrived.qsize() > _MOST_WAITING:
                self._skips = True
            elif self._skips and is_key_frame(data):
                self._skips = False
            if not self._skips:
                return task
            self._damaged.set()
        return None


class Handover(asyncio.Queue[Any]):
    """The queue of a camera's track that hands its pictures over at once; only the end waits in it.

    Through aiortc's queue, a picture costs the event loop a future, two tasks and as many wake-ups.

    Args:
        take: is given each picture by the thread that decodes.
    """

    def __init__(self, take: Callable[[av.VideoFrame], None]) -> None:
        super().__init__()
        self.take = take


def decode(
    loop: asyncio.AbstractEventLoop,
    arrived: queue.Queue[Task],
    decoded: asyncio.Queue[Any],
    damaged: threading.Event,
) -> None:
    """Decode a camera's frames until there is none any more; the work of a thread of its own.

    Args:
        loop: of the connection.
        arrived: the frames, in order.
        decoded: where the pictures go to: handed over, where it is a `Handover`; at the end, None.
        damaged: set where the sender is to be asked for a key frame.
    """

    def wait_in_line(picture: av.VideoFrame | None) -> None:
        loop.call_soon_threadsafe(decoded.put_nowait, picture)

    take: Callable[[Any], None] = decoded.take if isinstance(decoded, Handover) else wait_in_line
    intake = Intake(arrived, decoded, damaged)
    decoder = None
    while (task := intake.get()) is not None:
        codec, frame = task
        decoder = decoder or get_decoder(codec)  # VP8, as no other is offered
        try:
            pictures = decoder.decode(frame)
        except av.FFmpegError:
            damaged.set()
            continue
        for picture in pictures:
            take(picture)
    wait_in_line(None)


def excess_of(track: Any) -> str | None:
    """Return the line for the visitor whose camera's track a limit has ended; else None."""
    return getattr(track._queue, _EXCESS, None)
