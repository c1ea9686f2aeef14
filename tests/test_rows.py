"""What is written out: the same columns everywhere, as table, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec import Settings, __version__, to_dataframe
from emorec.emotions import EMOTIONS, UNSURE
from emorec.model.store import load
from emorec.records import Box, Face, FrameResult, unclassified
from emorec.rows import (
    COLUMNS,
    CsvWriter,
    Row,
    columns,
    face_rows,
    header,
    picture_object,
    table,
    to_csv,
    to_json,
    wall_clock,
)

HAPPY = np.array([0.0, 0.0, 0.0, 0.75, 0.25, 0.0, 0.0], np.float32)
THIRDS = np.array([0.0, 0.0, 0.0, 2 / 3, 1 / 3, 0.0, 0.0], np.float32)
START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))


def face(
    number: int, probs: np.ndarray = HAPPY, emotion: str | None = "happy", **more: str
) -> Face:
    box = Box(number, 2, 30, 40)
    return Face(number, box, float("nan"), 1.5, 0.25, probs, probs, emotion, **more)


def result(*faces: Face, index: int = 7, time_s: float = 0.28) -> FrameResult:
    return FrameResult(index, time_s, (64, 48), faces)


READ = {
    **{"frame": 7, "time_s": 0.28, "width_px": 64, "height_px": 48, "track_id": 1},
    **{"x1_px": 1, "y1_px": 2, "x2_px": 30, "y2_px": 40, "score": None},
    **{"age_s": 1.5, "unseen_s": 0.25, **dict.fromkeys(EMOTIONS, 0.0), "happy": 0.75, "sad": 0.25},
    **{"emotion": "happy", "confidence": 0.75, "valence": 0.5, "unreadable": None, "name": None},
}
NOTHING = dict.fromkeys((*EMOTIONS, "emotion", "confidence", "valence"))
FACES_AND_ROWS = pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ((), []),
        ((face(1),), [READ]),
        ((face(1, name="Ada"),), [READ | {"name": "Ada"}]),
        ((face(1, emotion=None),), [READ | {"emotion": UNSURE}]),
        ((face(1, unclassified(), None),), [READ | NOTHING]),
        (
            (face(1, unclassified(), None, unreadable="too dark"),),
            [READ | NOTHING | {"unreadable": "too dark"}],
        ),
        ((face(1), face(2)), [READ, READ | {"track_id": 2, "x1_px": 2}]),
        ((replace(face(1), score=0.5),), [READ | {"score": 0.5}]),
    ],
    ids=[
        *("nobody", "read", "named", "unsure", "not classified", "unreadable", "two", "scored"),
    ],
)


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


# Rows


@FACES_AND_ROWS
def test_a_face_is_a_row(faces: tuple[Face, ...], expected: list[Row]) -> None:
    rows = face_rows(result(*faces))
    assert rows == expected
    assert all(tuple(row) == COLUMNS for row in rows)


def test_a_row_holds_the_values_as_they_were_computed() -> None:
    (row,) = face_rows(result(face(1, THIRDS), time_s=1 / 3))
    assert (row["time_s"], row["happy"]) == (1 / 3, float(np.float32(2 / 3)))
    assert {type(value) for value in row.values()} == {int, float, str, type(None)}


@pytest.mark.parametrize(
    ("given_too", "before"),
    [
        ({}, None),
        ({"file": "a.jpg"}, "frame"),
        ({"clock_start": START}, "width_px"),
        ({"file": "a.mp4", "clock_start": START}, "frame"),
    ],
    ids=["neither", "file", "clock", "both"],
)
def test_file_and_wall_clock_stand_only_where_they_are_given(
    given_too: dict, before: str | None
) -> None:
    (row,) = face_rows(result(face(1)), **given_too)
    wanted = columns(file="file" in given_too, wall_clock="clock_start" in given_too)
    assert tuple(row) == wanted
    assert {name: row[name] for name in COLUMNS} == READ
    assert row.get("file") == given_too.get("file")
    assert len(wanted) == len(COLUMNS) + len(given_too)
    if before:
        assert wanted[wanted.index(before) - 1] in ("file", "wall_clock")


@pytest.mark.parametrize(
    ("time_s", "expected"),
    [
        (0.0, "2026-03-01T12:00:00.000+05:30"),
        (83.25, "2026-03-01T12:01:23.250+05:30"),
        (0.9996, "2026-03-01T12:00:01.000+05:30"),
        (86400 / 2, "2026-03-02T00:00:00.000+05:30"),
    ],
)
def test_the_wall_clock_is_iso_8601_with_offset(time_s: float, expected: str) -> None:
    assert wall_clock(START, time_s) == expected
    assert abs(datetime.fromisoformat(expected) - START - timedelta(seconds=time_s)) < timedelta(
        milliseconds=1
    )


def test_a_clock_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected .* time zone\. Received "):
        face_rows(result(face(1)), clock_start=datetime(2026, 3, 1))


# Tables


@FACES_AND_ROWS
def test_a_table_holds_the_rows(faces: tuple[Face, ...], expected: list[Row]) -> None:
    read = result(*faces).to_dataframe()
    rows = read.astype(object).where(read.notna(), None).to_dict("records")
    assert rows == expected


@pytest.mark.parametrize(
    "results",
    [[], [result()], [result(face(1))], [result(face(1, unclassified(), None))] * 2],
    ids=["no frame", "nobody", "one", "nothing known"],
)
def test_columns_and_dtypes_are_always_the_same(results: list[FrameResult]) -> None:
    read = to_dataframe(results)
    assert tuple(read.columns) == COLUMNS
    pd.testing.assert_series_equal(read.dtypes, to_dataframe([result(face(1))] * 3).dtypes)
    assert list(read["emotion"].cat.categories) == [*EMOTIONS, UNSURE]


def test_a_video_is_its_frames_one_after_the_other() -> None:
    frames = [result(face(1), index=0, time_s=0.0), result(index=1), result(face(1), face(3))]
    read = to_dataframe(iter(frames))
    assert read[["frame", "track_id"]].values.tolist() == [[0, 1], [7, 1], [7, 3]]
    assert list(read.index) == [0, 1, 2]
    parts = pd.concat([frame.to_dataframe() for frame in frames], ignore_index=True)
    pd.testing.assert_frame_equal(parts, read)


def test_a_table_of_files_names_them() -> None:
    rows = face_rows(result(face(1)), file="a.jpg", clock_start=START)
    read = table(rows, columns(file=True, wall_clock=True))
    assert tuple(read.columns) == columns(file=True, wall_clock=True)
    assert read["file"].tolist() == ["a.jpg"]
    assert table([], columns(file=True)).dtypes["file"] == read.dtypes["file"]


def test_it_can_be_written_and_counted() -> None:
    read = to_dataframe([result(face(1), face(2, emotion=None))] * 3)
    assert read["emotion"].value_counts()[["happy", UNSURE, "sad"]].tolist() == [3, 3, 0]
    again = pd.read_csv(io.StringIO(read.to_csv(index=False)))
    assert again["happy"].tolist() == [0.75] * 6


# CSV


def test_a_csv_without_rows_has_its_header_line() -> None:
    assert to_csv([]) == "\ufeff" + ",".join(COLUMNS) + "\r\n"
    assert to_csv([], columns(file=True)).startswith("\ufefffile,frame,")


@FACES_AND_ROWS
def test_a_csv_has_a_line_a_row(faces: tuple[Face, ...], expected: list[Row]) -> None:
    text = to_csv(face_rows(result(*faces)))
    assert text.count("\r\n") == text.count("\n") == len(faces) + 1
    lines = read_csv(text)
    texts = ("emotion", "unreadable", "name")
    assert [
        {name: cell if name in texts else float(cell) for name, cell in line.items() if cell}
        for line in lines
    ] == [{name: value for name, value in row.items() if value is not None} for row in expected]


def test_spreadsheets_read_umlauts() -> None:
    rows = face_rows(result(face(1, name="Jürgen Groß")), file="Büro, 1. Stock.jpg")
    data = to_csv(rows, columns(file=True)).encode()
    assert data.startswith(b"\xef\xbb\xbffile,")
    (line,) = pd.read_csv(io.BytesIO(data)).to_dict("records")
    assert (line["file"], line["name"]) == ("Büro, 1. Stock.jpg", "Jürgen Groß")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_text_is_never_a_formula(sign: str) -> None:
    text = f'{sign}HYPERLINK("http://example.org";"x"),1'
    rows = face_rows(result(face(1, name=text)), file=text)
    (line,) = read_csv(to_csv(rows, columns(file=True)))
    assert line["name"] == line["file"] == f"'{text}"


def test_a_number_below_zero_stays_a_number() -> None:
    angry = np.array([1, 0, 0, 0, 0, 0, 0], np.float32)
    (line,) = read_csv(to_csv(face_rows(result(face(1, angry, "angry")))))
    assert line["valence"] == "-1.0"


def test_a_file_name_that_utf8_cannot_hold_is_escaped() -> None:
    name = "Stra\udcdfe.jpg"  # of a byte that is no UTF-8, as Python reads folders
    rows = face_rows(result(face(1)), file=name)
    (line,) = read_csv(to_csv(rows, columns(file=True)).encode().decode())
    assert line["file"] == r"Stra\udcdfe.jpg"
    assert json.loads(to_json({}, rows).encode())["rows"][0]["file"] == name


def test_numbers_are_rounded_where_text_is_written() -> None:
    rows = face_rows(result(face(1, THIRDS), time_s=1 / 3))
    (line,) = read_csv(to_csv(rows))
    assert (line["time_s"], line["happy"], line["valence"]) == ("0.333333", "0.666667", "0.333333")
    (row,) = json.loads(to_json({}, rows))["rows"]
    assert (row["time_s"], row["happy"], row["valence"]) == (0.333333, 0.666667, 0.333333)


def test_rows_can_be_written_as_they_come() -> None:
    frames = [result(face(1), time_s=0.0), result(), result(face(1), face(2))]
    file = io.StringIO(newline="")
    writer = CsvWriter(file)
    for frame in frames:
        writer.write(face_rows(frame))
    assert file.getvalue() == to_csv(row for frame in frames for row in face_rows(frame))


def test_a_row_that_lacks_a_column_is_not_written() -> None:
    with pytest.raises(KeyError, match="wall_clock"):
        to_csv(face_rows(result(face(1))), columns(wall_clock=True))


texts = st.text(st.characters(codec="utf-8"), min_size=1)


@given(name=texts, file=texts)
def test_any_name_comes_back_from_csv_and_json(name: str, file: str) -> None:
    rows = face_rows(result(face(1, name=name), face(2, emotion=None)), file=file)
    lines = read_csv(to_csv(rows, columns(file=True)))
    assert [line["name"].removeprefix("'") for line in lines] == [name.removeprefix("'"), ""]
    assert {line["file"].removeprefix("'") for line in lines} == {file.removeprefix("'")}
    assert json.loads(to_json({}, rows))["rows"] == rows


# JSON


def test_json_has_a_header_and_the_rows() -> None:
    rows = face_rows(result(face(1), face(2, unclassified(), None)))
    read = json.loads(to_json({"emorec": "1"}, rows, summary={"faces": 2, "share": float("nan")}))
    assert list(read) == ["header", "summary", "rows"]
    assert read["summary"] == {"faces": 2, "share": None}
    assert read["rows"] == rows
    assert all(tuple(row) == COLUMNS for row in read["rows"])
    assert json.loads(to_json({}, []))["rows"] == []
    assert "NaN" not in to_json({}, rows)


def test_the_header_says_what_the_rows_were_made_with() -> None:
    model, settings = load(), Settings(min_face_px=24, smoothing_s=0.3)
    read = json.loads(to_json(header(model, settings)))  # as it is written beside a CSV file
    assert list(read) == ["header"]
    assert read["header"]["emorec"] == __version__
    assert read["header"]["settings"] == {
        **{"min_face_px": 24, "smoothing_s": 0.3, "cautious": False, "detector": "auto"},
    }
    told = read["header"]["model"]
    assert (told["name"], told["network"]) == (model.contract.name, model.contract.network)
    assert told["sha256"] == model.contract.files["tflite"]["sha256"]
    assert told["unsure_below"] == pytest.approx(model.contract.unsure_below, abs=1e-6)


# One picture, as `emorec photo --json` prints it

PICTURE = {"file": "a.jpg", "size": [64, 48], "faces": []}
CLASSIFIED = {
    "box": [1, 2, 30, 40],
    "emotion": "happy",
    "confidence": 0.75,
    "probs": dict.fromkeys(EMOTIONS, 0.0) | {"happy": 0.75, "sad": 0.25},
    "unreadable": None,
}
UNKNOWN = CLASSIFIED | {"emotion": None, "confidence": None, "probs": dict.fromkeys(EMOTIONS)}


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ((), []),
        ((face(1),), [CLASSIFIED]),
        ((face(1, emotion=None),), [CLASSIFIED | {"emotion": None}]),
        ((face(1, unclassified(), None),), [UNKNOWN]),
        (
            (face(1, unclassified(), None, unreadable="cut off"),),
            [UNKNOWN | {"unreadable": "cut off"}],
        ),
        ((face(1), face(2)), [CLASSIFIED, CLASSIFIED | {"box": [2, 2, 30, 40]}]),
    ],
    ids=["nobody", "classified", "unsure", "not classified", "unreadable", "two"],
)
def test_a_picture_is_the_contracts_json(faces: tuple[Face, ...], expected: list) -> None:
    picture = picture_object("a.jpg", result(*faces))
    assert picture == PICTURE | {"faces": expected}
    assert json.loads(json.dumps(picture, allow_nan=False)) == picture
    assert all(list(entry) == list(CLASSIFIED) for entry in picture["faces"])
    assert all(tuple(entry["probs"]) == EMOTIONS for entry in picture["faces"])


def test_the_numbers_of_a_picture_are_rounded() -> None:
    (entry,) = picture_object("a.jpg", result(face(1, THIRDS)))["faces"]
    assert (entry["confidence"], entry["probs"]["sad"]) == (0.666667, 0.333333)


def test_a_picture_has_names_where_names_were_asked_for_and_only_there() -> None:
    read = result(face(1, name="Ada"), face(2))
    asked, other = picture_object("a.jpg", read, names=True), picture_object("a.jpg", read)
    assert [entry["name"] for entry in asked["faces"]] == ["Ada", None]
    assert not any("name" in entry for entry in other["faces"])
