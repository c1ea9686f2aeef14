"""Visitors who attack the app, for tests and benchmarks on this machine alone.

Each is a `testkit.visitor.Visitor` that does one thing that no browser does, or a request that no
browser sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection
from PIL import Image

from emorec.live.stream import SILENCE_S
from testkit.app import FPS
from testkit.film import Camera
from testkit.page import Page, PageError
from testkit.visitor import Visitor


def vp8_frames(size_wh: tuple[int, int], number: int = 1) -> list[bytes]:
    """Return so many VP8 frames of a plain picture, each a key frame."""
    codec = av.CodecContext.create("libvpx", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = *size_wh, "yuv420p"
    codec.time_base, codec.gop_size = Fraction(1, FPS), 1
    codec.options = {"deadline": "realtime", "cpu-used": "16", "lag-in-frames": "0"}
    width, height = size_wh
    frames = []
    for bright in range(number):
        planes = np.full((height * 3 // 2, width), 60 + bright, np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = bright
        frames += [bytes(packet) for packet in codec.encode(frame)]
    return frames


def many_scans(size_wh: tuple[int, int], scans: int) -> bytes:
    """Return a progressive JPEG of a grey plane whose last scan is repeated so many times.

    Each repetition is a few bytes, and has a decoder go over the whole picture.
    """
    stream = io.BytesIO()
    Image.new("L", size_wh, 128).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    last, end = data.rindex(b"\xff\xda"), len(data) - 2
    return data[:end] + data[last:end] * scans + data[end:]


class HugePictures(Visitor):
    """Sends some frames of another size after so many seconds of a usual picture."""

    def __init__(self, url: str, film: Path, after_s: float, frames: Sequence[bytes]) -> None:
        super().__init__(url, film)
        usual = self._film
        self._film = [usual[n % len(usual)] for n in range(round(after_s * FPS))] + list(frames)


class ManyPictures(Visitor):
    """Offers so many pictures in one connection, and sends them all."""

    def __init__(self, url: str, film: Path, number: int) -> None:
        super().__init__(url, film)
        self._number = number

    def _add_tracks(self, peer: RTCPeerConnection, camera: MediaStreamTrack) -> None:
        super()._add_tracks(peer, camera)
        for _ in range(self._number - 1):
            peer.addTrack(Camera(self._film, self._fps))


class Rewritten(Visitor):
    """Rewrites the offer before it is sent.

    Args:
        rewrite: takes the SDP and returns another.
    """

    def __init__(self, url: str, film: Path, rewrite: Any) -> None:
        super().__init__(url, film)
        self._rewrite = rewrite

    def _offered(self, sdp: str) -> str:
        return str(self._rewrite(sdp))


class Stubborn(Visitor):
    """Keeps the connection against the page's word: `connected` tells whether the server does."""

    async def send_nothing(self) -> None:
        """Stop sending pictures, and do not stop when the page says so."""
        assert self._camera is not None
        self._camera.pause()

    async def leave_tab(self) -> None:
        """Close the tab, and keep sending."""
        await self._open_page().close()

    async def _obey(self, page: Page, peer: RTCPeerConnection) -> None:
        pass


class Silent(Visitor):
    """Holds a place without sending a picture, and takes the next one just before it is over."""

    def _add_tracks(self, peer: RTCPeerConnection, camera: MediaStreamTrack) -> None:
        assert self._camera is not None
        self._camera.pause()
        super()._add_tracks(peer, camera)

    async def take_places(self) -> None:
        """Press START again and again; runs until it is cancelled."""
        while True:
            with contextlib.suppress(PageError):  # turned away: it waits like every other page
                await self.connect()
                await asyncio.sleep(SILENCE_S - 1)
            await self.stop()


class HalfUpload:
    """An upload by a raw connection, which need not keep to what it announces.

    Args:
        url: of the app.
        path: that it is sent to.
        headers: all of them but the host.
        method: of the request.
    """

    def __init__(
        self, url: str, path: str, headers: Mapping[str, str], method: str = "PUT"
    ) -> None:
        address = urlsplit(url)
        self.sent = 0
        self._socket = socket.create_connection((address.hostname, address.port or 80), 60)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {address.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes, chunked: bool = False) -> bool:
        """Send a part of the body; return False if the server takes no more within 5 seconds."""
        self._socket.settimeout(5)
        try:
            self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        except OSError:
            return False
        self.sent += len(data)
        return True

    def status(self, timeout_s: float = 60) -> int | None:
        """Return the status of the answer; None if there is none in time."""
        self._socket.settimeout(timeout_s)
        with contextlib.suppress(OSError):
            answer = self._socket.recv(100)
            if answer.startswith(b"HTTP/1.1 "):
                return int(answer.split()[1])
        return None

    def close(self) -> None:
        """Close the connection, as a browser does that is ended."""
        self._socket.close()
