"""The rows of a video as CSV, JSON, Parquet and XLSX files, written while they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from emorec.records import FrameResult
from emorec.rows import (
    DTYPES,
    CsvWriter,
    Pace,
    Row,
    columns,
    face_rows,
    json_line,
    to_json,
)
from emorec.xlsx import add_row

KINDS = ("csv", "json", "parquet", "xlsx")
"""Every kind of table, as its suffix."""

_GROUP = 10_000  # rows that are in memory at once: 15 MB as dictionaries
_SHEET_ROWS = 1_048_576  # of one sheet, by the format
_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "float32": pa.float32()}


def schema(names: Iterable[str]) -> pa.Schema:
    """Return the types of columns in a Parquet file; a label is a text there."""
    return pa.schema([(name, _ARROW.get(DTYPES[name], pa.string())) for name in names])


class Tables:
    """A sink that writes the same rows as files of several kinds; memory stays bounded.

    The JSON file is one object with ``rows``, ``header`` and ``video``; the rows come first because
    they are written first; `finish` adds the others.

    Args:
        paths: by kind (`KINDS`), the files to write.
        step_s: least time in seconds between two rows of one face.
        file: the video's name, where the tables have the column ``file``.
    """

    def __init__(self, paths: Mapping[str, Path], step_s: float, file: str | None = None) -> None:
        self.note: str | None = None
        """One line about what could not be written; None if all was."""
        self._paths = paths
        self._pace = Pace(step_s)
        self._file = file
        self._columns = columns(file=file is not None)
        self._schema = schema(self._columns)
        self._rows: list[Row] = []
        self._files = ExitStack()
        self._first = True

    def __enter__(self) -> Self:
        paths, enter = self._paths, self._files.enter_context
        try:
            if "csv" in paths:
                csv = enter(paths["csv"].open("w", encoding="utf-8", newline=""))
                self._csv = CsvWriter(csv, self._columns)
            if "json" in paths:
                self._json = enter(paths["json"].open("w", encoding="utf-8"))
                self._json.write('{"rows": [')
            if "parquet" in paths:
                self._parquet = enter(pq.ParquetWriter(paths["parquet"], self._schema))
            if "xlsx" in paths:
                self._xlsx = enter(_Xlsx(paths["xlsx"], self._columns))
        except BaseException:
            self._files.close()
            raise
        return self

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Take the rows of one frame."""
        self._rows += face_rows(self._pace.due(result), file=self._file)
        if len(self._rows) >= _GROUP:
            self._write()

    def __exit__(self, kind: type[BaseException] | None, *why: object) -> None:
        with self._files:
            if kind is None:
                self._write()
                if "json" in self._paths:
                    self._json.write("\n]}\n")
                if "xlsx" in self._paths:
                    self._xlsx.save()
                    self.note = self._xlsx.note

    def finish(self, header: Mapping[str, Any], **more: Any) -> None:
        """Add further parts to the JSON file, after the end of the context.

        Args:
            header: what the rows were made with, as `emorec.rows.header` returns it.
            more: as `emorec.rows.to_json` takes them.
        """
        about = to_json(header, **more)
        with self._paths["json"].open("r+b") as file:
            file.seek(-len(b"}\n"), 2)
            file.write(f",\n{about.removeprefix('{')}\n".encode())

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        if "csv" in self._paths:
            self._csv.write(rows)
        if "json" in self._paths:
            for row in rows:
                self._json.write(f"{'' if self._first else ','}\n  {json_line(row)}")
                self._first = False
        if "parquet" in self._paths and rows:
            self._parquet.write_table(pa.Table.from_pylist(rows, self._schema))
        if "xlsx" in self._paths:
            self._xlsx.write(rows)


class _Xlsx:
    """One sheet of rows; openpyxl keeps it in a temporary file until it is saved."""

    def __init__(self, path: Path, names: Iterable[str]) -> None:
        from openpyxl import Workbook

        self.note: str | None = None
        self._path = path
        self._names = tuple(names)
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet("faces")
        add_row(self._sheet, self._names, bold=True)
        self._count = 1
        self._saved = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        if not self._saved:
            self._sheet.close()

    def write(self, rows: list[Row]) -> None:
        """Write the rows that the sheet still has room for."""
        room = max(_SHEET_ROWS - self._count, 0)
        if len(rows) > room:
            self.note = f"{self._path}: holds the first {_SHEET_ROWS:,} rows only, as a sheet can."
        for row in rows[:room]:
            add_row(self._sheet, (row[name] for name in self._names))
        self._count += len(rows[:room])

    def save(self) -> None:
        """Write the file."""
        self._saved = True
        self._book.save(self._path)
