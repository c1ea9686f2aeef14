"""Reads video files frame by frame; a whole video is never in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple, Self

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

from emorec.errors import ImageError
from emorec.media.photo import MAX_PIXELS
from emorec.media.photo import SUFFIXES as PICTURES
from emorec.words import N_

ImageBGR = npt.NDArray[np.uint8]

# FFmpeg's formats for video files. Its other formats would read a text as a film of letters or a
# picture as a video of one frame, or would open the files and addresses that a playlist names.
_CONTAINERS = (
    "asf,avi,dv,flv,h264,hevc,ivf,matroska,webm,mjpeg,mov,mp4,m4a,3gp,3g2,mj2,mpeg,mpegts,mpegvideo,"
    "mxf,nut,ogg,rm,wtv,yuv4mpegpipe"
)
_MOST_FAILED = 1000  # after so many packets in a row that cannot be decoded, reading stops
_FALLBACK_FPS = 25.0
# A seek that ends after the wanted time is tried again from so many seconds earlier: formats
# without an index, as MPEG-TS, have their next key frame anywhere.
_BACK_S = (0.0, 10.0, 60.0)
_SLACK_S = 1e-6  # times round; frames exactly a step apart must not count as closer


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
        threads: that decode; 0: as many as FFmpeg chooses for the machine.

    Attributes:
        path: of the file.
        duration_s: from the file's metadata; None if it is missing there.
        fps: mean frames a second, from the file's metadata; None if it is missing there.
        broken: number of parts skipped so far because they cannot be decoded.
        missing_s: seconds by which the frames ended before the duration that the file's metadata
            states; 0 if less than a second, as metadata is no more exact.

    Raises:
        ImageError: the file cannot be read, holds no video, or its frames are too large.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        self.path = path
        self.broken = 0
        self.missing_s = 0.0
        self._file, self._container = open_container(path)
        streams = self._container.streams.video
        if not streams:
            self.close()
            raise ImageError(N_("{path}: holds no video; is it a sound file?"), path=path)
        self._stream: VideoStream = streams[0]
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = threads
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

    def frames(
        self,
        start_s: float = 0.0,
        end_s: float = float("inf"),
        every: int = 1,
        fps: float = float("inf"),
    ) -> Iterator[VideoFrame]:
        """Yield the frames between two times that can be decoded; call it once.

        If a frame's timestamp is missing or jumps back, the frame gets the time of the one before
        plus the mean time between frames.

        Args:
            start_s: seconds from the start of the video.
            end_s: frames from this time on are left out.
            every: 1 for every frame, 2 for every second one, and so on.
            fps: the most frames a second; the frames between are left out.

        Raises:
            ImageError: a frame is too large, or none can be decoded.
        """
        due_s, number, time_s = start_s, 0, 0.0
        for frame, time_s in self._timed(self._from(start_s)):
            if time_s >= end_s:
                break
            if time_s < start_s:
                continue
            number += 1
            if (number - 1) % every or time_s < due_s - _SLACK_S:
                continue
            # From the frame that was due: the mean rate is right for any rate of the video.
            due_s = max(due_s + 1 / fps, time_s - 1 / fps)
            yield VideoFrame(_upright(frame, self._stream), time_s)
        else:
            self.missing_s = self._short_by(time_s)

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.close()

    @property
    def _step_s(self) -> float:
        return 1 / (self.fps or _FALLBACK_FPS)

    def _short_by(self, last_s: float) -> float:
        # Without a length of its own the stream has the file's, and sound may last longer.
        exact = self._stream.duration or not self._container.streams.audio
        missing_s = (self.duration_s or 0.0) - last_s - self._step_s
        return missing_s if exact and missing_s >= 1 else 0.0

    def _from(self, start_s: float) -> Iterator[av.VideoFrame]:
        """Yield the decoded frames, beginning at or before a time if the video does."""
        if start_s <= 0:
            return self._decoded()
        for back_s in _BACK_S:
            frames = self._sought(max(start_s - back_s, 0.0))
            first = next(frames, None)
            if first and first.time is not None and first.time - self._first_s() <= start_s:
                return chain([first], frames)
        with suppress(av.FFmpegError):
            self._container.seek(0)
        return self._decoded()

    def _sought(self, target_s: float) -> Iterator[av.VideoFrame]:
        """Yield the decoded frames from the key frame before a time, if the file has an index."""
        base = self._stream.time_base
        with suppress(av.FFmpegError):
            if base:
                offset = round((self._first_s() + target_s) / base)
                self._container.seek(offset, stream=self._stream)
        return self._decoded()

    def _timed(self, frames: Iterator[av.VideoFrame]) -> Iterator[tuple[av.VideoFrame, float]]:
        """Yield each frame with its time in seconds, which rises."""
        last_s: float | None = None
        late_s = 0.0  # sum of the backward jumps of timestamps so far
        for frame in frames:
            if frame.time is None:
                time_s = 0.0 if last_s is None else last_s + self._step_s
            else:
                time_s = frame.time - self._first_s() + late_s
                if last_s is None and time_s < 0:  # the metadata names a later start
                    late_s, time_s = -time_s, 0.0
                if last_s is not None and time_s <= last_s:
                    late_s += last_s + self._step_s - time_s
                    time_s = last_s + self._step_s
            last_s = time_s
            yield frame, time_s
        if last_s is None:
            raise ImageError(N_("{path}: no frame of it can be decoded."), path=self.path)

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
                N_(
                    "{path}: its frames are too large ({size}); the limit is {most} million pixels."
                ),
                path=self.path,
                size=f"{width} × {height}",
                most=MAX_PIXELS // 1_000_000,
            )


def open_container(path: Path) -> tuple[IO[bytes], InputContainer]:
    """Open a video through a Python file, so that FFmpeg opens no other file or address itself."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error}).") from None
    try:
        container = av.open(file, options={"format_whitelist": _CONTAINERS})
    except (av.FFmpegError, OSError):
        file.close()
        raise ImageError(_why_unreadable(path), path=path) from None
    return file, container


def _why_unreadable(path: Path) -> str:
    if path.stat().st_size == 0:
        return N_("{path}: is empty.")
    if path.suffix.lower()[1:] in PICTURES:
        return N_("{path}: is a picture; `emorec photo` reads pictures.")
    return N_("{path}: is no video that can be read, or is cut off.")


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
