"""The rows of a video as CSV, JSON and Parquet files, written while they come."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from emorec.jobs.results import CSV, JSON, PARQUET
from emorec.records import FrameResult
from emorec.rows import COLUMNS, DTYPES, CsvWriter, Pace, Row, face_rows, json_line, to_json

_TYPES = {"int64": pa.int64(), "float64": pa.float64(), "float32": pa.float32()}
_SCHEMA = pa.schema([(name, _TYPES.get(DTYPES[name], pa.string())) for name in COLUMNS])
_LONG_S, _SOON_S = 0.5, 0.1  # around a moment: faces of a file are read five times a second
_GROUP = 10_000  # rows that are in memory at once: 15 MB as dictionaries


class Tables:
    """A sink that writes the same rows as CSV, JSON and Parquet; memory stays bounded.

    The JSON file is one object with ``rows``, ``header`` and ``video``, as `emorec.rows.to_json`
    writes it; the rows come first because they are written first.

    Args:
        folder: where the files are written.
        step_s: least time in seconds between two rows of one face.
        header: what the rows were made with, as `emorec.rows.header` returns it.
    """

    def __init__(self, folder: Path, step_s: float, header: Mapping[str, Any]) -> None:
        self._folder = folder
        self._pace = Pace(step_s)
        self._header = header
        self._rows: list[Row] = []
        self._files = ExitStack()
        self._first = True

    def __enter__(self) -> Self:
        folder, files = self._folder, self._files
        csv = files.enter_context((folder / CSV).open("w", encoding="utf-8", newline=""))
        self._csv = CsvWriter(csv)
        self._json = files.enter_context((folder / JSON).open("w", encoding="utf-8"))
        self._json.write('{"rows": [')
        self._parquet = files.enter_context(pq.ParquetWriter(folder / PARQUET, _SCHEMA))
        return self

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Take the rows of one frame."""
        self._rows += face_rows(self._pace.due(result))
        if len(self._rows) >= _GROUP:
            self._write()

    def __exit__(self, *why: object) -> None:
        self._write()
        self._json.write("\n]}\n")
        self._files.close()

    def finish(self, video: object) -> None:
        """Add the header and the report on the video to the JSON file, once its end is written."""
        about = to_json(self._header, video=video)
        with (self._folder / JSON).open("r+b") as file:
            file.seek(-len(b"}\n"), 2)
            file.write(f",\n{about.removeprefix('{')}".encode())

    def _write(self) -> None:
        self._csv.write(self._rows)
        for row in self._rows:
            self._json.write(f"{'' if self._first else ','}\n  {json_line(row)}")
            self._first = False
        if self._rows:
            self._parquet.write_table(pa.Table.from_pylist(self._rows, _SCHEMA))
        self._rows = []


def rows_at(folder: Path, time_s: float) -> list[Row]:
    """Return the newest row of every face that was in view at a moment, by number.

    Args:
        folder: where `Tables` wrote.
        time_s: the moment, in seconds of the video.
    """
    near = [("time_s", ">=", time_s - _LONG_S), ("time_s", "<=", time_s + _SOON_S)]
    rows = pq.read_table(folder / PARQUET, filters=near).to_pylist()
    newest = {row["track_id"]: row for row in rows}
    return [newest[number] for number in sorted(newest)]
