from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from emorec.emotions import EMOTIONS
from emorec.media.table import photo_csv, photo_record
from emorec.records import Box, Face, FrameResult, unclassified

HAPPY = np.array([0.0, 0.0, 0.0, 0.75, 0.0, 0.0, 0.25], np.float32)


def face(probs: np.ndarray, emotion: str | None, unreadable: str | None = None) -> Face:
    box = Box(1, 2, 30, 40)
    return Face(1, box, float("nan"), 0.0, 0.0, probs, probs, emotion, unreadable=unreadable)


def result(*faces: Face) -> FrameResult:
    return FrameResult(0, 0.0, (64, 48), faces)


EMPTY = {"file": "a.jpg", "size": [64, 48], "faces": []}
CLASSIFIED = {
    "box": [1, 2, 30, 40],
    "emotion": "happy",
    "confidence": 0.75,
    "probs": dict.fromkeys(EMOTIONS, 0.0) | {"happy": 0.75, "neutral": 0.25},
    "unreadable": None,
}
NOTHING = CLASSIFIED | {
    "emotion": None,
    "confidence": None,
    "probs": dict.fromkeys(EMOTIONS),
}


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ((), []),
        ((face(HAPPY, "happy"),), [CLASSIFIED]),
        ((face(HAPPY, None),), [CLASSIFIED | {"emotion": None}]),
        ((face(unclassified(), None),), [NOTHING]),
        ((face(unclassified(), None, "cut off"),), [NOTHING | {"unreadable": "cut off"}]),
        ((face(HAPPY, "happy"), face(HAPPY, None)), [CLASSIFIED, CLASSIFIED | {"emotion": None}]),
    ],
    ids=["nobody", "classified", "unsure", "not classified", "unreadable", "two"],
)
def test_a_record_is_the_contracts_json(faces: tuple[Face, ...], expected: list) -> None:
    record = photo_record("a.jpg", result(*faces))
    assert record == EMPTY | {"faces": expected}
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert all(tuple(entry["probs"]) == EMOTIONS for entry in record["faces"])


HEADER = (
    "file,width,height,face,x1,y1,x2,y2,emotion,confidence," + ",".join(EMOTIONS) + ",unreadable"
)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, []),
        ({"a.jpg": ()}, []),
        (
            {"a.jpg": (face(HAPPY, "happy"), face(HAPPY, None)), "b, c.jpg": (face(HAPPY, None),)},
            [
                ["a.jpg", "64", "48", "1", "1", "2", "30", "40", "happy", "0.75"],
                ["a.jpg", "64", "48", "2", "1", "2", "30", "40", "", "0.75"],
                ["b, c.jpg", "64", "48", "1", "1", "2", "30", "40", "", "0.75"],
            ],
        ),
    ],
    ids=["no photo", "nobody", "two photos"],
)
def test_a_csv_has_a_row_a_face(files: dict[str, tuple[Face, ...]], expected: list) -> None:
    text = photo_csv(photo_record(name, result(*faces)) for name, faces in files.items())
    rows = list(csv.reader(io.StringIO(text)))
    assert text.splitlines()[0] == HEADER
    assert [row[:10] for row in rows[1:]] == expected
    assert all([float(p) for p in row[10:17]] == HAPPY.tolist() for row in rows[1:])


def test_a_face_that_is_not_classified_leaves_its_numbers_empty() -> None:
    faces = face(unclassified(), None), face(unclassified(), None, "too dark")
    lines = photo_csv([photo_record("a.jpg", result(*faces))]).splitlines()
    assert lines[1] == "a.jpg,64,48,1,1,2,30,40" + "," * 10
    assert lines[2] == "a.jpg,64,48,2,1,2,30,40" + "," * 10 + "too dark"


def test_a_name_is_there_where_names_were_asked_for_and_only_there() -> None:
    read = result(replace(face(HAPPY, "happy"), name="Ada"), face(HAPPY, "happy"))
    asked, other = photo_record("a.jpg", read, names=True), photo_record("a.jpg", read)
    assert [found["name"] for found in asked["faces"]] == ["Ada", None]
    assert not any("name" in found for found in other["faces"])
    rows = list(csv.DictReader(io.StringIO(photo_csv([asked]))))
    assert [row["name"] for row in rows] == ["Ada", ""]
    assert "name" not in photo_csv([other]).splitlines()[0].split(",")
