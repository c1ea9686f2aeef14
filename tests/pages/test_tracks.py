"""What the two ends of a connection do when the other side is slow."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from types import SimpleNamespace

import av
import pytest
import streamlit as st
from aiortc import clock
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError
from streamlit_webrtc import component

from emorec.live.stream import LiveStream
from emorec.pages.tracks import leave, tracks

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


def test_an_end_that_is_stopped_keeps_nobody_waiting() -> None:
    async def watch() -> set[asyncio.Task]:
        _, source = tracks(Numbered(), FPS)
        relay = MediaRelay()
        own = relay.subscribe(source)
        sender = relay.subscribe(own)
        await sender.recv()
        own.stop()
        source.stop()
        _, left = await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=5)
        return left

    assert not asyncio.run(watch())


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
