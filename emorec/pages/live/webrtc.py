"""The two ends of a visitor's connection: the camera's frames in, the drawn pictures out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic

import av
from aiortc.mediastreams import VIDEO_TIME_BASE, MediaStreamError, MediaStreamTrack
from streamlit_webrtc import VideoSinkTrack

from emorec.live.stream import LiveStream
from emorec.pages.parts.visit import State, visit

_LOOK_STEPS, _LEAST_STEPS = 0.2, 0.75  # between pictures; a camera's are not quite even
_REPEAT_S = 0.5  # a browser that receives nothing for longer takes the picture for lost


@dataclass
class TimesLeft(State):
    """A number that grows whenever a page other than the Live page is shown."""

    outlives_consent = True  # it counts pages, and must never fall: see `times_left`

    number: int = 0


def leave() -> None:
    """Note that a page other than the Live page is shown: the Live page's connection is over."""
    visit().state(TimesLeft).number += 2  # one more would be the run after the last


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
        self._look_s, self._least_s = _LOOK_STEPS / fps, _LEAST_STEPS / fps
        self._began_s: float | None = None
        self._sent: object = None
        self._sent_s = 0.0

    async def recv(self) -> av.VideoFrame:
        while True:
            if self.readyState != "live":
                raise MediaStreamError
            planes, now_s = self._stream.planes, monotonic()
            least_s = self._least_s if planes is not self._sent else _REPEAT_S
            if now_s - self._sent_s >= least_s:
                break
            await asyncio.sleep(self._look_s)
        self._sent, self._sent_s = planes, now_s
        if self._began_s is None:
            self._began_s = now_s
        # A new frame object each time: the same object would get a second time stamp while it is
        # still being sent, and a decoder fails on two frames of one time. The pixels are shared,
        # not copied: copying would hold up the event loop, and no code writes to them.
        frame = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
        frame.pts = round((now_s - self._began_s) / VIDEO_TIME_BASE)
        frame.time_base = VIDEO_TIME_BASE
        return frame


class CameraTrack(VideoSinkTrack):
    """Takes the camera's frames; however it ends, it stops the stream and the picture's track.

    streamlit-webrtc's own `create_video_sink_track` and `create_video_source_track` would keep one
    thread each for every visitor who has the page open, and for minutes after the visitor has left.
    """

    def __init__(self, stream: LiveStream, picture: PictureTrack) -> None:
        super().__init__(stream.put)
        self._stream = stream
        self._picture = picture

    def stop(self) -> None:
        super().stop()
        self._stream.stop()
        self._picture.stop()


def tracks(stream: LiveStream, fps: int) -> tuple[CameraTrack, PictureTrack]:
    """Return a new pair for the next START; the one before keeps what it is connected to."""
    picture = PictureTrack(stream, fps)
    return CameraTrack(stream, picture), picture
