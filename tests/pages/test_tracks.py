"""What the two ends of a connection do when the other side is slow."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import pytest
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError

from emorec.live.stream import LiveStream
from emorec.pages.tracks import tracks

FPS = 50


class Numbered(LiveStream):
    """Sends pictures that are as bright as their number."""

    def __init__(self) -> None:
        self.sent = 0

    def picture(self, pts: int, time_base: Fraction) -> av.VideoFrame:
        picture = gray_picture(self.sent)
        self.sent += 1
        return picture

    def stop(self, wait_s: float = 0.0) -> None:
        pass


def gray_picture(number: int) -> av.VideoFrame:
    picture = av.VideoFrame(16, 16, "gray")
    picture.planes[0].update(bytes([number]) * picture.planes[0].buffer_size)
    return picture


def number(picture: av.VideoFrame) -> int:
    return int(picture.to_ndarray()[0, 0])


def test_who_takes_pictures_slowly_gets_the_newest() -> None:
    async def watch() -> tuple[list[int], int]:
        stream = Numbered()
        _, source = tracks(stream, FPS)
        sender = MediaRelay().subscribe(source)
        seen = [number(await sender.recv())]
        for _ in range(3):
            await asyncio.sleep(10 / FPS)
            seen.append(number(await sender.recv()))
        source.stop()
        return seen, stream.sent

    seen, sent = asyncio.run(watch())
    assert seen == sorted(seen)
    assert sent > 20 and sent - seen[-1] <= 3, f"picture {seen[-1]} of {sent}"


def test_who_waits_when_the_picture_ends_is_told() -> None:
    async def watch() -> None:
        _, source = tracks(Numbered(), FPS)
        sender = MediaRelay().subscribe(source)
        await sender.recv()
        source.stop()
        while True:
            await sender.recv()

    with pytest.raises(MediaStreamError):
        asyncio.run(asyncio.wait_for(watch(), 10))
