"""The report on a video's session: made where the video is read, shown where the visitor is.

A page gets it from the process that read the video as a file without code: a stranger's video is
decoded in that process, so nothing that it writes is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from emorec.rows import json_line
from emorec.sessions.report import Report, of_timeline
from emorec.sessions.seconds import FACE_SECOND, SECOND
from emorec.sessions.summary import summary_of
from emorec.sessions.timeline import Timeline
from emorec.words import N_

SOURCE = N_("video")
"""Where the pictures came from, among the settings of the report."""

NOTE = "Read from a video file: the start and the wall clock are those of reading it."

_TOLD = ("name", "span_s", "purpose", "notes", "made_with", "group_only", "version")


def report_on(
    timeline: Timeline, name: str, made_with: Mapping[str, Any], group_only: bool = False
) -> Report:
    """Return the report on a video that was read.

    As of any session, single faces are told where at most three were in view at once.

    Args:
        timeline: of the video.
        name: of the video.
        made_with: the model and the settings, as `emorec.rows.header` makes it.
        group_only: whether totals alone are told.
    """
    made_with = {**made_with, "source": SOURCE}
    return replace(of_timeline(timeline, made_with, group_only), name=name, notes=NOTE)


def save(report: Report, file: Path) -> None:
    """Write a report on a video to a file that `load` reads."""
    told = {part: getattr(report, part) for part in _TOLD}
    told |= {"start": report.started_at.isoformat(), "faces_seen": report.summary.faces_seen}
    parts: dict[str, Any] = {"told": np.array(json_line(told)), "seconds": report.seconds}
    if report.faces is not None:
        parts["faces"] = report.faces
    with file.open("wb") as opened:
        np.savez(opened, **parts)


def load(file: Path) -> Report:
    """Return the report that `save` wrote."""
    with np.load(file, allow_pickle=False) as parts:
        told = json.loads(str(parts["told"]))
        seconds = parts["seconds"].astype(SECOND)
        faces = parts["faces"].astype(FACE_SECOND) if "faces" in parts else None
    first_s, last_s = told["span_s"]
    return Report(
        started_at=datetime.fromisoformat(told.pop("start")),
        summary=summary_of(seconds, last_s - first_s, told.pop("faces_seen")),
        seconds=seconds,
        faces=faces,
        markers=(),
        **told | {"span_s": (first_s, last_s)},
    )
