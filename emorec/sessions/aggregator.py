"""Turns the results of a stream into its seconds.

Each picture counts for the time until the next one, at most ``MOST_STEP_S``; the last picture
counts for ``LAST_STEP_S``. So all sums are weighted by the time seen, whatever the rate of the
pictures. The time of a picture that reaches into the next second is divided between the two.

Everything is computed from the network's own reading (``Face.probs_raw``), before smoothing and
before any personal baseline; only the labels are those that were shown. Where a face is followed
but not read again in a picture, its last reading holds.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, UNSURE, VALENCE
from emorec.records import Face, FrameResult
from emorec.sessions import room
from emorec.sessions.face_history import FaceHistory
from emorec.sessions.seconds import FACE_SECOND, LABELS, SECOND, Table

MOST_STEP_S = 1.0
"""A picture counts for at most so long: after that nothing was observed."""

LAST_STEP_S = 0.1
"""The last picture of a stream counts for so long."""

BUFFER_S = 600
"""Newest seconds of single faces that are held of a live session."""

_VALENCE = np.array([VALENCE[emotion] for emotion in EMOTIONS])
_FORGET_S = 60.0  # a face that was not in view for so long: the tracker will not use its id again
_LEAST_SHARE = 0.5  # of a second that a face must be read in, to count in its mood and synchrony

# The columns of a picture's table of values: a row is a face.
_READ, _UNREADABLE, _BASED, _SMILE = range(4)
_PROBS = slice(4, 4 + len(EMOTIONS))
_LABELS = slice(_PROBS.stop, _PROBS.stop + len(LABELS))
_WIDTH = _LABELS.stop
_LABEL_PLACE = {label: _LABELS.start + place for place, label in enumerate(LABELS)}


@dataclass(slots=True)
class _Picture:
    """A picture that waits for the next one, which says how long it counts."""

    time_s: float
    track_ids: list[int]
    values: npt.NDArray[np.float64]  # (n, _WIDTH)
    read: int
    in_view: int
    fresh: list[tuple[int, npt.NDArray[np.float64]]]  # faces that the network read in it


@dataclass(slots=True)
class _Open:
    """A second that is not over."""

    observed_s: float = 0.0
    most_at_once: int = 0
    in_view: int = 0
    place: dict[int, int] = field(default_factory=dict)  # by track_id
    sums: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((8, _WIDTH)))

    def add(self, picture: _Picture, part_s: float) -> None:
        self.observed_s += part_s
        self.most_at_once = max(self.most_at_once, picture.read)
        self.in_view = max(self.in_view, picture.in_view)
        if not picture.track_ids:
            return
        places = [self.place.setdefault(id_, len(self.place)) for id_ in picture.track_ids]
        if len(self.place) > len(self.sums):
            larger = np.zeros((2 * len(self.place), _WIDTH))
            larger[: len(self.sums)] = self.sums
            self.sums = larger
        self.sums[places] += part_s * picture.values


class Aggregator:
    """Turns the results of one stream into seconds. Not for several threads.

    Args:
        buffer_s: the newest seconds of single faces that are held; None: all.

    Attributes:
        faces_seen: number of faces classified so far.
        most_at_once: the most classified faces in one picture so far.
        span_s: the first and the last moment observed.
    """

    def __init__(self, buffer_s: int | None = BUFFER_S) -> None:
        self.faces_seen = 0
        self.most_at_once = 0
        self.span_s = (0.0, 0.0)
        self._began = False
        self._over = False
        self._pending: _Picture | None = None
        self._open: dict[int, _Open] = {}
        self._faces: dict[int, FaceHistory] = {}
        self._finished = bytearray()
        self._face_seconds: deque[Table] = deque(maxlen=buffer_s)
        self._window: deque[tuple[int, dict[int, float]]] = deque(maxlen=room.SYNCHRONY_S)

    def add(self, result: FrameResult) -> None:
        """Take the next result, in the order of time."""
        time_s = result.time_s
        first_s, last_s = self.span_s if self._began else (time_s, time_s)
        self._began = True
        self.span_s = first_s, max(last_s, time_s)
        if self._pending is not None:
            step_s = max(0.0, time_s - self._pending.time_s)
            self._settle(self._pending, min(step_s, MOST_STEP_S))
        self._pending = self._picture(result)
        now = math.floor(time_s)
        for second in sorted(second for second in self._open if second < now):
            self._finish(second)
        if len(self._faces) > 2 * len(self._pending.track_ids) + 64:
            self._faces = {
                id_: face for id_, face in self._faces.items() if time_s - face.seen_s < _FORGET_S
            }

    def end(self) -> None:
        """Finish all seconds: no further result comes."""
        if self._over:
            return
        self._over = True
        if self._pending is not None:
            self._settle(self._pending, LAST_STEP_S)
            self._pending = None
        for second in sorted(self._open):
            self._finish(second)

    @property
    def over(self) -> bool:
        """Whether `end` was called."""
        return self._over

    def finished(self, after: int = -1) -> Table:
        """Return the seconds that no further result changes, later than ``after``."""
        # A copy, because a bytearray that an array looks into cannot grow.
        table = np.frombuffer(self._finished, SECOND)
        return table[np.searchsorted(table["second"], after, side="right") :].copy()

    def seconds(self) -> Table:
        """Return all seconds so far, with those that are not over yet."""
        still_open = {second: _copy(each) for second, each in self._open.items()}
        if self._pending is not None:
            for second, part_s in _parts(self._pending.time_s, LAST_STEP_S):
                still_open.setdefault(second, _Open()).add(self._pending, part_s)
        rows = [_row(second, still_open[second]) for second in sorted(still_open)]
        return np.concatenate([self.finished(), *rows]) if rows else self.finished()

    def face_seconds(self, after: int = -1) -> Table:
        """Return the finished seconds of single faces, later than ``after``.

        Of a live session only the last ten minutes are held.
        """
        newer = [table for table in self._face_seconds if len(table) and table["second"][0] > after]
        return np.concatenate(newer) if newer else np.empty(0, FACE_SECOND)

    def _picture(self, result: FrameResult) -> _Picture:
        track_ids: list[int] = []
        fresh: list[tuple[int, npt.NDArray[np.float64]]] = []
        values = np.zeros((len(result.faces), _WIDTH))
        read = 0
        for face in result.faces:
            row = values[len(track_ids)]
            if face.classified:
                read += 1
                self._fill(row, face, result.time_s, fresh)
            elif face.unreadable:
                row[_UNREADABLE] = 1.0
                if history := self._faces.get(face.track_id):
                    history.pause(result.time_s)
            else:
                continue
            track_ids.append(face.track_id)
        self.most_at_once = max(self.most_at_once, read)
        n = len(track_ids)
        return _Picture(result.time_s, track_ids, values[:n], read, n, fresh)

    def _fill(
        self,
        row: npt.NDArray[np.float64],
        face: Face,
        time_s: float,
        fresh: list[tuple[int, npt.NDArray[np.float64]]],
    ) -> None:
        history = self._faces.get(face.track_id)
        if history is None:
            history = self._faces[face.track_id] = FaceHistory(face.probs)
            self.faces_seen += 1
        if not math.isnan(face.probs_raw[0]):
            history.probs = face.probs_raw
            fresh.append((face.track_id, face.probs_raw.astype(np.float64)))
        row[_READ] = 1.0
        row[_PROBS] = history.probs
        row[_LABEL_PLACE[face.emotion or UNSURE]] = 1.0
        row[_BASED], row[_SMILE] = history.look(time_s)

    def _settle(self, picture: _Picture, step_s: float) -> None:
        for second, part_s in _parts(picture.time_s, step_s):
            self._open.setdefault(second, _Open()).add(picture, part_s)
        for track_id, probs in picture.fresh:
            happy = float(probs[EMOTIONS.index("happy")])
            self._faces[track_id].remember(float(probs @ _VALENCE), happy)
        for track_id, row in zip(picture.track_ids, picture.values, strict=True):
            if row[_READ]:
                self._faces[track_id].was_read(step_s)

    def _finish(self, second: int) -> None:
        open_ = self._open.pop(second)
        row = _row(second, open_)
        if open_.place:
            ids = np.fromiter(open_.place, np.int64, len(open_.place))
            sums = open_.sums[: len(ids)]
            self._face_seconds.append(_face_rows(second, ids, sums))
            self._tell_room(row, second, open_.observed_s, ids, sums)
        self._finished += row.tobytes()

    def _tell_room(
        self,
        row: Table,
        second: int,
        observed_s: float,
        ids: npt.NDArray[np.int64],
        sums: npt.NDArray[np.float64],
    ) -> None:
        """Fill in mood and synchrony, which need more than sums."""
        long_enough = sums[:, _READ] >= max(_LEAST_SHARE * observed_s, 1e-9)
        valences = sums[long_enough, _PROBS] @ _VALENCE / sums[long_enough, _READ]
        own = dict(zip(ids[long_enough].tolist(), valences.tolist(), strict=True))
        baselines = {id_: self._faces[id_].baseline for id_ in own if id_ in self._faces}
        changes = [own[id_] - base.valence for id_, base in baselines.items() if base is not None]
        mood = room.mood(np.array(changes))
        row["mood"], row["mood_low"], row["mood_high"] = mood
        row["mood_faces"] = len(changes)
        self._window.append((second, own))
        told = room.synchrony(room.window(self._window, second), seed=second)
        row["synchrony"], row["synchrony_95"], row["synchrony_faces"] = told


def _parts(start_s: float, length_s: float) -> list[tuple[int, float]]:
    """Return the seconds that a stretch of time touches, each with its part of the time."""
    end_s, parts = start_s + length_s, []
    for second in range(math.floor(start_s), math.ceil(end_s)):
        part_s = min(end_s, second + 1.0) - max(start_s, float(second))
        if part_s > 0:
            parts.append((second, part_s))
    return parts


def _copy(open_: _Open) -> _Open:
    return replace(open_, place=dict(open_.place), sums=open_.sums.copy())


def _row(second: int, open_: _Open) -> Table:
    """Return a table of one second; mood and synchrony are not known."""
    row = np.zeros(1, SECOND)
    sums = open_.sums[: len(open_.place)]
    total = sums.sum(axis=0)
    row["second"] = second
    row["observed_s"] = open_.observed_s
    row["faces"] = np.count_nonzero(sums[:, _READ])
    row["most_at_once"], row["in_view"] = open_.most_at_once, open_.in_view
    row["read_s"], row["unreadable_s"] = total[_READ], total[_UNREADABLE]
    row["based_s"], row["smile_s"] = total[_BASED], total[_SMILE]
    for name, value in zip(EMOTIONS, total[_PROBS], strict=True):
        row[name] = value
    for label, value in zip(LABELS, total[_LABELS], strict=True):
        row[f"label_{label}"] = value
    for name in ("mood", "mood_low", "mood_high", "synchrony", "synchrony_95"):
        row[name] = np.nan
    return row


def _face_rows(second: int, ids: npt.NDArray[np.int64], sums: npt.NDArray[np.float64]) -> Table:
    table = np.zeros(len(ids), FACE_SECOND)
    table["second"] = second
    table["track_id"] = ids
    table["read_s"], table["unreadable_s"] = sums[:, _READ], sums[:, _UNREADABLE]
    for name, column in zip(EMOTIONS, sums[:, _PROBS].T, strict=True):
        table[name] = column
    return table
