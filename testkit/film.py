"""The camera of a visitor without a browser: its film is encoded once, then only sent."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from fractions import Fraction
from pathlib import Path

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from testkit import marks
from testkit.app import FPS, webcam_frame

LOOP = 4 * FPS
"""Frames after which the camera's film starts again."""
NUMBER_BITS, AGE_BITS = 7, 12
_CLOCK = Fraction(1, 90_000)


def write_film(
    path: Path, size_wh: tuple[int, int] = (640, 480), bits_per_s: int = 1_500_000
) -> Path:
    """Write the film as VP8, with one key frame per second; every frame carries its number."""
    with av.open(str(path), "w", format="ivf") as film:
        stream = film.add_stream("libvpx", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *size_wh, "yuv420p"
        stream.bit_rate, stream.gop_size = bits_per_s, FPS
        stream.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        # libvpx's threads wait for each other without a rest: ten times the work on a busy machine.
        stream.codec_context.thread_count = 1
        for number in range(LOOP):
            image = webcam_frame(number, size_wh)
            marks.write(image, number, NUMBER_BITS)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        film.mux(stream.encode())
    return path


class Camera(MediaStreamTrack):
    """Sends the encoded film in an endless loop."""

    kind = "video"

    def __init__(self, film: list[bytes], fps: int) -> None:
        super().__init__()
        self.taken: deque[tuple[int, float]] = deque(maxlen=LOOP)
        """Numbers of the frames sent and when, by the monotonic clock."""
        self._film = film
        self._fps = fps
        self._count = 0
        self._began = 0.0
        self._paused = False

    def pause(self) -> None:
        """Send nothing more."""
        self._paused = True

    async def recv(self) -> av.Packet:
        if self.readyState != "live":
            raise MediaStreamError
        while self._paused:
            await asyncio.sleep(0.1)
        now = time.monotonic()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._count / self._fps - now))
        number = self._count % LOOP
        packet = av.Packet(self._film[self._count % len(self._film)])
        packet.pts, packet.time_base = self._count * 90_000 // self._fps, _CLOCK
        self.taken.append((number, time.monotonic()))
        self._count += 1
        return packet
