"""One-second aggregates: what a room, and each face in it, showed in each second of a session.

`emorec.sessions.aggregator` makes them, and says how time counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, UNSURE

LABELS = (*EMOTIONS, UNSURE)

SECOND = np.dtype(
    [
        ("second", "i4"),
        ("observed_s", "f4"),
        ("faces", "i4"),
        ("most_at_once", "i4"),
        ("in_view", "i4"),
        ("read_s", "f4"),
        ("unreadable_s", "f4"),
        *((emotion, "f4") for emotion in EMOTIONS),
        *((f"label_{label}", "f4") for label in LABELS),
        ("based_s", "f4"),
        ("smile_s", "f4"),
        ("mood", "f4"),
        ("mood_low", "f4"),
        ("mood_high", "f4"),
        ("mood_faces", "i4"),
        ("synchrony", "f4"),
        ("synchrony_95", "f4"),
        ("synchrony_faces", "i4"),
    ]
)
"""A second of a room. Sums, in face-seconds: ``read_s``, ``unreadable_s``, the probabilities by
emotion, the labels, ``based_s`` (faces with a baseline) and ``smile_s`` (of these, smiling). The
others are as `emorec.columns.SECOND` says; NaN = not known."""

FACE_SECOND = np.dtype(
    [
        ("second", "i4"),
        ("track_id", "i4"),
        ("read_s", "f4"),
        ("unreadable_s", "f4"),
        *((emotion, "f4") for emotion in EMOTIONS),
    ]
)
"""A second of one face; the probabilities are sums over the time read."""

Table = npt.NDArray[np.void]
"""A structured array of ``SECOND`` or ``FACE_SECOND``, in the order of time."""

SUMS = ("observed_s", "read_s", "unreadable_s", *EMOTIONS, *(f"label_{x}" for x in LABELS))
"""The fields that `merged` adds up, beside ``based_s`` and ``smile_s``."""


def merged(tables: Iterable[Table]) -> dict[str, float]:
    """Return the sums of seconds by field, of one table or several; an empty table adds nothing.

    Each sum is exact before its last rounding (`math.fsum`), so the order in which windows are
    merged does not matter. ``most_at_once`` is the largest of all.
    """
    parts = list(tables)
    fields = (*SUMS, "based_s", "smile_s")
    sums = {name: math.fsum(x for part in parts for x in part[name].tolist()) for name in fields}
    most = max((int(part["most_at_once"].max()) for part in parts if len(part)), default=0)
    return sums | {"most_at_once": most}
