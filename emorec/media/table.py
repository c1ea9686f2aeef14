"""What was read from a photo, as rows for JSON and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import NotRequired, TypedDict

from emorec.emotions import EMOTIONS
from emorec.records import Face, FrameResult

_COLUMNS = ("file", "width", "height", "face", "x1", "y1", "x2", "y2", "emotion", "confidence")


class FaceRecord(TypedDict):
    """One face; None stands for "unsure", or for a number of a face that was not classified.

    ``unreadable`` says why a face could not be labelled; it is None where it could. ``name`` is
    there where names were asked for; None where nobody knows the face.
    """

    box: list[int]
    emotion: str | None
    confidence: float | None
    probs: dict[str, float | None]
    unreadable: str | None
    name: NotRequired[str | None]


class PhotoRecord(TypedDict):
    """One picture: its name, its width and height in pixels, its faces from left to right."""

    file: str
    size: list[int]
    faces: list[FaceRecord]


def photo_record(file: str, result: FrameResult, names: bool = False) -> PhotoRecord:
    """Return what was read from a photo as JSON can hold it: plain values, never NaN.

    Args:
        file: its name.
        result: what was read.
        names: whether names were asked for.
    """
    return {
        "file": file,
        "size": list(result.size_wh),
        "faces": [_face_record(face, names) for face in result.faces],
    }


def photo_csv(records: Iterable[PhotoRecord]) -> str:
    """Return the faces of all photos as CSV, a row each; what is None stays empty."""
    records = list(records)
    names = any("name" in face for record in records for face in record["faces"])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *EMOTIONS, "unreadable", *(["name"] if names else [])])
    for record in records:
        for number, face in enumerate(record["faces"], start=1):
            where = (record["file"], *record["size"], number, *face["box"])
            probs = [face["probs"][emotion] for emotion in EMOTIONS]
            how = (face["emotion"], face["confidence"], *probs, face["unreadable"])
            writer.writerow([*where, *how, *([face.get("name")] if names else [])])
    return text.getvalue()


def _face_record(face: Face, names: bool) -> FaceRecord:
    record: FaceRecord = {
        "box": list(face.box),
        "emotion": face.emotion,
        "confidence": _number(face.confidence),
        "probs": {emotion: _number(p) for emotion, p in face.by_emotion.items()},
        "unreadable": face.unreadable,
    }
    if names:
        record["name"] = face.name
    return record


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
