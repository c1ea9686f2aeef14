"""The summary of a session: its figures, computed from the rows of its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emorec.emotions import EMOTIONS, UNSURE
from emorec.records import Record
from emorec.rows import Row
from emorec.sessions.timeline import LEAST_STEP_S, Timeline

_MOST_STEP_S = 1.0  # a face whose next row comes later than this was not observed in between


@dataclass(frozen=True, slots=True)
class Summary(Record):
    """The figures of a session.

    Attributes:
        duration_s: from the first to the last frame observed.
        faces_seen: number of faces tracked and classified; a person who left and came back counts
            again.
        most_at_once: the most faces in one frame.
        shares: by emotion in ``EMOTIONS`` order, then "unsure": its share, in [0, 1], of the time
            during which faces were read; all 0 if no face was read.
        mean_valence: over that time, in [-1, 1]; None if no face was read.
        dominant: the emotion of the largest share, without "unsure"; None if there is none.
        unreadable: the share, in [0, 1], of the time during which faces were tracked but could not
            be read.
    """

    duration_s: float
    faces_seen: int
    most_at_once: int
    shares: Mapping[str, float]
    mean_valence: float | None
    dominant: str | None
    unreadable: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", MappingProxyType(dict(self.shares)))


def summarize(timeline: Timeline) -> Summary:
    """Return the figures of a session so far.

    A row counts for the time until the same face's next row, at most one second. A face's last row
    counts for ``LEAST_STEP_S``.
    """
    time_s = dict.fromkeys((*EMOTIONS, UNSURE), 0.0)
    valence_s = unreadable_s = 0.0

    def count(row: Row, until_s: float) -> None:
        nonlocal valence_s, unreadable_s
        weight_s = min(until_s - row["time_s"], _MOST_STEP_S)
        if row["unreadable"] is not None:
            unreadable_s += weight_s
        else:
            time_s[row["emotion"]] += weight_s
            valence_s += weight_s * row["valence"]

    newest: dict[int, Row] = {}  # by track_id
    for row in timeline:
        if before := newest.get(row["track_id"]):
            count(before, row["time_s"])
        newest[row["track_id"]] = row
    for row in newest.values():
        count(row, row["time_s"] + LEAST_STEP_S)
    total = sum(time_s.values())
    named = max(EMOTIONS, key=time_s.__getitem__)
    first, last = timeline.span_s
    return Summary(
        duration_s=last - first,
        faces_seen=timeline.faces_seen,
        most_at_once=timeline.most_at_once,
        shares={k: v / total if total else 0.0 for k, v in time_s.items()},
        mean_valence=valence_s / total if total else None,
        dominant=named if time_s[named] > 0 else None,
        unreadable=unreadable_s / (total + unreadable_s) if unreadable_s else 0.0,
    )
