"""Reads a video file: one reader reads every frame, and the sinks get the frames and results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emorec.errors import ImageError
from emorec.media.video import Video, VideoFrame
from emorec.reading import Reader, Sink
from emorec.records import FrameResult
from emorec.sessions.summary import Summary, summarize
from emorec.sessions.timeline import Timeline
from emorec.videos.overlap import ahead


@dataclass(frozen=True, slots=True)
class VideoReport:
    """The report on a video.

    Attributes:
        file: its name.
        size_wh: width and height in pixels of its first frame, for display.
        duration_s: from the first frame read to the last.
        frames: number of frames read.
        broken: number of parts that could not be decoded.
        missing_s: seconds by which the frames ended before the length that the file states.
        summary: the figures of its faces.
    """

    file: str
    size_wh: tuple[int, int]
    duration_s: float
    frames: int
    broken: int
    missing_s: float
    summary: Summary


Found = tuple[VideoFrame, Callable[[], FrameResult]]
"""A frame whose faces are found, and what reads them."""


def _size(frame: VideoFrame) -> int:
    return frame.image_bgr.nbytes


def session_of_file() -> Timeline:
    """Return the timeline of a video that is read now."""
    return Timeline(datetime.now(UTC), live=False)


def read_video(
    path: Path,
    reader: Reader,
    sinks: Sequence[Sink] = (),
    start_s: float = 0.0,
    end_s: float = float("inf"),
    fps: float = float("inf"),
    progress: Callable[[float], None] | None = None,
    threads: int = 0,
    overlap: bool = False,
    timeline: Timeline | None = None,
) -> VideoReport:
    """Read a video file between two times.

    Args:
        path: of the file.
        reader: for files, made for this video (`EmotionRecognizer.reader`).
        sinks: get every frame with its result; they are closed at the end of the video.
        start_s: seconds from the start of the video.
        end_s: frames from this time on are left out.
        fps: the most frames a second that are read.
        progress: called after every frame with its time in seconds.
        threads: that decode; 0: as many as FFmpeg chooses for the machine.
        overlap: whether one thread decodes the next frames and another one finds their faces, while
            the caller's thread reads the faces of a frame.
        timeline: gets all that is read, for a report on it; made by `session_of_file`.

    Raises:
        ImageError: the file cannot be read, or has no frame between the two times.
        EmorecError: a sink cannot write.
    """
    timeline = timeline or session_of_file()
    size_wh, number = (0, 0), 0
    with Video(path, threads) as video, ExitStack() as opened:
        for sink in (timeline, *sinks):
            opened.enter_context(sink)
        frames = video.frames(start_s, end_s, fps=fps)
        if overlap:
            frames = opened.enter_context(ahead(frames, _size, "decode"))
        found: Iterator[Found] = ((frame, reader.find(*frame)) for frame in frames)
        if overlap:
            found = opened.enter_context(ahead(found, lambda one: _size(one[0]), "find"))
        for (image_bgr, time_s), read in found:
            result = read()
            for sink in (timeline, *sinks):
                sink.add(image_bgr, result)
            size_wh = size_wh if number else result.size_wh
            number += 1
            if progress:
                progress(time_s)
        if not number:
            length = "" if video.duration_s is None else f" of its {video.duration_s:.1f}"
            raise ImageError(f"{path}: no frame lies between these seconds{length}.")
    first_s, last_s = timeline.span_s
    return VideoReport(
        file=str(path),
        size_wh=size_wh,
        duration_s=last_s - first_s,
        frames=number,
        broken=video.broken,
        missing_s=video.missing_s,
        summary=summarize(timeline),
    )
