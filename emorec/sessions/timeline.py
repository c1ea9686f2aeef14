"""The record of a session, of a live one in bounded memory.

- Rows of single faces at the full rate, at most ten a second and face, of the last minutes:
  ``MOST_ROWS`` of them, which is more than 80 minutes of one face and 3 minutes of 25 faces.
- One row of sums for each second of the whole session (`emorec.sessions.seconds.SECOND`).
- One row a second and face of the last ten minutes.
- The markers.

Of a video file the rows are left out, as `emorec.videos.tables` writes them while they come; and
the seconds of single faces are held of the whole file: 4 MB an hour for 25 faces.

Eight hours of 25 faces take under 20 MB: 9.5 MB of rows, 3.6 MB of seconds (of 124 bytes), 0.7 MB
of seconds of single faces; benchmarks/sessions.py measures it.
"""

from __future__ import annotations

import math
import struct
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.records import FrameResult
from emorec.rows import COLUMNS, DTYPES, Pace, Row, columns, face_rows, wall_clock
from emorec.sessions.aggregator import BUFFER_S, Aggregator
from emorec.sessions.seconds import Table
from emorec.sessions.texts import LABEL_MOST, checked_text
from emorec.words import N_

MOST_ROWS = 50_000
"""Rows of single faces that are held: 9.5 MB, as a row takes 190 bytes (by tracemalloc, CPython
3.11)."""

MOST_MARKERS = 1000

LEAST_STEP_S = 0.1

_ORDER = columns(wall_clock=True)
_TEXTS = frozenset(name for name in COLUMNS if DTYPES[name] in ("string", "category"))
# Rows are stored packed: as dictionaries they would take ten times the memory. The wall clock is
# computed from the time, and a text is stored as its index in the timeline's list of texts.
_STORED_DTYPES = {name: "uint32" if name in _TEXTS else DTYPES[name] for name in COLUMNS}
_ENTRY = np.dtype(list(_STORED_DTYPES.items()))
_CODES = {"int64": "q", "float64": "d", "float32": "f", "uint32": "I"}
_PACKED = struct.Struct("=" + "".join(_CODES[dtype] for dtype in _STORED_DTYPES.values()))
_TIME = COLUMNS.index("time_s")


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment that a person marked.

    Attributes:
        id: 1 or more, unique in its session.
        time_s: seconds from the start of the stream.
        label: as it was entered.
    """

    id: int
    time_s: float
    label: str


class Timeline:
    """A sink for the results of one session; one thread may add while others read.

    Args:
        clock_start: the wall clock at second 0 of the stream, with a time zone.
        live: whether the newest rows and ten minutes of single faces are held; of a video file no
            row, and all seconds of single faces.

    Raises:
        ValueError: ``clock_start`` has no time zone.
    """

    def __init__(self, clock_start: datetime, live: bool = True) -> None:
        wall_clock(clock_start, 0.0)  # raises if there is no time zone
        self.clock_start = clock_start.astimezone(UTC)
        self._lock = threading.Lock()
        self._entries: deque[bytes] = deque(maxlen=MOST_ROWS)
        self._holds_rows = live
        self._dropped = False
        self._texts: list[str | None] = [None]
        self._index_of_text: dict[str | None, int] = {None: 0}
        self._pace = Pace(LEAST_STEP_S)
        self._aggregator = Aggregator(BUFFER_S if live else None)
        self._markers: dict[int, Marker] = {}
        self._next_marker = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        """Finish the last second; all that was read stays available."""
        with self._lock:
            self._aggregator.end()

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Record the result of one frame; call it in the order of the frames' times.

        Args:
            image_bgr: the picture; not used.
            result: the result of reading it.
        """
        with self._lock:
            self._aggregator.add(result)
            if not self._holds_rows:
                return
            entries = [self._entry(row) for row in face_rows(self._pace.due(result))]
            self._dropped |= len(self._entries) + len(entries) > MOST_ROWS
            self._entries.extend(entries)

    def __iter__(self) -> Iterator[Row]:
        """Yield the stored rows, the oldest first; unpacks one row at a time to save memory."""
        with self._lock:
            entries, texts = list(self._entries), list(self._texts)
        return (self._row(entry, texts) for entry in entries)

    def rows(self) -> list[Row]:
        """Return all stored rows, the oldest first, with ``columns(wall_clock=True)``."""
        return list(self)

    def readings(
        self, last_s: float = math.inf
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        """Return the stored readings of the last ``last_s`` observed seconds, the oldest first.

        Returns:
            Their times, in seconds from the stream's start, float64 of shape (n,); and the smoothed
            probabilities in ``EMOTIONS`` order, float32 of shape (n, 7). Unreadable faces are left
            out.
        """
        with self._lock:
            since = self._aggregator.span_s[1] - last_s
            entries = reversed(self._entries)
            newest = list(takewhile(lambda entry: _PACKED.unpack(entry)[_TIME] >= since, entries))
        table = np.frombuffer(b"".join(reversed(newest)), _ENTRY)
        table = table[table["unreadable"] == 0]
        return table["time_s"].copy(), np.stack([table[name] for name in EMOTIONS], axis=1)

    def seconds(self) -> Table:
        """Return every second of the session so far, with those that are not over yet."""
        with self._lock:
            return self._aggregator.seconds()

    def finished(self, after: int = -1) -> Table:
        """Return the seconds later than ``after`` that will not change."""
        with self._lock:
            return self._aggregator.finished(after)

    def face_seconds(self, after: int = -1) -> Table:
        """Return the finished seconds of single faces later than ``after``, as far as held."""
        with self._lock:
            return self._aggregator.face_seconds(after)

    def mark(self, label: str, time_s: float | None = None) -> Marker:
        """Mark a moment.

        Args:
            label: 1 to 80 visible characters.
            time_s: seconds from the start of the stream; None: the last moment observed.

        Raises:
            EmorecError: the label is not allowed, or there are ``MOST_MARKERS``.
        """
        label = checked_text(label, LABEL_MOST, N_("a marker's label"))
        with self._lock:
            moment = self._aggregator.span_s[1] if time_s is None else float(time_s)
            if len(self._markers) >= MOST_MARKERS:
                raise EmorecError(N_("a session has at most {most} markers."), most=MOST_MARKERS)
            marker = Marker(self._next_marker, moment, label)
            self._markers = self._markers | {marker.id: marker}
            self._next_marker += 1
            return marker

    def rename_marker(self, id_: int, label: str) -> None:
        """Change a marker's label.

        Raises:
            EmorecError: no marker has this id, or the label is not allowed.
        """
        label = checked_text(label, LABEL_MOST, N_("a marker's label"))
        with self._lock:
            if id_ not in self._markers:
                raise EmorecError(N_("no marker has the id {id}."), id=id_)
            self._markers = self._markers | {id_: replace(self._markers[id_], label=label)}

    def remove_marker(self, id_: int) -> None:
        """Remove a marker; one that does not exist is no error."""
        with self._lock:
            self._markers = {key: each for key, each in self._markers.items() if key != id_}

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The markers, in the order of their times."""
        return tuple(sorted(self._markers.values(), key=lambda each: (each.time_s, each.id)))

    @property
    def complete(self) -> bool:
        """Whether the rows of single faces begin with the session: none was dropped."""
        return not self._dropped

    @property
    def over(self) -> bool:
        """Whether the session has ended, so that all its seconds are finished."""
        return self._aggregator.over

    @property
    def span_s(self) -> tuple[float, float]:
        """The first and the last second observed, with or without a face in view."""
        return self._aggregator.span_s

    @property
    def faces_seen(self) -> int:
        """Number of faces tracked and classified over the whole session."""
        return self._aggregator.faces_seen

    @property
    def most_at_once(self) -> int:
        """The most classified faces in one frame over the whole session."""
        return self._aggregator.most_at_once

    def _entry(self, row: Row) -> bytes:
        return _PACKED.pack(*(self._packable(name, row[name]) for name in COLUMNS))

    def _packable(self, name: str, value: Any) -> Any:
        if name in _TEXTS:
            return self._text_index(value)
        return math.nan if value is None else value

    def _text_index(self, text: str | None) -> int:
        if text not in self._index_of_text:
            self._index_of_text[text] = len(self._texts)
            self._texts.append(text)
        return self._index_of_text[text]

    def _row(self, entry: bytes, texts: list[str | None]) -> Row:
        row: Row = dict(zip(COLUMNS, _PACKED.unpack(entry), strict=True))
        row |= {name: texts[row[name]] for name in _TEXTS}
        row["wall_clock"] = wall_clock(self.clock_start, row["time_s"])
        # NaN stands for a missing number; it is the only value that is unequal to itself.
        return {name: None if row[name] != row[name] else row[name] for name in _ORDER}
