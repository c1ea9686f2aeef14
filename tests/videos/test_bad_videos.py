"""Bad videos on the command line: one clear line each, and the others are read."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emorec.cli import main
from emorec.media.video import Video

PICTURES = Path(__file__).parents[1] / "pictures"
_CUES = bytes.fromhex("1C53BB6B")  # where the index of a Matroska file begins


def write(
    path: Path,
    times: Sequence[int],
    ticks: int = 25,
    size_wh: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    **options: str,
) -> Path:
    """Write a frame of noise at each of these times, in ``1 / ticks`` seconds."""
    noise = np.random.default_rng(0)
    base = Fraction(1, ticks)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=Fraction(ticks, max(times[1] - times[0], 1)))
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size_wh, pix_fmt, 10
        stream.codec_context.time_base = stream.time_base = base
        for time in times:
            image = noise.integers(0, 255, (*size_wh[::-1], 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = time, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def damaged(source: Path, path: Path, mark: bytes, skip: int, length: int) -> None:
    """Copy a file with random bytes in place of those after the last ``mark``."""
    data = bytearray(source.read_bytes())
    start = data.rindex(mark) + skip
    data[start : start + length] = np.random.default_rng(1).bytes(length)
    path.write_bytes(data)


NO_VIDEO = "is no video that can be read, or is cut off."
BAD = {
    "empty.mp4": "is empty.",
    "text.mp4": NO_VIDEO,
    "renamed picture.mp4": NO_VIDEO,
    "sound.mp4": "holds no video; is it a sound file?",
    "cut off before the index.mp4": NO_VIDEO,
    "index of nonsense.mp4": "no frame of it can be decoded.",
    "picture.jpg": "is a picture; `emorec photo` reads pictures.",
    "missing.mp4": "cannot be read (No such file or directory).",
    "empty folder": "no video is in this folder (mp4, m4v,",
}
"""What cannot be read, and what is said of it."""

READ = {
    "whole.mp4": (50, 1.96),
    "cut off after the index.mp4": (None, None),
    "index of nonsense.mkv": (50, 1.96),
    "1×1.mkv": (3, 0.08),
    "10 a day.mkv": (20, 19 * 8640.0),
    "240 a second.mp4": (60, 59 / 240),
    "negative times.mkv": (10, 0.36),
    "jump ahead.mkv": (6, 1000.08),
    "jump back.ts": (100, 3.96),
}
"""What is read all the same, its number of frames, and its length in seconds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    whole = write(folder / "whole.mp4", range(50))
    data = whole.read_bytes()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_bytes(b"a text that says mp4 " * 500)
    for name in ("renamed picture.mp4", "picture.jpg"):
        (folder / name).write_bytes((PICTURES / "small.jpg").read_bytes())
    sound(folder / "sound.mp4")
    (folder / "cut off before the index.mp4").write_bytes(data[: len(data) // 2])
    damaged(whole, folder / "index of nonsense.mp4", b"stco", 12, 24)
    (folder / "empty folder").mkdir()
    (folder / "empty folder" / "picture.jpg").write_bytes(b"")
    fast = write(folder / "fast.mp4", range(50), movflags="faststart")
    data = fast.read_bytes()
    (folder / "cut off after the index.mp4").write_bytes(data[: len(data) * 2 // 5])
    matroska = write(folder / "whole.mkv", range(50))
    damaged(matroska, folder / "index of nonsense.mkv", _CUES, 8, 40)
    write(folder / "1×1.mkv", range(3), 25, (1, 1), "ffv1", "bgr0")
    write(folder / "10 a day.mkv", range(0, 20 * 8640, 8640), 1)
    write(folder / "240 a second.mp4", range(60), 240)
    write(folder / "negative times.mkv", range(-50, -40))
    write(folder / "jump ahead.mkv", (0, 1, 2, 25_000, 25_001, 25_002))
    data = write(folder / "part.ts", range(50)).read_bytes()
    (folder / "jump back.ts").write_bytes(data + data)
    return folder


@pytest.fixture(scope="module")
def said(folder: Path) -> tuple[dict[str, str], dict[str, dict[str, object]], Path]:
    """What one run over all of them says of each on stderr and on stdout, and its results."""
    out = folder.parent / "results"
    errors, lines_out = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stderr(errors), redirect_stdout(lines_out):
        assert main(["video", "--json", "--out", str(out), *BAD, *READ]) == 2
    lines = [line.removeprefix("emorec: ") for line in errors.getvalue().splitlines()]
    assert len({line.split(": ")[0] for line in lines}) == len(lines), errors.getvalue()
    reports = map(json.loads, lines_out.getvalue().splitlines())
    return (
        dict(line.split(": ", 1) for line in lines),
        {report["file"]: report for report in reports},
        out,
    )


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_gets_one_line(name: str, said: tuple[dict[str, str], ...]) -> None:
    errors, reports, out = said
    assert errors[name].startswith(BAD[name])
    assert name not in reports
    assert not list(out.glob(f"{Path(name).stem}_emorec.*")) or Path(name).stem in {
        Path(other).stem for other in READ
    }


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_read_whole(
    name: str, said: tuple[dict[str, str], dict[str, dict[str, object]], Path]
) -> None:
    errors, reports, out = said
    count, duration_s = READ[name]
    report = reports[name]
    assert report["summary"]["faces_seen"] == 0
    (copy,) = [path for path in out.glob("*.mp4") if path.stem.startswith(Path(name).stem)][-1:]
    with Video(copy) as video:
        times = [frame.time_s for frame in video.frames()]
    assert len(times) == report["frames"] and times == sorted(times)
    if count is None:
        assert 5 <= report["frames"] <= 30
        assert errors[name].startswith("ends 1.") and "cut off" in errors[name]
    else:
        assert report["frames"] == count
        assert report["duration_s"] == pytest.approx(duration_s, abs=2e-3)
        assert name not in errors


@pytest.mark.parametrize("name", ["whole.mp4", "index of nonsense.mkv", "part.ts"])
@pytest.mark.parametrize("start_s", [0.12, 1.0, 1.88])
def test_a_span_begins_where_it_should_whatever_the_index(
    folder: Path, name: str, start_s: float
) -> None:
    with Video(folder / name) as video:
        times = [frame.time_s for frame in video.frames(start_s)]
    assert times == pytest.approx(np.arange(round(start_s * 25), 50) / 25, abs=2e-3)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"every": 7}, range(0, 50, 7)),
        ({"fps": 5}, range(0, 50, 5)),
        ({"fps": 10}, (0, 3, 5, 8, 10, 13, 15, 18, 20, 23)),
        ({"fps": 100}, range(50)),
        ({"fps": 5, "start_s": 1.0}, range(25, 50, 5)),
    ],
)
def test_fewer_frames_are_read_evenly(
    folder: Path, how: dict[str, float], expected: Sequence[int]
) -> None:
    with Video(folder / "whole.mp4") as video:
        times = [frame.time_s for frame in video.frames(**how)]
    assert times[: len(expected)] == pytest.approx(np.array(expected) / 25, abs=2e-3)


def test_a_disk_that_is_full_in_the_middle_costs_one_video(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The room is enough for the first and the third; the second fills the disk."""
    resource = pytest.importorskip("resource")  # Windows has none
    monkeypatch.chdir(folder)
    write(folder / "long.mp4", range(160))
    names, out = ("whole.mp4", "long.mp4", "240 a second.mp4"), folder.parent / "full"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, before[1]))
        code = main(["video", "--out", str(out), *names])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be written (File too large)" in line
    kinds = ("csv", "html", "json", "mp4", "parquet", "xlsx")
    expected = {f"{Path(name).stem}_emorec.{k}" for name in (names[0], names[2]) for k in kinds}
    assert {path.name for path in out.iterdir()} == expected
    for name in (names[0], names[2]):
        with Video(out / f"{Path(name).stem}_emorec.mp4") as video:
            assert len(list(video.frames())) == READ[name][0]


@pytest.mark.long
def test_a_video_of_8k_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "8k.mp4", (0, 1), size_wh=(7680, 4320), codec="mpeg4")
    assert main(["video", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["size_wh"] == [7680, 4320]
