"""Video files: every frame, upright and in time, and one clear line for what cannot be read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from emorec.errors import ImageError
from emorec.media.video import Video
from emorec.media.video_writer import VideoWriter

FPS = 25


def grey(number: int, size_wh: tuple[int, int] = (160, 120)) -> np.ndarray:
    """A picture as bright as its number: 10 grey levels apart survive the coding."""
    return np.full((size_wh[1], size_wh[0], 3), 10 + 10 * number, np.uint8)


def number_of(image_bgr: np.ndarray) -> int:
    return round((float(image_bgr.mean()) - 10) / 10)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """20 frames, 0.8 s."""
    path = tmp_path / "film.mp4"
    put(path, *map(grey, range(20)))
    return path


def frames(path: Path, *span: float) -> list[tuple[int, float]]:
    with Video(path) as video:
        return [(number_of(image), time_s) for image, time_s in video.frames(*span)]


def test_every_frame_comes_back_in_time(film: Path) -> None:
    seen = frames(film)
    assert [number for number, _ in seen] == list(range(20))
    assert [time_s for _, time_s in seen] == pytest.approx([n / FPS for n in range(20)])
    with Video(film) as video:
        assert video.duration_s == pytest.approx(0.8, abs=0.05)
        assert video.broken == 0


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"), [(0.4, 0.6, range(10, 15)), (0.72, 9, (18, 19)), (5, 9, ())]
)
def test_a_span_holds_the_frames_between_its_seconds(
    film: Path, start_s: float, end_s: float, expected: range | tuple[int, ...]
) -> None:
    assert [number for number, _ in frames(film, start_s, end_s)] == list(expected)


def write(path: Path, times: list[int], codec: str = "mpeg4", **how: object) -> None:
    """Write a frame at each of these hundredths of a second, as another program may."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=100)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 100)
        for name, value in how.items():
            setattr(stream.codec_context, name, value)
        for number, pts in enumerate(times):
            frame = av.VideoFrame.from_ndarray(grey(number), format="bgr24")
            frame.pts, frame.time_base = pts, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_frames_that_come_unevenly_keep_their_times(tmp_path: Path) -> None:
    times = [0, 3, 10, 11, 50]
    write(tmp_path / "uneven.mkv", times)
    seen = frames(tmp_path / "uneven.mkv")
    assert [time_s for _, time_s in seen] == pytest.approx([t / 100 for t in times], abs=2e-3)


def test_a_video_that_begins_late_begins_at_zero(tmp_path: Path) -> None:
    write(tmp_path / "late.mkv", [500, 504, 508])
    assert [time_s for _, time_s in frames(tmp_path / "late.mkv")] == pytest.approx(
        [0, 0.04, 0.08], abs=2e-3
    )


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = tmp_path / "wide.mkv"
    write(path, [0, 4], sample_aspect_ratio=Fraction(2, 1))
    with Video(path) as video:
        assert {frame.image_bgr.shape for frame in video.frames()} == {(120, 320, 3)}


def test_broken_parts_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "broken.avi"
    noise = np.random.default_rng(0).integers(0, 255, (100, 120, 160, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 160, 120, "yuv420p", 5
        for image in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + third] = np.random.default_rng(1).bytes(third)
    path.write_bytes(data)
    with Video(path) as video:
        times = [time_s for _, time_s in video.frames()]
        assert 20 <= len(times) <= 100
        assert video.broken or len(times) < 100
    assert times == sorted(times)


def broken_files(folder: Path, film: Path) -> dict[str, Path]:
    picture = Path(__file__).parents[1] / "pictures" / "gray.png"
    content = {
        "empty": b"",
        "text": b"a text that says mp4 " * 500,
        "picture": picture.read_bytes(),
        "cut off": film.read_bytes()[:300],
        "list": b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n",
    }
    for name, data in content.items():
        (folder / f"{name}.mp4").write_bytes(data)
    sound = folder / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return {name: folder / f"{name}.mp4" for name in (*content, "sound", "missing")}


@pytest.mark.parametrize(
    "kind", ["empty", "text", "picture", "cut off", "list", "sound", "missing"]
)
def test_what_is_no_video_gets_one_line(tmp_path: Path, film: Path, kind: str) -> None:
    path = broken_files(tmp_path, film)[kind]
    with pytest.raises(ImageError) as raised, Video(path) as video:
        list(video.frames())
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


@pytest.mark.parametrize("size_wh", [(161, 121), (160, 121), (2, 2), (1, 1)])
def test_a_picture_of_any_size_is_written(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    path = tmp_path / "any.mp4"
    put(path, grey(5, size_wh))
    with Video(path) as video:
        (frame,) = video.frames()
    assert number_of(frame.image_bgr) == 5


def put(path: Path, *images: np.ndarray) -> None:
    with VideoWriter(path) as writer:
        for number, image in enumerate(images):
            writer.write(image, number / FPS)


def test_a_video_that_fails_leaves_nothing_and_keeps_what_was_there(film: Path) -> None:
    before = film.read_bytes()
    with pytest.raises(cv2.error):
        put(film, grey(1), np.zeros((4, 4), np.uint8))
    assert [path.name for path in film.parent.iterdir()] == ["film.mp4"]
    assert film.read_bytes() == before


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"film\.mp4: cannot be written"):
        put(tmp_path / "none" / "film.mp4", grey(1))


def test_the_sound_comes_along(tmp_path: Path) -> None:
    loud = tmp_path / "loud.mp4"
    with av.open(str(loud), "w") as container:
        picture = container.add_stream("libx264", rate=FPS)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        sound = container.add_stream("aac", rate=44100)
        for number in range(50):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(grey(number % 20), "bgr24")))
        for number in range(86):
            tone = np.sin(np.arange(number * 1024, (number + 1) * 1024) / 20)[None]
            frame = av.AudioFrame.from_ndarray(tone.astype(np.float32), "fltp", "mono")
            frame.rate, frame.pts = 44100, number * 1024
            container.mux(sound.encode(frame))
        for stream in (picture, sound):
            container.mux(stream.encode(None))
    for start_s, expected_s in ((0.0, 2.0), (1.0, 1.0)):
        copy = tmp_path / f"copy{start_s}.mp4"
        with VideoWriter(copy, loud, start_s) as writer, Video(loud) as video:
            for image, time_s in video.frames(start_s):
                writer.write(image, time_s)
        with av.open(str(copy)) as container:
            (stream,) = container.streams.audio
            length_s = sum(frame.samples for frame in container.decode(stream)) / 44100
        assert length_s == pytest.approx(expected_s, abs=0.15)
