"""`emorec video`: annotated videos and tables, and one line for each that cannot be read."""

from __future__ import annotations

import json
import signal
import zipfile
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest

from emorec import EmotionRecognizer, Settings
from emorec.cli import main
from emorec.errors import ImageError
from emorec.media.photo import read_photo
from emorec.media.video import Video
from emorec.media.video_writer import VideoWriter
from emorec.paths import CASCADE
from emorec.reading import Reader
from emorec.records import Box, Face, FrameResult
from emorec.rows import COLUMNS
from emorec.videos.reading import read_video
from emorec.videos.tables import Tables
from testkit import portraits

FPS = 25


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people who move to the right for a second and a half."""
    path = tmp_path_factory.mktemp("film") / "two.mp4"
    image = portraits.room(2, 1, 80, (320, 240)).image_bgr
    with VideoWriter(path) as writer:
        for number in range(int(1.5 * FPS)):
            writer.write(np.roll(image, number, axis=1), number / FPS)
    return path


def images(path: Path) -> list[np.ndarray]:
    with Video(path) as video:
        return [frame.image_bgr for frame in video.frames()]


def test_a_video_gives_an_annotated_one_a_table_and_what_made_them(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["video", str(film), "--out", str(tmp_path / "out"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["frames"], report["broken"], report["size_wh"]) == (37, 0, [320, 240])
    assert report["summary"]["faces_seen"] == report["summary"]["most_at_once"] == 2
    out = {path.suffix: path for path in (tmp_path / "out").iterdir()}
    assert set(out) == {".mp4", ".csv", ".json", ".parquet", ".xlsx", ".jpg", ".html"}
    drawn = images(out[".mp4"])
    assert len(drawn) == 37
    assert np.abs(drawn[-1].astype(int) - images(film)[-1]).max() > 100  # boxes and labels
    about = json.loads(out[".json"].read_text(encoding="utf-8"))
    assert about["header"]["model"]["name"] == "elu_cnn" and about["video"] == report
    small = read_photo(out[".jpg"].with_name(about["moments"][0]["file"]))
    assert small.max() > 150 and max(small.shape) <= 240
    rows = about["rows"]
    assert tuple(rows[0]) == COLUMNS
    times = [row["time_s"] for row in rows if row["track_id"] == 1]
    assert len(times) == pytest.approx(1.5 * 5, abs=2) and min(np.diff(times)) > 0.19
    assert_alike(rows, out)


def assert_alike(rows: list[dict[str, object]], out: dict[str, Path]) -> None:
    """Every kind of table, read back by other programs, has the same rows."""
    sheet = openpyxl.load_workbook(out[".xlsx"], read_only=True).active
    head, *cells = sheet.iter_rows(values_only=True)
    assert head == COLUMNS
    read_back = {
        "CSV by pandas": pd.read_csv(out[".csv"]).to_dict("records"),
        "Parquet by pandas": pd.read_parquet(out[".parquet"]).to_dict("records"),
        "Parquet by polars": pl.read_parquet(out[".parquet"]).to_dicts(),
        "XLSX by openpyxl": [dict(zip_longest(head, row)) for row in cells],
    }
    for program, others in read_back.items():
        assert len(others) == len(rows), program
        for row, other in zip(rows, others, strict=True):
            assert tuple(other) == COLUMNS, program
            for name, value in row.items():
                if value is None:
                    assert pd.isna(other[name]), (program, name)
                elif isinstance(value, str):
                    assert other[name] == value, (program, name)
                else:
                    assert other[name] == pytest.approx(value, abs=1e-6), (program, name)


def test_one_zip_holds_all_that_would_lie_in_the_folder(film: Path, tmp_path: Path) -> None:
    arguments = ["video", str(film), "--to", "0.2", "--out"]
    assert main([*arguments, str(tmp_path / "files")]) == 0
    assert main([*arguments, str(tmp_path / "zip"), "--zip"]) == 0
    (bundle,) = (tmp_path / "zip").iterdir()
    assert bundle.name == "two_emorec.zip"
    with zipfile.ZipFile(bundle) as opened:
        assert opened.testzip() is None
        assert set(opened.namelist()) == {path.name for path in (tmp_path / "files").iterdir()}


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    box, probs = Box(0, 0, 9, 9), np.full(7, 1 / 7, np.float32)
    face = Face(1, box, 0.9, 0, 0, probs, probs, "happy", name="=1+1\x07")
    path = tmp_path / "rows.xlsx"
    with Tables({"xlsx": path}, 0.1) as tables:
        tables.add(np.zeros((9, 9, 3), np.uint8), FrameResult(0, 0.0, (9, 9), (face,), True, {}))
    cell = openpyxl.load_workbook(path).active.cell(2, len(COLUMNS))
    assert (cell.value, cell.data_type) == ("=1+1\\x07", "s")


def test_with_blur_no_frame_shows_a_face(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cascade = cv2.CascadeClassifier(str(CASCADE))

    def faces(path: Path) -> list[int]:
        grays = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in images(path)[::4]]
        return [len(cascade.detectMultiScale(gray, 1.1, 4)) for gray in grays]

    assert min(faces(film)) == 2  # the cascade sees them where they are to be seen
    assert main(["video", str(film), "--out", str(tmp_path), "--blur", "--to", "0.5"]) == 0
    assert set(faces(tmp_path / "two_emorec.mp4")) == {0}


def test_one_that_cannot_be_read_does_not_cost_the_others(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    out = tmp_path / "out"
    given = [str(text), str(tmp_path / "none.mp4"), str(film)]
    assert main(["video", *given, "--out", str(out), "--from", "0:01"]) == 2
    said = capsys.readouterr()
    assert [line.split(": ")[1] for line in said.err.splitlines()] == given[:2]
    assert said.out.startswith(f"{film}: 0.4 s, faces: 2, at most 2 at once")
    assert {path.name for path in out.iterdir() if path.suffix != ".jpg"} == {
        f"two_emorec.{s}" for s in ("mp4", "csv", "json", "parquet", "xlsx", "html")
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--blur"], "need --out DIR"),
        (["--zip"], "need --out DIR"),
        (["--names"], "need --out DIR"),
        (["--names", "--blur", "--out", "."], "--names cannot be used with it"),
        (["--fps", "0"], "Expected a number above 0. Received '0'."),
        (["--from", "3", "--to", "2"], "--to must be later than --from"),
        (["--from", "soon"], "Expected a time like 90 or 1:30. Received 'soon'."),
        (["--to", "-1"], "Expected a time like 90 or 1:30. Received '-1'."),
    ],
)
def test_wrong_usage_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["video", "two.mp4", *arguments])
    assert said in capsys.readouterr().err


def test_a_span_without_a_frame_is_one_line(film: Path) -> None:
    reader = EmotionRecognizer(settings=Settings()).reader("file")
    with pytest.raises(ImageError, match=r"no frame lies between these seconds of its 1\.\d"):
        read_video(film, reader, start_s=20)


def test_ctrl_c_leaves_nothing_half_written(
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    find = Reader.find

    def stopped(self: Reader, image: np.ndarray, time_s: float) -> Callable[[], FrameResult]:
        if time_s > 0.3:
            signal.raise_signal(signal.SIGINT)  # as a terminal does
        return find(self, image, time_s)

    monkeypatch.setattr(Reader, "find", stopped)
    # A shell starts what runs in the background with SIGINT ignored, these tests too.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["video", str(film), "--out", str(tmp_path / "out")]) == 130
    finally:
        signal.signal(signal.SIGINT, usual)
    assert capsys.readouterr() == ("", "")
    assert list((tmp_path / "out").iterdir()) == []
