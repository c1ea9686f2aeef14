"""What a session adds up to, and its rows as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType

from emorec.emotions import EMOTIONS, UNSURE, VALENCE
from emorec.sessions.timeline import COLUMNS, LEAST_STEP_S, Row, Timeline

_MOST_STEP_S = 1.0  # a face whose next row comes later than this was not observed in between


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a session.

    Attributes:
        duration_s: from the first to the last frame observed.
        faces_seen: faces followed and classified; someone who left and came back counts again.
        most_at_once: the most faces in one frame.
        shares: by emotion in ``EMOTIONS`` order, then "unsure": the share in [0, 1] of the time
            that faces were read; all 0 where there was none.
        mean_valence: over that time, in [-1, 1]; None where there was none.
        dominant: the emotion of the largest share, "unsure" left out; None where there is none.
        unreadable: the share in [0, 1] of the time that faces were followed in which they could
            not be read.
    """

    duration_s: float
    faces_seen: int
    most_at_once: int
    shares: Mapping[str, float]
    mean_valence: float | None
    dominant: str | None
    unreadable: float


def summarize(timeline: Timeline) -> Summary:
    """Return the figures of a session so far.

    A row counts for the time until the same face's next row, at most a second; a face's last row
    for the least time between two.
    """
    time_s = dict.fromkeys((*EMOTIONS, UNSURE), 0.0)
    valence_s = unreadable_s = 0.0
    next_s: dict[int, float] = {}
    for row in reversed(timeline.rows()):
        until = next_s.get(row["track_id"], row["seconds"] + LEAST_STEP_S)
        weight = min(until - row["seconds"], _MOST_STEP_S)
        next_s[row["track_id"]] = row["seconds"]
        if row["unreadable"] is not None:
            unreadable_s += weight
            continue
        time_s[row["emotion"]] += weight
        valence_s += weight * sum(VALENCE[emotion] * row[emotion] for emotion in EMOTIONS)
    total = sum(time_s.values())
    named = max(EMOTIONS, key=time_s.__getitem__)
    first, last = timeline.span_s
    return Summary(
        duration_s=round(last - first, 3),
        faces_seen=timeline.faces_seen,
        most_at_once=timeline.most_at_once,
        shares=MappingProxyType({k: v / total if total else 0.0 for k, v in time_s.items()}),
        mean_valence=valence_s / total if total else None,
        dominant=named if time_s[named] > 0 else None,
        unreadable=unreadable_s / (total + unreadable_s) if unreadable_s else 0.0,
    )


def to_csv(rows: Sequence[Row]) -> str:
    """Return the rows as CSV (RFC 4180: a header, lines ended by CR LF)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (*COLUMNS, "name") if rows and "name" in rows[0] else COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_json(summary: Summary, rows: Sequence[Row]) -> str:
    """Return one object with ``summary`` and ``rows``; strict JSON, so no NaN in it."""
    figures = {field.name: getattr(summary, field.name) for field in fields(summary)}
    figures["shares"] = dict(summary.shares)
    return json.dumps({"summary": figures, "rows": list(rows)}, indent=1, allow_nan=False)
