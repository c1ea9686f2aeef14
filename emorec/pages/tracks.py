"""The two ends of a visitor's connection: the camera's frames in, the drawn pictures out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partialmethod
from time import monotonic

import aioice.ice
import streamlit as st
from aiortc import clock
from aiortc.contrib.media import MediaRelay, RelayStreamTrack
from streamlit_webrtc import VideoSinkTrack, VideoSourceTrack, component

from emorec.live.stream import LiveStream

# A browser that was killed says no farewell; the peer asks it every 4 to 6 s whether it is still
# there. After four times without an answer, not six, the peer is gone within 30 s.
aioice.ice.CONSENT_FAILURES = 4

# streamlit-webrtc connects each end by a relay that keeps every picture until it is taken. On a
# busy machine, where the encoder takes fewer than there are, the queue grew without bound, and what
# a visitor saw fell behind by seconds. Each end takes the newest picture instead.
MediaRelay.subscribe = partialmethod(MediaRelay.subscribe, buffered=False)  # type: ignore[assignment, method-assign]

_stop_end = RelayStreamTrack.stop


def _stop_and_tell(track: RelayStreamTrack) -> None:
    """Stop an end, and tell whoever waits for its next picture that there is none.

    aiortc lets it wait for ever, with the last picture and all that the session had.
    """
    _stop_end(track)
    track._frame = None
    if track._new_frame_event is not None:
        track._new_frame_event.set()


RelayStreamTrack.stop = _stop_and_tell  # type: ignore[assignment, method-assign]

_BEGAN = datetime.now(UTC) - timedelta(seconds=monotonic())
# aiortc counts bits over the wall clock's milliseconds one by one: where that jumped by a day, as
# after a machine has slept, everybody's picture stood still until it had caught up.
clock.current_datetime = lambda: _BEGAN + timedelta(seconds=monotonic())

_LEFT = "live left"


def leave() -> None:
    """Note that something else is shown than the live page: what was connected there is over."""
    st.session_state[_LEFT] = _times_left() + 2  # one more would be the run after the last


def _times_left(session_info: object = None) -> int:
    return int(st.session_state.get(_LEFT, 0))


# streamlit-webrtc ends a connection whose component was left out of a run, as when another page is
# shown. It counts the runs that have ended, which it hears of too late on a busy machine: then one
# or two of a hundred visitors who pressed START lost the picture at once. What counts is `leave`.
component.get_script_run_count = _times_left


class CameraTrack(VideoSinkTrack):
    """Takes the camera's frames. Its end, by whatever way, is the stream's and the picture's.

    streamlit-webrtc's own `create_video_sink_track` and `create_video_source_track` would keep a
    thread each for every visitor who has the page open, and for minutes after he has left.
    """

    def __init__(self, stream: LiveStream, picture: VideoSourceTrack) -> None:
        super().__init__(stream.put)
        self._stream = stream
        self._picture = picture

    def stop(self) -> None:
        super().stop()
        self._stream.stop()
        self._picture.stop()


def tracks(stream: LiveStream, fps: int) -> tuple[CameraTrack, VideoSourceTrack]:
    """Return a new pair for the next START; the one before keeps what it is connected to."""
    picture = VideoSourceTrack(stream.picture, fps)
    return CameraTrack(stream, picture), picture
