"""The folder of the results: rows of every task, records of what is done, summary, errors.

::

    run.json            what the results are made with
    rows/ab/KEY.parquet the rows of one task
    done/ab/KEY.json    the records of the files of one task; written after its rows
    summary.csv         a row for each file that was read
    errors.csv          a row for each file that was not, with the reason

Every file gets a temporary name first and its own when it is whole, so a process that is killed
leaves only whole results.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from emorec.errors import EmorecError
from emorec.rows import SUMMARY_COLUMNS, CsvWriter, to_json

ERROR_COLUMNS = ("file", "reason")

_RUN, _ROWS, _DONE = "run.json", "rows", "done"

Made = dict[str, Any]
"""The record of a file that was read, by name: ``size``, ``sha256`` and `SUMMARY_COLUMNS`."""


class Store:
    """A folder of results; processes on several machines may write to it at the same time.

    Args:
        folder: on a disk that all workers share.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, made_with: Mapping[str, Any], resume: bool) -> None:
        """Prepare the folder for a run; on the client only, before any worker writes.

        Args:
            made_with: what decides the results; as `emorec.rows.header` returns it, and more.
            resume: whether to go on with the run whose results are there.

        Raises:
            EmorecError: it holds the results of another run, or cannot be written.
        """
        run = self.folder / _RUN
        text = to_json(made_with)
        try:
            if run.exists():
                if not resume:
                    raise EmorecError(
                        f"{self.folder}: holds results of an earlier run; pass --resume to go on"
                        " with it, or choose another folder."
                    )
                if run.read_text(encoding="utf-8") != text:
                    raise EmorecError(
                        f"{self.folder}: its results were made with other settings, another model"
                        f" or another version (see {run}); choose another folder."
                    )
            for name in (_ROWS, _DONE):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            self.clean()
            self._drop_rows_without_record()
            whole(run, lambda path: path.write_text(text, encoding="utf-8"))
        except OSError as error:
            raise EmorecError(
                f"{self.folder}: cannot be written ({error.strerror or error})."
            ) from None

    def rows_file(self, key: str) -> Path:
        """Return the path of the rows of a task."""
        return self._path(_ROWS, key, "parquet")

    def add(self, key: str, records: Sequence[Made]) -> None:
        """Record the files of a task as done."""
        text = json.dumps(records, allow_nan=False)
        whole(self._path(_DONE, key, "json"), lambda path: path.write_text(text, encoding="utf-8"))

    def has(self, key: str) -> bool:
        """Return whether the files of a task are recorded as done."""
        return self._path(_DONE, key, "json").exists()

    def records(self, key: str) -> list[Made]:
        """Return the records of the files of a task that is done."""
        records: list[Made] = json.loads(self._path(_DONE, key, "json").read_text(encoding="utf-8"))
        return records

    def done(self) -> Iterator[Made]:
        """Yield the records of all files that are done, and whose rows are there."""
        for path in sorted((self.folder / _DONE).glob("??/*.json")):
            if self.rows_file(path.stem).exists():
                yield from self.records(path.stem)

    def write_summary(self) -> int:
        """Write the summary of all files that are done, and return their number."""
        records = sorted(self.done(), key=lambda record: record["file"])

        def write(path: Path) -> None:
            with path.open("w", encoding="utf-8", newline="") as file:
                CsvWriter(file, SUMMARY_COLUMNS).write(records)

        whole(self.folder / "summary.csv", write)
        return len(records)

    def write_errors(self, errors: Iterable[tuple[str, str]]) -> None:
        """Write the files that could not be read, with the reasons, in place of those before."""

        def write(path: Path) -> None:
            with path.open("w", encoding="utf-8", newline="") as file:
                rows = (dict(zip(ERROR_COLUMNS, error, strict=True)) for error in errors)
                CsvWriter(file, ERROR_COLUMNS).write(rows)

        whole(self.folder / "errors.csv", write)

    def _path(self, kind: str, key: str, suffix: str) -> Path:
        # A folder of a million files is slow on many shared disks.
        return self.folder / kind / key[:2] / f"{key}.{suffix}"

    def clean(self) -> None:
        """Delete the unfinished files that killed workers left."""
        for kind in (_ROWS, _DONE):
            for path in (self.folder / kind).glob("??/.*"):
                path.unlink(missing_ok=True)

    def _drop_rows_without_record(self) -> None:
        for path in (self.folder / _ROWS).glob("??/*.parquet"):
            if not self.has(path.stem):
                path.unlink()


def key_of(files: Iterable[tuple[str, str]]) -> str:
    """Return the name of the results of a task.

    Args:
        files: name and hash of each of its files.
    """
    return sha256(json.dumps(list(files)).encode()).hexdigest()[:32]


def whole(file: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, then give it its own; a failure leaves nothing.

    Args:
        file: to write or replace; its folder is made.
        write: takes the temporary path.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Two machines may do the same task, when the first was thought to be dead.
    part = file.with_name(f".{file.name}.{platform.node()}.{os.getpid()}")
    try:
        write(part)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
