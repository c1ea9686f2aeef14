"""The record of a live session: each face's expression over time, in memory only.

Each face that was read, or marked unreadable, adds at most ten rows a second. Above ``MOST_ROWS``
(four hours of one face, one hour of four faces) the oldest rows are dropped, so a longer session
keeps its newest part. The counts over the session (its length, the faces seen) include the dropped
part.
"""

from __future__ import annotations

import math
import struct
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.records import FrameResult
from emorec.rows import COLUMNS, DTYPES, Pace, Row, columns, face_rows, wall_clock

MOST_ROWS = 4 * 3600 * 10
"""Four hours of one face: 27 MB, as a row takes 190 bytes (by tracemalloc, CPython 3.11)."""

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


class Timeline:
    """A sink for the results of one session; one thread may add while another reads.

    Args:
        clock_start: the wall clock at second 0 of the stream, with a time zone.
        bounded: whether the oldest rows are dropped above ``MOST_ROWS``.

    Raises:
        ValueError: ``clock_start`` has no time zone.
    """

    def __init__(self, clock_start: datetime, bounded: bool = True) -> None:
        wall_clock(clock_start, 0.0)  # raises if there is no time zone
        self.clock_start = clock_start.astimezone(UTC)
        self._lock = threading.Lock()
        self._entries: deque[bytes] = deque(maxlen=MOST_ROWS if bounded else None)
        self._texts: list[str | None] = [None]
        self._index_of_text: dict[str | None, int] = {None: 0}
        self._pace = Pace(LEAST_STEP_S)
        self._classified_ids: set[int] = set()
        self._most_at_once = 0
        self._span_s: tuple[float, float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        """Do nothing: the rows stay available."""

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Record the result of one frame; call it in the order of the frames' times.

        Args:
            image_bgr: the picture; not used.
            result: the result of reading it.
        """
        classified = [face.track_id for face in result.faces if face.classified]
        with self._lock:
            first, last = self._span_s or (result.time_s, result.time_s)
            self._span_s = (first, max(last, result.time_s))
            self._most_at_once = max(self._most_at_once, len(classified))
            self._classified_ids.update(classified)
            self._entries.extend(map(self._entry, face_rows(self._pace.due(result))))

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
        """Return the readings of the last ``last_s`` observed seconds, the oldest first.

        Returns:
            Their times, in seconds from the stream's start, float64 of shape (n,); and the smoothed
            probabilities in ``EMOTIONS`` order, float32 of shape (n, 7). Unreadable faces are left
            out.
        """
        with self._lock:
            since = self._span_s[1] - last_s if self._span_s else 0.0
            entries = reversed(self._entries)
            newest = list(takewhile(lambda entry: _PACKED.unpack(entry)[_TIME] >= since, entries))
        table = np.frombuffer(b"".join(reversed(newest)), _ENTRY)
        table = table[table["unreadable"] == 0]
        return table["time_s"].copy(), np.stack([table[name] for name in EMOTIONS], axis=1)

    @property
    def span_s(self) -> tuple[float, float]:
        """The first and the last second observed, with or without a face in view."""
        with self._lock:
            return self._span_s or (0.0, 0.0)

    @property
    def faces_seen(self) -> int:
        """Number of faces tracked and classified over the whole session."""
        with self._lock:
            return len(self._classified_ids)

    @property
    def most_at_once(self) -> int:
        """The most classified faces in one frame over the whole session."""
        with self._lock:
            return self._most_at_once

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
