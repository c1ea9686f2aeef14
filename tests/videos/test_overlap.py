"""Decoding, reading and writing at the same time: the same results, errors reach the caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from emorec import EmotionRecognizer, Settings
from emorec.errors import ImageError
from emorec.media.files import ResultFolder
from emorec.media.video import Video, VideoFrame
from emorec.media.video_writer import VideoWriter
from emorec.records import FrameResult
from emorec.videos.overlap import InThread, ahead
from emorec.videos.reading import read_video
from emorec.videos.results import VideoResults
from testkit import portraits

MANY = 40
MEGABYTES_10 = np.zeros((1000, 3334, 3), np.uint8)
"""Two of them fit a channel."""


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in set(threading.enumerate()) - before]
    assert not [name for name in left if name.startswith(("decode", "find", "write"))]


class Kept:
    """A sink that keeps the times of its frames, and how its context ended."""

    def __init__(self, fails_at: float = float("inf"), slow_s: float = 0.0) -> None:
        self.times: list[float] = []
        self.ended: list[object] = []
        self._fails_at = fails_at
        self._slow_s = slow_s

    def add(self, image_bgr: np.ndarray, result: FrameResult) -> None:
        time.sleep(self._slow_s)
        if result.time_s >= self._fails_at:
            raise OSError("disk full")
        self.times.append(result.time_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.ended.append(error)


def frames(count: int, image: np.ndarray = MEGABYTES_10) -> Iterator[VideoFrame]:
    for number in range(count):
        yield VideoFrame(image, float(number))


def size(frame: VideoFrame) -> int:
    return frame.image_bgr.nbytes


def hand(sink: InThread, count: int = MANY) -> None:
    with sink:
        for image, time_s in frames(count):
            sink.add(image, FrameResult(int(time_s), time_s, (3334, 1000), (), False, {}))


def test_a_video_gives_the_same_files_as_in_one_thread(tmp_path: Path) -> None:
    film, image = tmp_path / "two.mp4", portraits.room(2, 1, 80, (320, 240)).image_bgr
    with VideoWriter(film) as writer:
        for number in range(15):
            writer.write(np.roll(image, number * 2, axis=1), number / 25)
    recognizer = EmotionRecognizer(settings=Settings())

    def read(folder: str, overlap: bool) -> tuple[Sequence[str], Sequence[np.ndarray]]:
        results = VideoResults(ResultFolder(tmp_path / folder, [film]), film, "label", 0.2, {})
        sink = InThread(results) if overlap else results
        report = read_video(film, recognizer.reader("file"), [sink], overlap=overlap)
        assert results.finish(report) == [] and report.frames == 15
        (csv,), (mp4,) = ((tmp_path / folder).glob(f"*.{kind}") for kind in ("csv", "mp4"))
        with Video(mp4) as video:
            return csv.read_text().splitlines(), [image for image, _ in video.frames()]

    rows, pictures = read("one", overlap=False)
    others = read("several", overlap=True)
    assert len(rows) > 4 and others[0] == rows
    assert np.array_equal(others[1], pictures)


def test_every_frame_is_handed_over_in_order() -> None:
    kept = Kept()
    hand(InThread(kept))
    assert kept.times == list(range(MANY)) and kept.ended == [None]


def test_no_frame_is_no_error() -> None:
    kept = Kept()
    hand(InThread(kept), 0)
    assert kept.times == [] and kept.ended == [None]
    with ahead(frames(0), size, "decode") as coming:
        assert list(coming) == []


@pytest.mark.parametrize("fails_at", [0, 5, MANY - 1])
def test_an_error_of_the_sink_reaches_the_caller_and_the_sink(fails_at: int) -> None:
    kept = Kept(fails_at)
    with pytest.raises(OSError, match="disk full") as raised:
        hand(InThread(kept))
    assert kept.times == list(range(fails_at)) and kept.ended == [raised.value]


def test_ctrl_c_ends_the_threads_at_once() -> None:
    kept = Kept(slow_s=0.01)

    def read() -> None:
        with InThread(kept) as sink, ahead(frames(10_000), size, "decode") as coming:
            for image, time_s in coming:
                sink.add(image, FrameResult(0, time_s, (3334, 1000), (), False, {}))
                if time_s == 20:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        read()
    assert len(kept.times) <= 21 and kept.ended == [raised.value]


def test_an_error_of_the_video_comes_after_its_frames() -> None:
    taken: list[float] = []

    def broken() -> Iterator[VideoFrame]:
        yield from frames(7)
        raise ImageError("too large")

    def read() -> None:
        with ahead(broken(), size, "decode") as coming:
            taken.extend(time_s for _, time_s in coming)

    with pytest.raises(ImageError, match="too large"):
        read()
    assert taken == list(range(7))


def test_few_pictures_wait() -> None:
    decoded = 0

    def counted() -> Iterator[VideoFrame]:
        nonlocal decoded
        for frame in frames(MANY):
            decoded += 1
            yield frame

    kept = Kept(slow_s=0.002)
    most = 0
    with InThread(kept) as sink, ahead(counted(), size, "decode") as coming:
        for image, time_s in coming:
            sink.add(image, FrameResult(0, time_s, (3334, 1000), (), False, {}))
            most = max(most, decoded - len(kept.times))
    # Two in each channel, and one each in the hands of the decoder, the caller and the sink.
    assert 3 < most <= 7
    assert decoded == len(kept.times) == MANY


def test_a_picture_larger_than_the_room_passes() -> None:
    large = np.lib.stride_tricks.as_strided(
        MEGABYTES_10, (4000, 3334, 3), (0, 3, 1), writeable=False
    )
    with ahead(frames(5, large), size, "decode") as coming:
        assert [time_s for _, time_s in coming] == list(range(5))


def test_neither_reading_nor_writing_changes_a_picture(tmp_path: Path) -> None:
    image = portraits.room(2, 1, 80, (320, 240)).image_bgr
    image.setflags(write=False)  # writing to it raises
    reader = EmotionRecognizer(settings=Settings()).reader("file")
    source = tmp_path / "two.mp4"
    with VideoWriter(source) as writer:
        writer.write(image, 0.0)
    for show in ("label", "blur"):
        results = VideoResults(ResultFolder(tmp_path, [source]), source, show, 0.2, {})
        with results:
            for number in range(3):
                results.add(image, reader.read(image, number / 5))
