"""A connection is made for a stream that has a place, one at a time; the server ends it itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import streamlit_webrtc
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import CODECS
from aiortc.contrib.media import MediaRelay
from aiortc.rtp import RtpPacket
from streamlit_webrtc import WebRtcMode
from streamlit_webrtc.webrtc import SignallingTimeoutError

from emorec.live.intake import MOST_STREAMS
from emorec.live.offer import OfferError
from emorec.live.room import Room
from emorec.live.stream import LiveStream
from emorec.pages.live import admission
from emorec.pages.live.webrtc import process_offer, tracks, webrtc_streamer
from emorec.server import patches


@pytest.fixture(autouse=True)
def patched() -> None:
    patches.apply()
    patches.component.answer_offers_that_were_checked()


def no_reader() -> Any:
    raise AssertionError("no frame comes in these tests")


async def press_start(stream: LiveStream, camera: RTCPeerConnection) -> RTCPeerConnection:
    """Answer a camera's offer as streamlit-webrtc's worker does; return the server's peer."""
    server, relay = RTCPeerConnection(), MediaRelay()
    sink, source = tracks(stream, 30)
    rest = dict.fromkeys(
        [
            *("source_audio_track", "sink_audio_track", "in_recorder", "out_recorder"),
            *("video_processor", "audio_processor", "video_receiver", "audio_receiver"),
        ]
    )
    camera.addTransceiver("video", "sendrecv")
    await camera.setLocalDescription(await camera.createOffer())
    try:
        answer = await streamlit_webrtc.webrtc._process_offer_coro(
            WebRtcMode.SENDRECV,
            server,
            camera.localDescription,
            relay=relay,
            source_video_track=relay.subscribe(source),
            sink_video_track=sink,
            async_processing=True,
            sendback_video=True,
            sendback_audio=True,
            on_track_created=lambda kind, track: None,
            remote_description_set_event=asyncio.Event(),
            **rest,
        )
    except OfferError:
        await server.close()
        raise
    await camera.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type))
    return server


def with_cameras(work: Callable[..., Awaitable[None]], number: int = 1) -> None:
    async def run() -> None:
        cameras = [RTCPeerConnection() for _ in range(number)]
        try:
            async with asyncio.timeout(60):
                await work(*cameras)
        finally:
            for camera in cameras:
                await camera.close()

    asyncio.run(run())


async def closed(peer: RTCPeerConnection) -> None:
    while peer.connectionState != "closed":
        await asyncio.sleep(0.05)


def test_a_stream_without_a_place_gets_no_connection() -> None:
    stream = LiveStream(no_reader)

    async def work(camera: RTCPeerConnection) -> None:
        with pytest.raises(OfferError, match="place"):
            await press_start(stream, camera)

    with_cameras(work)
    assert streamlit_webrtc.webrtc._process_offer_coro is process_offer


def test_a_stream_that_loses_its_place_loses_its_connection() -> None:
    stream, room = LiveStream(no_reader), Room(1)
    assert room.enter(stream)

    async def work(camera: RTCPeerConnection) -> None:
        server = await press_start(stream, camera)
        while server.connectionState != "connected":
            await asyncio.sleep(0.05)
        room.leave(stream)
        await closed(server)

    with_cameras(work)


def test_a_second_start_is_answered_while_the_first_says_goodbye_to_a_relay_that_is_gone() -> None:
    stream, room = LiveStream(no_reader), Room(1)
    assert room.enter(stream)

    async def work(first: RTCPeerConnection, second: RTCPeerConnection) -> None:
        former = await press_start(stream, first)
        close, answers = former.close, asyncio.Event()

        async def close_late() -> None:
            await answers.wait()
            await close()

        former.close = close_late
        server = await press_start(stream, second)
        assert former.connectionState != "closed"
        answers.set()
        await closed(former)
        assert server.connectionState != "closed"
        await server.close()

    with_cameras(work, 2)


def test_a_second_connection_ends_the_first_and_not_the_stream() -> None:
    stream, room = LiveStream(no_reader), Room(1)
    assert room.enter(stream)

    async def work(first: RTCPeerConnection, second: RTCPeerConnection) -> None:
        former = await press_start(stream, first)
        server = await press_start(stream, second)
        await closed(former)
        while server.connectionState != "connected":
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)  # the first's tracks have ended
        assert stream.live and server.connectionState == "connected"
        await server.close()

    with_cameras(work, number=2)


def test_a_camera_that_names_ever_new_streams_is_cut_off() -> None:
    stream, room = LiveStream(no_reader), Room(1)
    assert room.enter(stream)

    async def work(camera: RTCPeerConnection) -> None:
        server = await press_start(stream, camera)
        while server.connectionState != "connected" or camera.connectionState != "connected":
            await asyncio.sleep(0.05)
        (sender,) = camera.getSenders()
        vp8 = next(codec for codec in CODECS["video"] if codec.name == "VP8").payloadType
        for number in range(40):
            packet = RtpPacket(payload_type=vp8, sequence_number=number, ssrc=1000 + number)
            with contextlib.suppress(ConnectionError):  # it is cut off
                await sender.transport._send_rtp(packet.serialize())
            await asyncio.sleep(0.01)
        (receiver,) = server.getReceivers()
        assert 1 < len(receiver._RTCRtpReceiver__remote_streams) <= MOST_STREAMS
        await closed(server)
        assert not stream.live

    with_cameras(work)


@pytest.mark.parametrize("error", [SignallingTimeoutError("late"), OfferError("No.")])
def test_a_connection_that_is_not_made_costs_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**given: object) -> None:
        raise error

    refused: list[str] = []
    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", fails)
    monkeypatch.setattr(admission, "refuse", lambda stream, why: refused.append(why))
    webrtc_streamer(LiveStream(no_reader), key="webcam")
    (line,) = refused
    assert line and "\n" not in line and "late" not in line
