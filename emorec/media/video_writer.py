"""Writes video files frame by frame, with the sound of another; never a whole one in memory."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from emorec.errors import ImageError
from emorec.media.video import ImageBGR, open_container

_TIME_BASE = Fraction(1, 90_000)
_BIT_RATE_A_PIXEL = 3.5  # bits a second: 3.2 Mbit/s at 1280×720; labels stay sharp


_PRESET = "ultrafast"
"""At 1280×720 with AVX2 it takes 9 ms of processor time a frame, "superfast" 17, "veryfast" 26, at
the same bit rate; it loses 1.8 dB (38.1 against 39.9), and labels stay sharp."""


class VideoWriter:
    """Writes frames as an MP4 file (H.264), with the sound of the video that they come from.

    Use it as a context manager. Until the end of the context the file has a temporary name; if
    writing fails, the temporary file is removed.

    Args:
        path: of the file; an existing file is replaced.
        sound_of: the video whose first sound track is copied; None: no sound.
        start_s: the second of that video at which the frames begin.

    """

    def __init__(self, path: Path, sound_of: Path | None = None, start_s: float = 0.0) -> None:
        self.path = path
        self._draft = path.with_name(f".{path.name}.part")
        self._start_s = start_s
        self._size_wh: tuple[int, int] | None = None
        self._last_pts = -1
        self._sound_of = sound_of
        self._sound: _Sound | None = None
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def write(self, image_bgr: ImageBGR, time_s: float) -> None:
        """Write the next frame.

        Args:
            image_bgr: uint8 of shape (h, w, 3). The first frame sets the size of the video.
            time_s: time in the video that the frames come from; must rise.

        Raises:
            ImageError: the file cannot be written.
        """
        container = self._container
        assert container is not None, "write only inside of the writer's context"
        try:
            if self._stream is None or self._size_wh is None:
                self._stream, self._size_wh = self._begin(container, image_bgr)
            if image_bgr.shape[1::-1] != self._size_wh:
                image_bgr = np.asarray(cv2.resize(image_bgr, self._size_wh), np.uint8)
            # OpenCV converts in a fifth of the time that FFmpeg takes: 0.7 ms at 1280×720 (AVX2).
            image_yuv = cv2.cvtColor(_even(image_bgr), cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(np.asarray(image_yuv), format="yuv420p")
            pts = max(round((time_s - self._start_s) / _TIME_BASE), self._last_pts + 1)
            frame.pts, frame.time_base, self._last_pts = pts, _TIME_BASE, pts
            container.mux(self._stream.encode(frame))
            if self._sound:
                self._sound.copy(container, time_s - self._start_s)
        except (av.FFmpegError, OSError) as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> Self:
        if self._sound_of is not None:
            self._sound = _Sound(self._sound_of, self._start_s)
        try:
            self._container = av.open(str(self._draft), "w", format="mp4")
        except (av.FFmpegError, OSError) as error:
            raise self._unwritable(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        container, stream = self._container, self._stream
        assert container is not None
        try:
            if kind is None and stream is not None:
                container.mux(stream.encode(None))
                if self._sound:
                    self._sound.copy(container, float(self._last_pts * _TIME_BASE))
            container.close()
            if kind is None and stream is not None:
                self._draft.replace(self.path)
        except (av.FFmpegError, OSError) as failed:
            if kind is None:
                raise self._unwritable(failed) from None
        finally:
            if self._sound:
                self._sound.close()
            self._draft.unlink(missing_ok=True)

    def _begin(
        self, container: OutputContainer, image_bgr: ImageBGR
    ) -> tuple[VideoStream, tuple[int, int]]:
        height, width = _even(image_bgr).shape[:2]
        stream = container.add_stream("libx264", rate=30)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = stream.time_base = _TIME_BASE
        stream.bit_rate = max(round(_BIT_RATE_A_PIXEL * width * height), 200_000)
        stream.options = {"preset": _PRESET}
        if self._sound:
            self._sound.begin(container)
        return stream, (image_bgr.shape[1], image_bgr.shape[0])

    def _unwritable(self, error: Exception) -> ImageError:
        why = getattr(error, "strerror", None) or str(error)
        return ImageError(f"{self.path}: cannot be written ({why}).")


class _Sound:
    """The first sound track of a video, copied packet by packet; none if it cannot be copied."""

    def __init__(self, path: Path, start_s: float) -> None:
        self._file, self._container = open_container(path)
        streams = self._container.streams.audio
        self._from: AudioStream | None = streams[0] if streams else None
        self._to: AudioStream | None = None
        self._start_s = start_s
        self._packets = self._container.demux(self._from) if self._from else iter(())
        self._next: av.Packet | None = None

    def begin(self, output: OutputContainer) -> None:
        """Add the track to the file that is written."""
        if self._from is None:
            return
        if self._start_s > 0:
            with suppress(av.FFmpegError):
                self._container.seek(int(self._start_s * av.time_base))
        try:
            self._to = output.add_stream_from_template(self._from)
        except (av.FFmpegError, ValueError):  # MP4 does not support the codec
            self._from = None

    def copy(self, output: OutputContainer, until_s: float) -> None:
        """Copy the packets up to this time of the file that is written."""
        while self._to is not None:
            packet = self._next or self._read()
            if packet is None or packet.dts is None or packet.time_base is None:
                self._to = None
                return
            time_s = float(packet.dts * packet.time_base) - self._start_s
            if time_s > until_s:
                self._next = packet
                return
            self._next = None
            if time_s >= 0:
                shift = round(self._start_s / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts -= shift
                packet.stream = self._to
                output.mux_one(packet)

    def close(self) -> None:
        self._container.close()
        self._file.close()

    def _read(self) -> av.Packet | None:
        with suppress(av.FFmpegError, EOFError):
            return next(self._packets, None)
        return None


def _even(image_bgr: ImageBGR) -> ImageBGR:
    """Return the picture with even sides, which 4:2:0 video needs, by repeating the last row."""
    height, width = image_bgr.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image_bgr
    return np.asarray(
        cv2.copyMakeBorder(image_bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE), np.uint8
    )
