"""What the two ends of a connection do when the other side is slow."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from types import SimpleNamespace

import av
import numpy as np
import pytest
import streamlit as st
from aiortc import clock
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError
from streamlit_webrtc import component

from emorec.live.stream import LiveStream
from emorec.pages.live.webrtc import leave, tracks
from emorec.server import patches

FPS = 50


class Numbered(LiveStream):
    """Has another picture each time, as bright as its number."""

    def __init__(self) -> None:
        self.sent = 0
        self.drawn = None

    @property
    def planes(self) -> np.ndarray:
        planes = np.full((24, 16), self.sent, np.uint8)
        self.sent += 1
        return planes

    def stop(self, wait_s: float = 0.0) -> None:
        pass


class Still(Numbered):
    """Has one picture."""

    one = np.zeros((24, 16), np.uint8)

    @property
    def planes(self) -> np.ndarray:
        self.sent += 1
        return self.one


@pytest.fixture(autouse=True)
def patched() -> None:
    patches.apply()
    patches.component.end_connections_of_other_pages_only()


def number(picture: av.VideoFrame) -> int:
    return int(picture.to_ndarray()[0, 0])


def test_a_picture_that_has_not_changed_is_not_sent_again_at_once() -> None:
    async def watch() -> tuple[list[av.VideoFrame], int]:
        stream = Still()
        _, source = tracks(stream, FPS)
        seen = [await source.recv() for _ in range(3)]
        return seen, stream.sent

    seen, looked = asyncio.run(watch())
    assert looked > len(seen)  # or there was nothing to leave out
    # Each is a frame of its own to be stamped, and they are half a second apart.
    assert len({id(frame) for frame in seen}) == 3
    steps = [after.time - before.time for before, after in pairwise(seen)]
    assert min(steps) >= 0.5


def test_pictures_are_stamped_with_the_time_at_which_they_are_taken() -> None:
    async def watch() -> list[float]:
        _, source = tracks(Numbered(), FPS)
        times = []
        for wait_s in (0.0, 0.0, 0.3, 0.0, 0.0):
            await asyncio.sleep(wait_s)
            times.append((await source.recv()).time)
        return times

    times = asyncio.run(watch())
    steps = [after - before for before, after in pairwise(times)]
    assert min(steps) >= 0.4 / FPS and steps[1] >= 0.3


def test_between_the_two_ends_stands_no_relay() -> None:
    _, source = tracks(Numbered(), FPS)
    assert MediaRelay().subscribe(source) is source


def test_who_takes_pictures_slowly_gets_the_newest() -> None:
    async def watch() -> list[int]:
        stream = Numbered()
        _, source = tracks(stream, FPS)
        ahead = []
        for _ in range(4):
            stream.sent += 10  # drawn meanwhile
            newest = stream.sent
            ahead.append(number(await source.recv()) - newest)
            await asyncio.sleep(2 / FPS)
        return ahead

    assert asyncio.run(watch()) == [0] * 4


def test_a_picture_is_sent_when_it_is_drawn_and_not_looked_for_meanwhile() -> None:
    async def watch() -> tuple[float, int]:
        stream = Still()
        _, source = tracks(stream, FPS)
        await source.recv()
        loop, looked = asyncio.get_running_loop(), stream.sent
        began_s = loop.time()

        def draw() -> None:
            stream.one = np.ones((24, 16), np.uint8)
            stream.drawn()

        threading.Timer(0.25, draw).start()
        await source.recv()
        return loop.time() - began_s, stream.sent - looked

    waited_s, looked = asyncio.run(watch())
    assert 0.2 < waited_s < 0.5  # an unchanged picture is sent again after half a second
    assert looked < 10  # twenty times as often it would be at every fifth of a camera's step


def test_who_waits_when_the_picture_ends_is_told() -> None:
    async def watch() -> None:
        _, source = tracks(Still(), FPS)
        await source.recv()
        asyncio.get_running_loop().call_later(0.05, source.stop)
        await source.recv()

    with pytest.raises(MediaStreamError):
        asyncio.run(asyncio.wait_for(watch(), 10))


def test_aiortcs_time_does_not_follow_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    before_ms = clock.current_ms()
    jumped = datetime.now(UTC) + timedelta(days=1)
    wall = SimpleNamespace(now=lambda zone=None: jumped)
    monkeypatch.setattr(clock, "datetime", SimpleNamespace(datetime=wall, timezone=timezone))
    assert 0 <= clock.current_ms() - before_ms < 60_000


def test_only_another_page_ends_what_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = iter(range(0, 100, 5))  # runs of the page, as Streamlit counts them when it comes to it
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(
        component, "get_this_session_info", lambda: SimpleNamespace(script_run_count=next(ended))
    )
    playing = component.WebRtcStreamerState(playing=True, signalling=False)
    context = component._get_or_create_context("webcam")
    context._set_state(playing)
    for _ in range(3):
        assert component._get_or_create_context("webcam").state == playing
    leave()
    assert not component._get_or_create_context("webcam").state.playing
    context._set_state(playing)  # back, and START
    assert component._get_or_create_context("webcam").state == playing
