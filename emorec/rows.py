"""The columns of everything that is written out, and how they are written.

FrameResult -> `face_rows` -> `to_csv`, `to_json`, `table`; of one picture also `picture_object`.

A row is a face in one picture, and every output has the same columns. A new output takes its rows
and columns from here. This is the only module that rounds, and it rounds only where text is
written: rows and tables hold the values as they were computed.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TextIO

from emorec.columns import FACE
from emorec.emotions import EMOTIONS, UNSURE
from emorec.records import Face, FrameResult
from emorec.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from emorec.model.store import EmotionModel
    from emorec.settings import Settings

Row = dict[str, Any]
"""From column to value: int, float (never NaN), str, or None where the value is missing."""

DTYPES: Mapping[str, str] = MappingProxyType({name: each.dtype for name, each in FACE.items()})
"""Every column of a face in its order, with its pandas dtype; `emorec.columns` explains them."""

SUMMARY_COLUMNS = (
    *("file", "kind", "sha256", "width_px", "height_px", "duration_s", "frames", "broken"),
    *("missing_s", "faces_seen", "most_at_once", *EMOTIONS, UNSURE),
    *("mean_valence", "dominant", "unreadable_share"),
)
"""The columns of a table of several files, a row each; `emorec.sessions.summary.Summary` and
`emorec.videos.reading.VideoReport` explain them. An emotion is its share of the time read."""

_DIGITS = 6  # after the point: a probability changes by more from one processor to the next
_SLACK_S = 1e-6  # media clocks round; frames exactly a step apart must not count as closer
_BOM = "\ufeff"  # tells spreadsheets that the text is UTF-8; without it umlauts come out wrong
# A spreadsheet computes a cell that begins with one of these, also in their full-width forms
# (OWASP, "CSV Injection"); the apostrophe before it makes it text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def columns(*, file: bool = False, wall_clock: bool = False) -> tuple[str, ...]:
    """Return the columns of a table in their order.

    Args:
        file: whether the table is about several files.
        wall_clock: whether it is about a live session.
    """
    wanted = {"file": file, "wall_clock": wall_clock}
    return tuple(name for name in DTYPES if wanted.get(name, True))


COLUMNS = columns()
"""The columns that every table has."""


def face_rows(
    result: FrameResult, *, file: str | None = None, clock_start: datetime | None = None
) -> list[Row]:
    """Return a row for each face, in their order; a picture without faces has none.

    Args:
        result: what was read from one picture.
        file: its name, where there are several; the rows have it as ``file`` then.
        clock_start: the wall clock at second 0 of the stream, with its time zone; the rows have a
            ``wall_clock`` then.
    """
    picture: Row = {} if file is None else {"file": file}
    picture |= {"frame": result.index, "time_s": result.time_s}
    if clock_start is not None:
        picture["wall_clock"] = wall_clock(clock_start, result.time_s)
    picture["width_px"], picture["height_px"] = result.size_wh
    return [picture | _face(face) for face in result.faces]


def wall_clock(clock_start: datetime, time_s: float) -> str:
    """Return the date and time of a moment of a stream, ISO 8601 with offset, to the millisecond.

    Args:
        clock_start: the wall clock at second 0 of the stream, with its time zone.
        time_s: the moment, in seconds of the media clock.

    Raises:
        ValueError: ``clock_start`` has no time zone.
    """
    if clock_start.tzinfo is None:
        raise ValueError(f"Expected a clock_start with a time zone. Received {clock_start!r}.")
    moment = clock_start + timedelta(milliseconds=round(time_s * 1000))
    return moment.isoformat(timespec="milliseconds")


def to_dataframe(results: Iterable[FrameResult]) -> pd.DataFrame:
    """Return the faces of all results, in their order, as a table with ``COLUMNS``.

    Args:
        results: of the frames of a video; of one picture `FrameResult.to_dataframe` is shorter.
            A frame without faces has no row.
    """
    return table(row for result in results for row in face_rows(result))


def table(rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Return rows as a table, with the same dtypes however few rows there are."""
    import pandas as pd  # takes half a second to load

    labels = pd.CategoricalDtype([*EMOTIONS, UNSURE])
    dtypes = {name: labels if name == "emotion" else DTYPES[name] for name in columns}
    return pd.DataFrame(list(rows), columns=list(columns)).astype(dtypes)


def to_csv(rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> str:
    """Return rows as the text of a CSV file; `CsvWriter` says in which form."""
    text = io.StringIO(newline="")
    CsvWriter(text, columns).write(rows)
    return text.getvalue()


class Pace:
    """Chooses the faces of a frame that get a row, so that rows have a bounded rate.

    Args:
        step_s: least time in seconds between two rows of one face.
    """

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._newest_s: dict[int, float] = {}

    def due(self, result: FrameResult) -> FrameResult:
        """Return the result with the faces that get a row: read or unreadable, and not too soon."""
        faces = tuple(
            face
            for face in result.faces
            if (face.classified or face.unreadable)
            and result.time_s - self._newest_s.get(face.track_id, -math.inf)
            >= self._step_s - _SLACK_S
        )
        self._newest_s |= {face.track_id: result.time_s for face in faces}
        return replace(result, faces=faces)


class CsvWriter:
    """Writes rows to a CSV file as they come.

    The form is RFC 4180 with a header line. The text begins with a byte order mark, so that
    spreadsheets read it as UTF-8. Where a text would be taken for a formula, an apostrophe stands
    before it: the names of files and people are not ours.

    Args:
        file: open for text, in UTF-8 and with ``newline=""``.
        columns: of the table.
    """

    def __init__(self, file: TextIO, columns: Sequence[str] = COLUMNS) -> None:
        self._columns = columns
        file.write(_BOM)
        self._writer = csv.writer(file)
        self._writer.writerow(columns)

    def write(self, rows: Iterable[Row]) -> None:
        """Write a line for each row."""
        self._writer.writerows([_cell(row[name]) for name in self._columns] for row in rows)


def header(model: EmotionModel, settings: Settings) -> dict[str, Any]:
    """Return what the rows were made with: the program's version, the model, the settings."""
    contract = model.contract
    return {
        "emorec": __version__,
        "model": {
            "name": contract.name,
            "network": contract.network,
            "created": contract.created,
            "sha256": contract.files[model.file.suffix.removeprefix(".")]["sha256"],
            "unsure_below": contract.unsure_below,
        },
        "settings": settings,
    }


def to_json(header: Mapping[str, Any], rows: Iterable[Row] | None = None, **more: object) -> str:
    """Return one JSON object with ``header``, what else is given, and ``rows``; never NaN.

    Args:
        header: as `header` makes it. Alone, it is the text to write beside a CSV file.
        rows: None leaves them out.
        more: further parts by name: mappings, sequences, data classes, numbers, texts.
    """
    text = _json({"header": header, **more}, indent=1)
    if rows is not None:
        lines = ",\n  ".join(map(_json, rows))  # one line a row: a third of the size
        text = f'{text.removesuffix("}").rstrip()},\n "rows": [\n  {lines}\n ]\n}}'
    return _encodable(text)


def json_line(value: object) -> str:
    """Return mappings, sequences, data classes, numbers and texts as one line of JSON.

    Numbers are rounded; those that are not finite become null.
    """
    return _encodable(_json(value))


def plain(value: Any) -> Any:
    """Return the value as JSON and sheets hold it: rounded; None where it is not finite."""
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if is_dataclass(value):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def picture_object(file: str, result: FrameResult, names: bool = False) -> dict[str, Any]:
    """Return what was read from one picture as `emorec photo --json` prints it.

    Returns:
        ``file``; ``size``, its width and height in pixels; ``faces``, each with ``box``,
        ``emotion`` (None for "unsure" too), ``confidence``, ``probs`` by name, ``unreadable``, and
        ``name`` where names were asked for. Rounded, and never NaN.
    """
    faces = []
    for row in plain(face_rows(result)):
        face = {
            "box": [row[name] for name in ("x1_px", "y1_px", "x2_px", "y2_px")],
            "emotion": None if row["emotion"] == UNSURE else row["emotion"],
            "confidence": row["confidence"],
            "probs": {emotion: row[emotion] for emotion in EMOTIONS},
            "unreadable": row["unreadable"],
        }
        faces.append(face | ({"name": row["name"]} if names else {}))
    return {"file": file, "size": list(result.size_wh), "faces": faces}


def _face(face: Face) -> Row:
    x1, y1, x2, y2 = face.box
    return {
        "track_id": face.track_id,
        "x1_px": x1,
        "y1_px": y1,
        "x2_px": x2,
        "y2_px": y2,
        "score": _known(face.score),
        "age_s": face.age_s,
        "unseen_s": face.unseen_s,
        **{emotion: _known(share) for emotion, share in face.by_emotion.items()},
        "emotion": (face.emotion or UNSURE) if face.classified else None,
        "confidence": _known(face.confidence),
        "valence": _known(face.valence),
        "unreadable": face.unreadable,
        "name": face.name,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _json(value: object, indent: int | None = None) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        value = _encodable(value)
        return f"'{value}" if value.startswith(_FORMULA) else value
    return plain(value)


def _encodable(text: str) -> str:
    """Return the text with escapes for what UTF-8 cannot hold: bytes of an undecodable file name.

    In JSON these escapes are the ones that JSON itself has.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
