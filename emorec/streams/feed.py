"""Makes the messages of a stream from what was read, and gives each to every outlet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from emorec.columns import FACE, MARKER, SECOND
from emorec.emotions import EMOTIONS
from emorec.records import FrameResult
from emorec.rows import Row, face_rows, wall_clock
from emorec.sessions.room import groups_only, measures
from emorec.sessions.seconds import Table
from emorec.sessions.timeline import Marker, Timeline

Kind = Literal["header", "picture", "second", "marker"]

PICTURE_COLUMNS = ("frame", "time_s", "wall_clock", "width_px", "height_px")
"""Of a picture, once; the columns of its faces are `FACE_COLUMNS`."""

FACE_COLUMNS = tuple(name for name in FACE if name not in ("file", "name", *PICTURE_COLUMNS))
"""Of each face in a picture: those of `emorec.columns.FACE`, never with a name."""

# The field of `emorec.sessions.room.Measures` for each column that has another name there.
_FIELDS = {"most_at_once": "faces", "unreadable_share": "unreadable", "smile_share": "smile"}
_LEFT_OUT = ("observed_s", "faces", "read_s", "unreadable_s")

SECOND_COLUMNS = tuple(
    name for name in SECOND if name not in _LEFT_OUT and not name.startswith("label_")
)
"""Of a second of a room: those columns of `emorec.columns.SECOND` that are measures of a room. All
but the counts are missing under three faces."""

UNITS = {
    "picture": {name: FACE[name].unit for name in (*PICTURE_COLUMNS, *FACE_COLUMNS)},
    "second": {name: SECOND[name].unit for name in SECOND_COLUMNS},
    "marker": {name: each.unit for name, each in MARKER.items()},
}
"""The unit of each column by the kind of message; "" where it has none."""


class Outlet(Protocol):
    """Where messages go; leaving the context ends it."""

    def send(self, kind: Kind, row: Row) -> None:
        """Send one message; called by one thread.

        Raises:
            OSError: standard output cannot be written.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Feed:
    """A sink that sends what is read to the outlets.

    Args:
        clock_start: the wall clock at second 0 of the stream, with its time zone.
        outlets: open with the feed, and end with it.
        group_only: whether single faces, and seconds of fewer than three faces, are left out.
    """

    def __init__(
        self, clock_start: datetime, outlets: Sequence[Outlet], group_only: bool = False
    ) -> None:
        self._clock_start = clock_start
        self._outlets = outlets
        self._group_only = group_only
        self._timeline = Timeline(clock_start)
        self._last_second = -1  # that was sent
        self._markers: SimpleQueue[Marker] = SimpleQueue()
        self._open_outlets = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            for outlet in self._outlets:
                opening.enter_context(outlet)
            self._open_outlets = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send the last second too, unless an outlet failed, and end the outlets."""
        with self._open_outlets:
            self._timeline.__exit__()
            if not isinstance(error, OSError):
                self._send_finished(math.inf)

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Send what was read from the next picture; the picture itself is not used."""
        self._timeline.add(image_bgr, result)
        self._send_finished(result.time_s)
        if not self._group_only:
            self._send("picture", picture_row(result, self._clock_start))

    def mark(self, label: str, time_s: float) -> None:
        """Add a marker, which is sent before the next picture; any thread may call it.

        Args:
            label: 1 to 80 visible characters.
            time_s: seconds from the start of the stream.

        Raises:
            EmorecError: the label is not allowed, or there are too many markers.
        """
        self._markers.put(self._timeline.mark(label, time_s))

    def _send_finished(self, now_s: float) -> None:
        """Send the markers that wait, and the seconds that are over."""
        for marker in _taken(self._markers):
            clock = wall_clock(self._clock_start, marker.time_s)
            row = {"time_s": marker.time_s, "wall_clock": clock, "label": marker.label}
            self._send("marker", row)
        if now_s < self._last_second + 2:  # the second after the last one sent is not over
            return
        seconds = self._timeline.finished(self._last_second)
        if len(seconds):
            self._last_second = int(seconds["second"][-1])
        seconds = groups_only(seconds) if self._group_only else seconds
        for row in second_rows(seconds, self._clock_start):
            self._send("second", row)

    def _send(self, kind: Kind, row: Row) -> None:
        for outlet in self._outlets:
            outlet.send(kind, row)


def picture_row(result: FrameResult, clock_start: datetime) -> Row:
    """Return what was read from a picture: `PICTURE_COLUMNS`, and ``faces``, a row each."""
    row: Row = {
        "frame": result.index,
        "time_s": result.time_s,
        "wall_clock": wall_clock(clock_start, result.time_s),
        "width_px": result.size_wh[0],
        "height_px": result.size_wh[1],
    }
    faces = [{name: face[name] for name in FACE_COLUMNS} for face in face_rows(result)]
    return row | {"faces": faces}


def second_rows(seconds: Table, clock_start: datetime) -> list[Row]:
    """Return what may be told of a room in each second: `SECOND_COLUMNS`, None where missing.

    Args:
        seconds: `emorec.sessions.seconds.SECOND`.
        clock_start: the wall clock at second 0 of the stream, with its time zone.
    """
    told = measures(seconds)
    columns = {
        name: told.shares[:, EMOTIONS.index(name)]
        if name in EMOTIONS
        else getattr(told, _FIELDS.get(name, name))
        for name in SECOND_COLUMNS
        if name != "wall_clock"
    }
    rows = []
    for place, time_s in enumerate(told.time_s.tolist()):
        row: Row = {name: _known(values[place].item()) for name, values in columns.items()}
        row["wall_clock"] = wall_clock(clock_start, time_s)
        rows.append({name: row[name] for name in SECOND_COLUMNS})
    return rows


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _taken(queue: SimpleQueue[Marker]) -> Iterator[Marker]:
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return
