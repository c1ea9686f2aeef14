"""The two ends of a visitor's connection: the camera's frames in, the drawn pictures out.

The server makes a connection only for a stream that has a place, one at a time, and closes it
itself as soon as the stream has lost its place: what the browser does is not relied on.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from weakref import ReferenceType, WeakKeyDictionary, ref

import av
import streamlit as st
import streamlit_webrtc
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.mediastreams import VIDEO_TIME_BASE, MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit_webrtc import VideoSinkTrack, WebRtcMode
from streamlit_webrtc.webrtc import SignallingTimeoutError, _process_offer_coro

from emorec.live import intake, offer
from emorec.live.film import Film
from emorec.live.stream import SILENCE_S, LiveStream
from emorec.pages.live import admission
from emorec.pages.live.state import LivePicture
from emorec.pages.parts.visit import State, visit
from emorec.words import N_, _

log = logging.getLogger(__name__)

_CHECK_EVERY_S = 0.5
_CLOSE_S = 1.0  # takes milliseconds, where there is no relay or it answers
_TAB_GONE_S = SILENCE_S  # Streamlit's page opens a broken WebSocket again within seconds
_LEAST_STEPS = 0.75  # between two pictures, of a camera's step: they come not quite evenly
_LOOK_EVERY_S = 0.1  # where no picture is drawn: what is to be shown may change all the same
_TICK_S = float(VIDEO_TIME_BASE)
_REPEAT_S = 0.5  # a browser that receives nothing for longer takes the picture for lost


@dataclass
class TimesLeft(State):
    """A number that grows whenever a page other than the Live page is shown."""

    outlives_consent = True  # it counts pages, and must never fall: see `times_left`

    number: int = 0


def leave() -> None:
    """End the live session, as a page other than the Live page is shown, and say so."""
    visit().state(TimesLeft).number += 2  # one more would be the run after the last
    own = visit().state(LivePicture)
    if own.since_s is not None and own.stream is not None:
        own.since_s = None
        own.stream.stop()
        st.toast(
            _("**Your live session has ended**, as you left its page. Its report is there."),
            icon=":material/stop_circle:",
        )


def times_left(session_info: object = None) -> int:
    """Return a number that grows whenever a page other than the Live page is shown.

    streamlit-webrtc compares it with the number at its component's last run, and resets a
    component that was left out in between.
    """
    return visit().state(TimesLeft).number


class PictureTrack(MediaStreamTrack):
    """Sends the stream's newest picture as soon as it has changed.

    streamlit-webrtc's `VideoSourceTrack` takes a picture at every tick of its own clock and then
    waits for the next tick. On a busy machine it sent most pictures twice, which costs the encoder
    as much as a new picture, and all of them one tick late.

    Args:
        stream: makes the pictures.
        fps: pictures a second that are sent at most; up to a third more where they come unevenly.
    """

    kind = "video"

    def __init__(self, stream: LiveStream, fps: int) -> None:
        super().__init__()
        self._stream = stream
        self._least_s = _LEAST_STEPS / fps
        self._began_s: float | None = None
        self._sent: object = None
        self._sent_s = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waits: asyncio.Future[None] | None = None

    async def recv(self) -> av.VideoFrame:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._stream.drawn = self.look
        while True:
            if self.readyState != "live":
                raise MediaStreamError
            planes, now_s = self._stream.planes, monotonic()
            left_s = self._sent_s - now_s
            left_s += self._least_s if planes is not self._sent else _REPEAT_S
            if left_s <= 0:
                break
            await self._until_drawn(min(left_s, _LOOK_EVERY_S))
        self._sent, self._sent_s = planes, now_s
        if self._began_s is None:
            self._began_s = now_s
        # A new frame object each time: the same object would get a second time stamp while it is
        # still being sent, and a decoder fails on two frames of one time. The pixels are shared,
        # not copied: copying would hold up the event loop, and no code writes to them.
        frame = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
        frame.pts = round((now_s - self._began_s) / _TICK_S)
        frame.time_base = VIDEO_TIME_BASE
        return frame

    def look(self) -> None:
        """Look for another picture; any thread may say so."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        super().stop()
        self.look()

    async def _until_drawn(self, most_s: float) -> None:
        assert self._loop is not None
        waits = self._waits = self._loop.create_future()
        timer = self._loop.call_later(most_s, self._wake)
        await waits
        timer.cancel()

    def _wake(self) -> None:
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(None)


class CameraTrack(VideoSinkTrack):
    """Takes the camera's frames; however it ends, it stops the stream and the picture's track.

    streamlit-webrtc's own `create_video_sink_track` and `create_video_source_track` would keep one
    thread each for every visitor who has the page open, and for minutes after the visitor has left.

    Args:
        stream: takes the frames.
        picture: the track that goes back to the visitor.
        session_id: of the visitor's tab, as Streamlit counts them; None: there is none.
        film: a video that is played to the stream in place of a camera; None: none is.
    """

    def __init__(
        self,
        stream: LiveStream,
        picture: PictureTrack,
        session_id: str | None = None,
        film: Path | None = None,
    ) -> None:
        super().__init__(stream.put)
        self._stream = stream
        self._picture = picture
        self._session_id = session_id
        self._film = Film(film, stream.put) if film else None
        self._peer: ReferenceType[RTCPeerConnection] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._closing: asyncio.Future[None] | None = None  # of the peer before; kept until it ends

    def stop(self) -> None:
        super().stop()
        if _peers.get(self._stream) is self._peer:  # else a later START has the stream
            self._stream.stop()
        self._picture.stop()
        if self._film is not None:
            self._film.stop()

    async def admit(self, peer: RTCPeerConnection, asked: RTCSessionDescription) -> None:
        """Take a peer whose offer has just come, and close it when the stream is over.

        Raises:
            OfferError: as of `emorec.live.offer.check`; or the stream has no place.
        """
        offer.check(asked)
        if not self._stream.live:
            raise offer.OfferError(N_("Your place in the room has been given back. Press START."))
        former = _peers.get(self._stream)
        self._peer = _peers[self._stream] = ref(peer)
        if former is not None and (connection := former()) is not None:
            # Its pictures end at once. But aioice says goodbye to its relay, and asks one that is
            # gone for over half a minute, while this START must be answered within 10 s.
            self._closing = asyncio.ensure_future(connection.close())
            await asyncio.wait([self._closing], timeout=_CLOSE_S)

        @peer.on("track")
        def on_track(track: RemoteStreamTrack) -> None:
            track._queue = intake.Handover(self._stream.put)

            @track.on("ended")
            def on_ended() -> None:
                if why := intake.excess_of(track):
                    log.warning("a camera sent more than is taken: its session is over")
                    self._stream.problem = why
                self.stop()

        if self._film is not None:
            self._film.start()
        self._watch = asyncio.ensure_future(self._close_when_over(peer))

    async def _close_when_over(self, peer: RTCPeerConnection) -> None:
        """Close a peer soon after its stream has lost the place, or its tab was closed."""
        tab_seen_s = monotonic()
        while peer.connectionState not in ("closed", "failed"):
            await asyncio.sleep(_CHECK_EVERY_S)
            if self._tab_is_open():
                tab_seen_s = monotonic()
            if not self._stream.live or monotonic() - tab_seen_s > _TAB_GONE_S:
                await peer.close()
        self.stop()  # the end of a camera's track has done so; a film has none

    def _tab_is_open(self) -> bool:
        if self._session_id is None or not Runtime.exists():
            return True
        return Runtime.instance().is_active_session(self._session_id)


_peers: WeakKeyDictionary[LiveStream, ReferenceType[RTCPeerConnection]] = WeakKeyDictionary()


def tracks(
    stream: LiveStream, fps: int, film: Path | None = None
) -> tuple[CameraTrack, PictureTrack]:
    """Return a new pair for the next START; the one before keeps what it is connected to.

    Args:
        stream: the visitor's live picture.
        fps: as of `PictureTrack`.
        film: as of `CameraTrack`.
    """
    picture = PictureTrack(stream, fps)
    context = get_script_run_ctx()
    session_id = context.session_id if context else None
    return CameraTrack(stream, picture, session_id, film), picture


async def process_offer(
    mode: WebRtcMode, peer: RTCPeerConnection, asked: RTCSessionDescription, **given: Any
) -> RTCSessionDescription:
    """Answer an offer as streamlit-webrtc does, if `CameraTrack.admit` takes it.

    Raises:
        OfferError: it is refused; one line for the visitor.
    """
    camera = given["sink_video_track"]
    assert isinstance(camera, CameraTrack)
    await camera.admit(peer, asked)
    try:
        answer: RTCSessionDescription = await _process_offer_coro(mode, peer, asked, **given)
    except (ValueError, InvalidStateError, OperationError):
        raise offer.OfferError(
            N_("The browser and this server have no form of picture in common (VP8).")
        ) from None
    return answer


def webrtc_streamer(stream: LiveStream, **given: Any) -> Any:
    """Show streamlit-webrtc's component; a visitor whose offer is refused gets one line instead."""
    try:
        # Else the browser offers to receive sound too.
        return streamlit_webrtc.webrtc_streamer(sendback_audio=False, **given)
    except offer.OfferError as error:
        admission.refuse(stream, _(str(error)))
    except SignallingTimeoutError:  # as where the event loop is late by seconds
        admission.refuse(stream, _("The server is busy, and did not answer in time. Press START."))
