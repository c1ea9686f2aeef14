"""A report as rows: its seconds, its single faces, its markers."""

from __future__ import annotations

import numpy as np

from emorec.columns import SECOND
from emorec.emotions import EMOTIONS, VALENCE
from emorec.rows import Row, wall_clock
from emorec.sessions.report import Report
from emorec.sessions.room import measures

_COUNTS = ("faces", "most_at_once", "in_view", "mood_faces", "synchrony_faces")
_TIMES = ("observed_s", "read_s", "unreadable_s")
_TOLD = ("mood", "mood_low", "mood_high", "synchrony", "synchrony_95")


def second_rows(report: Report) -> list[Row]:
    """Return the seconds as rows with the columns of `emorec.columns.SECOND`."""
    told = measures(report.seconds)
    shares = (*EMOTIONS, *(name for name in SECOND if name.startswith("label_")))
    rows = []
    for place, second in enumerate(report.seconds):
        time_s, read_s = float(second["second"]), float(second["read_s"])
        in_view_s = read_s + float(second["unreadable_s"])
        row = {
            "time_s": time_s,
            "wall_clock": wall_clock(report.started_at, time_s),
            **{name: int(second[name]) for name in _COUNTS},
            **{name: float(second[name]) for name in _TIMES},
            **{name: _share(second[name], read_s) for name in shares},
            **{name: _known(getattr(told, name)[place]) for name in _TOLD},
            "unreadable_share": _share(second["unreadable_s"], in_view_s),
            "smile_share": _known(told.smile[place]),
        }
        rows.append({name: row[name] for name in SECOND})
    return rows


def face_rows(report: Report) -> list[Row]:
    """Return the seconds of single faces with the columns of `emorec.columns.FACE_SECOND`."""
    if report.faces is None:
        return []
    rows = []
    for second in report.faces:
        time_s, read_s = float(second["second"]), float(second["read_s"])
        valence = sum(VALENCE[name] * float(second[name]) for name in EMOTIONS)
        rows.append(
            {
                "time_s": time_s,
                "wall_clock": wall_clock(report.started_at, time_s),
                "track_id": int(second["track_id"]),
                "read_s": read_s,
                "unreadable_s": float(second["unreadable_s"]),
                **{name: _share(second[name], read_s) for name in EMOTIONS},
                "valence": _share(valence, read_s),
            }
        )
    return rows


def marker_rows(report: Report) -> list[Row]:
    """Return the markers with the columns of `emorec.columns.MARKER`."""
    return [
        {
            "time_s": marker.time_s,
            "wall_clock": wall_clock(report.started_at, marker.time_s),
            "label": marker.label,
        }
        for marker in report.markers
    ]


def _share(of: float, by: float) -> float | None:
    return float(of) / by if by > 0 else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
