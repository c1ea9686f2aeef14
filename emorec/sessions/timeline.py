"""The record of a live session: who looked how, when; in memory only.

Each face that was read, or marked unreadable, gives at most ten rows a second, and the oldest rows
go when there are more than ``MOST_ROWS``: four hours of one face, one hour of four. A longer
session keeps its newest part; what was counted over the session (its length, the faces seen) stays
whole.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, UNSURE
from emorec.records import FrameResult

Row = dict[str, Any]
"""``seconds`` (float, from the stream's start), ``wall_clock`` (ISO 8601, UTC), ``track_id``, the
seven smoothed probabilities by name, ``emotion`` (or "unsure"), ``confidence``, ``unreadable``. Of
a face that could not be read the last says why, and all between ``track_id`` and it are None; of
one that could it is None. ``name`` stands in all rows as soon as anybody was named, and in none
before."""

COLUMNS = ("seconds", "wall_clock", "track_id", *EMOTIONS, "emotion", "confidence", "unreadable")

MOST_ROWS = 4 * 3600 * 10
"""Four hours of one face; about 25 MB."""

LEAST_STEP_S = 0.1
_SLACK_S = 1e-6  # media clocks round; frames exactly a step apart must not count as closer


class _Entry(NamedTuple):
    """A row as it is kept: a dictionary each would take five times the memory."""

    seconds: float
    track_id: int
    probs: bytes
    emotion: str
    confidence: float
    unreadable: str | None
    name: str | None


class Timeline:
    """Rows of a session; one thread may add while another reads.

    Args:
        clock_start: the wall clock at second 0 of the stream; must know its time zone.

    Raises:
        ValueError: ``clock_start`` has no time zone.
    """

    def __init__(self, clock_start: datetime) -> None:
        if clock_start.tzinfo is None:
            raise ValueError(f"Expected a clock_start with a time zone. Received {clock_start!r}.")
        self.clock_start = clock_start.astimezone(UTC)
        self._lock = threading.Lock()
        self._entries: deque[_Entry] = deque(maxlen=MOST_ROWS)
        self._newest_s: dict[int, float] = {}
        self._classified_ids: set[int] = set()
        self._most_at_once = 0
        self._named = False
        self._span_s: tuple[float, float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        """Keep the rows: they stay readable."""

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Take in what was read from one frame; frames come in the order of their time."""
        classified = [face.track_id for face in result.faces if face.classified]
        with self._lock:
            first, last = self._span_s or (result.time_s, result.time_s)
            self._span_s = (first, max(last, result.time_s))
            self._most_at_once = max(self._most_at_once, len(classified))
            self._classified_ids.update(classified)
            self._named = self._named or any(face.name for face in result.faces)
            for face in result.faces:
                if not (face.classified or face.unreadable):
                    continue
                newest = self._newest_s.get(face.track_id, float("-inf"))
                if result.time_s - newest >= LEAST_STEP_S - _SLACK_S:
                    self._newest_s[face.track_id] = result.time_s
                    self._entries.append(
                        _Entry(
                            result.time_s,
                            face.track_id,
                            face.probs.tobytes(),
                            face.emotion or UNSURE,
                            face.confidence,
                            face.unreadable,
                            face.name,
                        )
                    )

    def rows(self) -> list[Row]:
        """Return all rows kept, the oldest first."""
        with self._lock:
            entries = list(self._entries)
        return [self._row(entry) for entry in entries]

    def readings(
        self, last_s: float = math.inf
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        """Return what was read in the last so many seconds observed, the oldest first.

        Returns:
            When, in seconds from the stream's start, shape (n,); and the smoothed probabilities, in
            ``EMOTIONS`` order, shape (n, 7). Faces that could not be read are left out.
        """
        with self._lock:
            since = self._span_s[1] - last_s if self._span_s else 0.0
            newest = takewhile(lambda entry: entry.seconds >= since, reversed(self._entries))
            read = [entry for entry in newest if entry.unreadable is None]
        read.reverse()
        probs = np.frombuffer(b"".join(entry.probs for entry in read), dtype=np.float32)
        return np.array([entry.seconds for entry in read]), probs.reshape(-1, len(EMOTIONS))

    @property
    def span_s(self) -> tuple[float, float]:
        """The first and the last second observed, with or without anybody in view."""
        with self._lock:
            return self._span_s or (0.0, 0.0)

    @property
    def faces_seen(self) -> int:
        """How many faces were followed and classified over the whole session."""
        with self._lock:
            return len(self._classified_ids)

    @property
    def most_at_once(self) -> int:
        """The most classified faces in one frame over the whole session."""
        with self._lock:
            return self._most_at_once

    def _row(self, entry: _Entry) -> Row:
        seconds = round(entry.seconds, 3)
        moment = self.clock_start + timedelta(seconds=seconds)
        how: dict[str, Any]
        if entry.unreadable is None:
            probs = np.frombuffer(entry.probs, dtype=np.float32).tolist()
            how = {emotion: round(p, 4) for emotion, p in zip(EMOTIONS, probs, strict=True)}
            how |= {"emotion": entry.emotion, "confidence": round(entry.confidence, 4)}
        else:
            how = dict.fromkeys((*EMOTIONS, "emotion", "confidence"))
        return {
            "seconds": seconds,
            "wall_clock": moment.isoformat(timespec="milliseconds"),
            "track_id": entry.track_id,
            **how,
            "unreadable": entry.unreadable,
            **({"name": entry.name} if self._named else {}),
        }
