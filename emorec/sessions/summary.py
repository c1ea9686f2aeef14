"""The figures of a session, computed from its seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emorec.emotions import EMOTIONS, VALENCE
from emorec.records import Record
from emorec.sessions.seconds import LABELS, Table, merged
from emorec.sessions.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Summary(Record):
    """The figures of a session.

    Attributes:
        duration_s: from the first to the last frame observed.
        faces_seen: number of faces tracked and classified; a person who left and came back counts
            again.
        most_at_once: the most faces in one frame.
        shares: by emotion in ``EMOTIONS`` order, then "unsure": its share, in [0, 1], of the time
            during which faces were read, by the labels shown; all 0 if no face was read.
        mean_valence: over that time, in [-1, 1], by the network's own reading; None if no face was
            read.
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
    """Return the figures of a session so far; `emorec.sessions.aggregator` says how time counts."""
    first_s, last_s = timeline.span_s
    return summary_of(timeline.seconds(), last_s - first_s, timeline.faces_seen)


def summary_of(seconds: Table, duration_s: float, faces_seen: int) -> Summary:
    """Return the figures of seconds.

    Args:
        seconds: `emorec.sessions.seconds.SECOND`.
        duration_s: from the first to the last frame observed.
        faces_seen: number of faces tracked and classified.
    """
    sums = merged([seconds])
    time_s = {label: sums[f"label_{label}"] for label in LABELS}
    total = sum(time_s.values())
    named = max(EMOTIONS, key=time_s.__getitem__)
    valence_s = sum(VALENCE[emotion] * sums[emotion] for emotion in EMOTIONS)
    in_view_s = sums["read_s"] + sums["unreadable_s"]
    return Summary(
        duration_s=duration_s,
        faces_seen=faces_seen,
        most_at_once=int(sums["most_at_once"]),
        shares={label: s / total if total else 0.0 for label, s in time_s.items()},
        mean_valence=valence_s / sums["read_s"] if sums["read_s"] else None,
        dominant=named if time_s[named] > 0 else None,
        unreadable=sums["unreadable_s"] / in_view_s if in_view_s else 0.0,
    )
