"""Reads and writes video files frame by frame; a whole video is never in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from emorec.errors import ImageError
from emorec.media.photo import MAX_PIXELS

ImageBGR = npt.NDArray[np.uint8]

# FFmpeg's formats for video files. Its other formats would read a text as a film of letters or a
# picture as a video of one frame, or would open the files and addresses that a playlist names.
_CONTAINERS = (
    "asf,avi,dv,flv,h264,hevc,ivf,matroska,webm,mjpeg,mov,mp4,m4a,3gp,3g2,mj2,mpeg,mpegts,mpegvideo,"
    "mxf,nut,ogg,rm,wtv,yuv4mpegpipe"
)
_MOST_FAILED = 1000  # after so many packets in a row that cannot be decoded, reading stops
_TIME_BASE = Fraction(1, 90_000)
_FALLBACK_FPS = Fraction(25)
_BIT_RATE_A_PIXEL = 3.5  # bits a second: 3.2 Mbit/s at 1280×720; labels stay sharp


class VideoFrame(NamedTuple):
    """A frame, rotated and scaled for display, and its time."""

    image_bgr: ImageBGR
    """uint8 of shape (h, w, 3), upright, its pixels square."""
    time_s: float
    """Seconds from the start of the video; rises from frame to frame."""


class Video:
    """A video file in any container and codec that FFmpeg reads.

    Args:
        path: of the file.

    Attributes:
        path: of the file.
        duration_s: from the file's metadata; None if it is missing there.
        fps: mean frames a second, from the file's metadata; None if it is missing there.
        broken: number of parts skipped so far because they cannot be decoded.

    Raises:
        ImageError: the file cannot be read, holds no video, or its frames are too large.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = 0
        self._file, self._container = _open(path)
        streams = self._container.streams.video
        if not streams:
            self.close()
            raise ImageError(f"{path}: holds no video; is it a sound file?")
        self._stream: VideoStream = streams[0]
        self._stream.thread_type = "AUTO"
        rate = self._stream.average_rate
        self.fps: float | None = float(rate) if rate else None
        self.duration_s: float | None = None
        if self._stream.duration and self._stream.time_base:
            self.duration_s = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration:
            self.duration_s = self._container.duration / av.time_base
        try:
            self._check_size(self._stream.width, self._stream.height)
        except ImageError:
            self.close()
            raise

    def frames(self, start_s: float = 0.0, end_s: float = float("inf")) -> Iterator[VideoFrame]:
        """Yield all frames between two times that can be decoded; call it once.

        If a frame's timestamp is missing or jumps back, the frame gets the time of the one before
        plus the mean time between frames.

        Args:
            start_s: seconds from the start of the video.
            end_s: frames from this time on are left out.

        Raises:
            ImageError: a frame is too large, or none can be decoded.
        """
        step_s = 1 / (self.fps or float(_FALLBACK_FPS))
        if start_s > 0 and self._stream.time_base:
            with suppress(av.FFmpegError):  # a file without an index is read from the beginning
                offset = round((self._first_s() + start_s) / self._stream.time_base)
                self._container.seek(offset, stream=self._stream)
        last_s: float | None = None
        late_s = 0.0  # sum of the backward jumps of timestamps so far
        decoded = 0
        for frame in self._decoded():
            decoded += 1
            if frame.time is None:
                time_s = 0.0 if last_s is None else last_s + step_s
            else:
                time_s = frame.time - self._first_s() + late_s
                if last_s is not None and time_s <= last_s:
                    late_s += last_s + step_s - time_s
                    time_s = last_s + step_s
            last_s = time_s
            if time_s >= end_s:
                break
            if time_s >= start_s:
                yield VideoFrame(_upright(frame, self._stream), max(time_s, 0.0))
        if not decoded:
            raise ImageError(f"{self.path}: no frame of it can be decoded.")

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.close()

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        failed = 0
        while failed < _MOST_FAILED:
            packet = None
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                for frame in packet.decode():
                    self._check_size(frame.width, frame.height)
                    yield frame
                failed = 0
            except (av.FFmpegError, EOFError):
                self.broken += 1
                failed += 1
                if packet is None:  # a generator that has raised cannot go on
                    packets = self._container.demux(self._stream)

    def _first_s(self) -> float:
        start, base = self._stream.start_time, self._stream.time_base
        return float(start * base) if start and base else 0.0

    def _check_size(self, width: int, height: int) -> None:
        if width * height > MAX_PIXELS:
            raise ImageError(
                f"{self.path}: its frames are too large ({width} × {height}); the limit is"
                f" {MAX_PIXELS // 1_000_000} million pixels."
            )


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
            frame = av.VideoFrame.from_ndarray(_even(image_bgr), format="bgr24")
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
        stream.options = {"preset": "veryfast"}
        if self._sound:
            self._sound.begin(container)
        return stream, (image_bgr.shape[1], image_bgr.shape[0])

    def _unwritable(self, error: Exception) -> ImageError:
        why = getattr(error, "strerror", None) or str(error)
        return ImageError(f"{self.path}: cannot be written ({why}).")


class _Sound:
    """The first sound track of a video, copied packet by packet; none if it cannot be copied."""

    def __init__(self, path: Path, start_s: float) -> None:
        self._file, self._container = _open(path)
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


def _open(path: Path) -> tuple[IO[bytes], InputContainer]:
    """Open a video through a Python file, so that FFmpeg opens no other file or address itself."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error}).") from None
    try:
        container = av.open(file, options={"format_whitelist": _CONTAINERS})
    except (av.FFmpegError, OSError):
        file.close()
        empty = path.stat().st_size == 0
        raise ImageError(
            f"{path}: {'is empty.' if empty else 'is no video that can be read, or is cut off.'}"
        ) from None
    return file, container


def _upright(frame: av.VideoFrame, stream: VideoStream) -> ImageBGR:
    """Return the frame for display: rotated by its metadata, with square pixels."""
    image = frame.to_ndarray(format="bgr24")
    ratio = stream.codec_context.sample_aspect_ratio
    if ratio and ratio > 0 and ratio != 1:
        width = max(round(image.shape[1] * ratio), 1)
        if width * image.shape[0] <= MAX_PIXELS:
            image = cv2.resize(image, (width, image.shape[0]), interpolation=cv2.INTER_AREA)
    quarters = round(frame.rotation / 90) % 4  # counter-clockwise
    return np.ascontiguousarray(np.rot90(image, quarters), dtype=np.uint8)


def _even(image_bgr: ImageBGR) -> ImageBGR:
    """Return the picture with even sides, which 4:2:0 video needs, by repeating the last row."""
    height, width = image_bgr.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image_bgr
    return np.asarray(
        cv2.copyMakeBorder(image_bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE), np.uint8
    )
