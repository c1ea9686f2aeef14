"""The report on a session: its figures, its charts, and what limits them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.rows import json_line
from emorec.sessions.downsample import min_max
from emorec.sessions.room import LEAST_FACES, groups_only, measures
from emorec.sessions.seconds import Table
from emorec.sessions.summary import Summary, summary_of
from emorec.sessions.timeline import Marker, Timeline
from emorec.version import __version__
from emorec.words import N_

if TYPE_CHECKING:  # loaded where they are needed: Altair and SQLAlchemy take a second each
    from emorec.drawing.session_charts import Chart
    from emorec.sessions.store import SessionStore

NOTICE = N_(
    "EmoRec reports apparent expression, not inner feeling: a smile may be politeness, a frown the"
    " sun. It measures neither attention nor engagement. Do not decide about people by this report:"
    " not on a job, a grade, a loan or access. In the EU, inferring emotions at work or in"
    " education is prohibited, save for medical or safety reasons (Regulation (EU) 2024/1689, Art."
    " 5(1)(f))."
)

MOST_POINTS = 1200
"""Points of a line in a chart; more than a screen is wide cannot be seen."""

MOST_STRETCHES = 400
MOST_STRIPS = 60

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Report:
    """All that a report says.

    Attributes:
        name: the session's title, or its start.
        started_at: the wall clock at second 0 of the stream.
        span_s: the first and last moment observed.
        summary: its figures.
        seconds: `emorec.sessions.seconds.SECOND`; with ``group_only`` without those of fewer than
            three faces.
        faces: `emorec.sessions.seconds.FACE_SECOND`; None where single faces are not told.
        markers: in the order of their times.
        purpose, notes: as entered; "" where none was asked for.
        made_with: the model and the settings, as `emorec.rows.header` makes it.
        group_only: whether totals alone are told.
        version: of the program that read the session.
    """

    name: str
    started_at: datetime
    span_s: tuple[float, float]
    summary: Summary
    seconds: Table
    faces: Table | None
    markers: tuple[Marker, ...]
    purpose: str
    notes: str
    made_with: Mapping[str, Any]
    group_only: bool
    version: str


def of_timeline(
    timeline: Timeline,
    made_with: Mapping[str, Any],
    group_only: bool = False,
    single_faces: bool = False,
    purpose: str = "",
) -> Report:
    """Return the report on a session that is in memory.

    Args:
        timeline: of the session.
        made_with: the model and the settings, as `emorec.rows.header` makes it.
        group_only: whether totals alone are told.
        single_faces: whether single faces are told, by the visitor's choice. Where at most three
            were in view at once they are told without that.
        purpose: for which single faces are told; "" where none was asked for.
    """
    seconds = timeline.seconds()
    few = timeline.most_at_once <= LEAST_FACES
    faces = timeline.face_seconds() if (single_faces or few) and not group_only else None
    return _report(
        name=f"{timeline.clock_start:%Y-%m-%d %H:%M} UTC",
        started_at=timeline.clock_start,
        span_s=timeline.span_s,
        faces_seen=timeline.faces_seen,
        seconds=seconds,
        faces=faces,
        markers=timeline.markers,
        made_with=made_with,
        group_only=group_only,
        purpose=purpose,
    )


def of_stored(sessions: SessionStore, id_: int, owner: str | None = None) -> Report:
    """Return the report on a session of the store.

    Args:
        sessions: the store.
        id_: of the session.
        owner: whose it must be; None: of any owner.

    Raises:
        EmorecError: there is no such session, or the database does not answer.
    """
    stored = sessions.session(id_, owner)
    return _report(
        name=stored.name,
        started_at=stored.started_at,
        span_s=(stored.first_s, stored.last_s),
        faces_seen=stored.faces_seen,
        seconds=sessions.seconds(id_, owner),
        faces=sessions.face_seconds(id_, owner) if stored.keeps_faces else None,
        markers=sessions.markers(id_, owner),
        made_with=stored.made_with,
        group_only=stored.group_only,
        purpose=stored.purpose,
        notes=stored.notes,
        version=stored.version,
    )


def _report(
    *,
    span_s: tuple[float, float],
    faces_seen: int,
    seconds: Table,
    made_with: Mapping[str, Any],
    group_only: bool,
    purpose: str = "",
    notes: str = "",
    version: str = __version__,
    **more: Any,
) -> Report:
    seconds = groups_only(seconds) if group_only else seconds
    return Report(
        made_with=json.loads(json_line(made_with)),
        summary=summary_of(seconds, span_s[1] - span_s[0], faces_seen),
        span_s=span_s,
        seconds=seconds,
        group_only=group_only,
        purpose=purpose,
        notes=notes,
        version=version,
        **more,
    )


def charts(report: Report) -> dict[str, Chart]:
    """Return the charts of a report by their headings; those without data are left out.

    They need Altair, which is loaded here, though not where nothing was read.
    """
    if report.summary.mean_valence is None:
        return {}
    from emorec.drawing import session_charts as draw

    told, found = measures(report.seconds), {}
    if not np.isnan(told.mood).all():
        time_s = told.time_s
        line = min_max(time_s, told.mood, MOST_POINTS)
        at, (low, high) = _means(time_s, [told.mood_low, told.mood_high])
        markers = [(marker.time_s, marker.label) for marker in report.markers]
        found[N_("Mood")] = draw.ribbon(line, (at, low, high), markers, report.span_s)
    if report.summary.mean_valence is not None:
        values = _all_shares(report.seconds)
        at, columns = _means(told.time_s, list(values.T))
        found[N_("Expressions")] = draw.shares(at, np.stack(columns, axis=1), report.span_s)
    if report.faces is not None and len(report.faces):
        found[N_("Faces")] = draw.strips(*_strips(report.faces), report.span_s)
    return found


def _all_shares(seconds: Table) -> Floats:
    """Return the mean probabilities of every second, of any number of faces, (n, 7)."""
    sums = np.stack([seconds[name] for name in EMOTIONS], axis=1).astype(np.float64)
    read_s = np.where(seconds["read_s"] > 0, seconds["read_s"], np.nan).astype(np.float64)
    shares: Floats = sums / read_s[:, None]
    return shares


def _means(time_s: Floats, columns: list[Floats]) -> tuple[Floats, list[Floats]]:
    """Return the starts of at most ``MOST_STRETCHES`` stretches of time, and means over them.

    Stretches are equally long in time, so a gap in the session stays one; a stretch in which a
    value is not known is NaN.
    """
    if not len(time_s):
        return time_s, columns
    first, last = time_s[0], time_s[-1]
    step = max(1.0, np.ceil((last - first + 1) / MOST_STRETCHES))
    place = ((time_s - first) // step).astype(int)
    n = int(place[-1]) + 1
    means = []
    for values in columns:
        known = ~np.isnan(values)
        sums = np.bincount(place[known], values[known], n)
        counts = np.bincount(place[known], minlength=n)
        means.append(np.where(counts, sums / np.maximum(counts, 1), np.nan))
    return first + step * np.arange(n), means


def _strips(faces: Table) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Return stretches of the faces that were in view longest: starts, faces, probabilities."""
    ids, seen = np.unique(faces["track_id"], return_counts=True)
    longest = ids[np.argsort(-seen, kind="stable")][:MOST_STRIPS]
    own = faces[np.isin(faces["track_id"], longest) & (faces["read_s"] > 0)]
    if not len(own):
        return np.zeros(0), np.zeros(0, np.int64), np.zeros((0, len(EMOTIONS)))
    first = float(own["second"].min())
    step = max(1.0, float(np.ceil((own["second"].max() - first + 1) / MOST_STRETCHES)))
    stretch = ((own["second"] - first) // step).astype(np.int64)
    keys, at = np.unique(
        np.stack([own["track_id"].astype(np.int64), stretch]), axis=1, return_inverse=True
    )
    at = at.ravel()
    read_s = np.bincount(at, own["read_s"])
    sums = np.stack([np.bincount(at, own[name]) for name in EMOTIONS], axis=1)
    return first + step * keys[1], keys[0], sums / read_s[:, None]
