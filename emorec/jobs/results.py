"""The files that an uploaded video was read into, by kind; `emorec.videos.results` writes them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from emorec.rows import Row
from emorec.sessions.report import Report
from emorec.videos import session
from emorec.videos.results import REPORT
from emorec.videos.tables import KINDS as TABLES

KINDS = ("mp4", *TABLES, REPORT)
"""Every kind of result, as its suffix; the small pictures are ``jpg``."""

_SESSION = "session.npz"  # no result's name: all of them have the video's
_LONG_S, _SOON_S = 0.5, 0.1  # around a moment: faces of a file are read five times a second


def base(source: Path) -> Path:
    """Return what the paths of all results of a video begin with."""
    return source.with_name(f"{source.stem}_emorec")


def by_kind(source: Path) -> dict[str, Path]:
    """Return the results of a video that there are, by kind, without the small pictures.

    Args:
        source: the path that the video had; it may be deleted.
    """
    paths = {kind: base(source).with_name(f"{base(source).name}.{kind}") for kind in KINDS}
    return {kind: path for kind, path in paths.items() if path.is_file()}


def everything(source: Path) -> list[Path]:
    """Return all results of a video, with the small pictures of its strongest moments."""
    pictures = source.parent.glob("*.jpg")
    return [*by_kind(source).values(), *sorted(pictures)]


def write_session(source: Path, report: Report) -> None:
    """Keep the report on a video's session beside its results, for `session_of`."""
    session.save(report, source.with_name(_SESSION))


def session_of(source: Path) -> Report:
    """Return the report on a video's session.

    Args:
        source: the path that the video had.
    """
    return session.load(source.with_name(_SESSION))


def rows_at(source: Path, time_s: float) -> list[Row]:
    """Return the newest row of every face that was in view at a moment, by number.

    Args:
        source: the path that the video had.
        time_s: the moment, in seconds of the video.
    """
    near = [("time_s", ">=", time_s - _LONG_S), ("time_s", "<=", time_s + _SOON_S)]
    rows = pq.read_table(by_kind(source)["parquet"], filters=near).to_pylist()
    newest = {row["track_id"]: row for row in rows}
    return [newest[number] for number in sorted(newest)]
