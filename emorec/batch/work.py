"""What a worker does with a task: it reads the files and writes their rows and records."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emorec.batch.inputs import Input, Kind, Task
from emorec.batch.store import Made, Store, key_of, whole
from emorec.calibration.baseline import Baselines
from emorec.errors import EmorecError, ImageError
from emorec.media.photo import one_picture, open_photo
from emorec.recognizer import EmotionRecognizer
from emorec.rows import SUMMARY_COLUMNS, Row, columns, face_rows
from emorec.sessions.summary import Summary, summarize
from emorec.sessions.timeline import Timeline
from emorec.settings import Settings
from emorec.version import __version__
from emorec.videos.reading import VideoReport, read_video
from emorec.videos.tables import Tables, schema

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_OF_A_VIDEO = ("duration_s", "frames", "broken", "missing_s")
_OF_A_SUMMARY = ("faces_seen", "most_at_once", "mean_valence", "dominant")
_NOTHING = np.zeros((1, 1, 3), np.uint8)  # a timeline takes no look at the picture


@dataclass(frozen=True, slots=True)
class Job:
    """What all tasks of a run have in common.

    Attributes:
        folder: of the results, on a disk that all workers share.
        settings: how pictures are read.
        readings_per_s: how often each face of a video is read.
        fps: the most frames a second that are read.
        baseline: whether a face of a video is compared with its own resting state.
        version: of EmoRec where the run was started.
    """

    folder: Path
    settings: Settings
    readings_per_s: float
    fps: float
    baseline: bool = True
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the files of a task.

    Attributes:
        read: number of files read.
        left_out: number of files that were done before.
        video_s: length of the videos read.
        errors: name and reason of each file that could not be read.
        stop: why the whole run must stop; None: it goes on.
    """

    read: int = 0
    left_out: int = 0
    video_s: float = 0.0
    errors: tuple[tuple[str, str], ...] = ()
    stop: str | None = None


def work(task: Task, job: Job) -> Outcome:
    """Do one task; what cannot be read becomes an error of the outcome."""
    if job.version != __version__:
        versions = f"{__version__} there, {job.version} here"
        return Outcome(stop=f"a worker has another version of EmoRec ({versions}).")
    try:
        recognizer = _recognizer(job.settings)
        done = _video if task.kind == "video" else _photos
        return done(task, job, recognizer, Store(job.folder))
    except EmorecError as error:  # of the model or the folder: those of a file are caught below
        return Outcome(stop=str(error))


@lru_cache(maxsize=1)
def _recognizer(settings: Settings) -> EmotionRecognizer:
    """Return the recognizer of this worker; it is loaded once."""
    cv2.setNumThreads(1)  # a worker has one core; the others have workers of their own
    return EmotionRecognizer(settings=settings, threads=1)


@contextmanager
def _one(file: Path, errors: list[tuple[str, str]], folder: Path) -> Iterator[None]:
    """Add an error of a file to the list.

    Raises:
        EmorecError: the disk of the results is full, which is no fault of this file.
    """
    try:
        with one_picture(str(file)):
            try:
                yield
            except OSError as error:
                why = error.strerror or error
                if error.errno in _FULL:
                    raise _FullError(f"{folder}: cannot be written ({why}).") from None
                raise ImageError(f"{file}: cannot be read ({why}).") from None
    except _FullError:
        raise
    except EmorecError as error:
        errors.append((str(file), str(error).removeprefix(f"{file}: ")))


class _FullError(EmorecError):
    """The disk of the results is full."""


def _video(task: Task, job: Job, recognizer: EmotionRecognizer, store: Store) -> Outcome:
    (file,) = task.files
    name = str(file.path)
    errors: list[tuple[str, str]] = []
    outcome = Outcome()
    report: VideoReport | None = None

    def write(rows_file: Path) -> None:
        nonlocal report
        reader = recognizer.reader(
            "file",
            calibrate=Baselines() if job.baseline else None,
            readings_per_s=job.readings_per_s,
        )
        tables = Tables({"parquet": rows_file}, 1 / job.readings_per_s, name)
        report = read_video(file.path, reader, [tables], fps=job.fps, threads=1)

    with _one(file.path, errors, job.folder):
        sha = _sha256(file.path)
        if sha in task.done:
            return Outcome(left_out=1)
        key = key_of([(name, sha)])
        if not store.has(key):  # else the worker that read it died before its outcome was taken
            whole(store.rows_file(key), write)
            assert report is not None
            told = {name: getattr(report, name) for name in _OF_A_VIDEO}
            store.add(key, [_record(file, "video", sha, report.size_wh, report.summary, told)])
        (record,) = store.records(key)
        if missing_s := record["missing_s"]:
            errors.append((name, f"ends {missing_s:.1f} s early; it may be cut off."))
        outcome = Outcome(read=1, video_s=record["duration_s"])
    return replace(outcome, errors=tuple(errors))


def _photos(task: Task, job: Job, recognizer: EmotionRecognizer, store: Store) -> Outcome:
    rows: list[Row] = []
    records: list[Made] = []
    errors: list[tuple[str, str]] = []
    left_out = 0
    for file in task.files:
        with _one(file.path, errors, job.folder):
            sha = _sha256(file.path)
            if sha in task.done:
                left_out += 1
                continue
            result = recognizer.reader("picture").read(open_photo(file.path).image_bgr)
            timeline = Timeline(datetime.now(UTC))
            timeline.add(_NOTHING, result)
            summary, told = summarize(timeline), {"frames": 1}
            records.append(_record(file, "photo", sha, result.size_wh, summary, told))
            rows += face_rows(result, file=str(file.path))
    if records:
        key = key_of((record["file"], record["sha256"]) for record in records)
        types = schema(columns(file=True))
        table = pa.Table.from_pylist(rows, types)
        try:
            whole(store.rows_file(key), lambda path: pq.write_table(table, path))
            store.add(key, records)
        except OSError as error:
            why = error.strerror or error
            raise EmorecError(f"{job.folder}: cannot be written ({why}).") from None
    return Outcome(len(records), left_out, 0.0, tuple(errors))


def _record(
    file: Input,
    kind: Kind,
    sha: str,
    size_wh: tuple[int, int],
    summary: Summary,
    told: Mapping[str, Any],
) -> Made:
    record: Made = dict.fromkeys(SUMMARY_COLUMNS) | dict(told)
    record |= {"file": str(file.path), "kind": kind, "sha256": sha, "size": file.size}
    record["width_px"], record["height_px"] = size_wh
    record |= {name: getattr(summary, name) for name in _OF_A_SUMMARY} | dict(summary.shares)
    record["unreadable_share"] = summary.unreadable
    return record


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
