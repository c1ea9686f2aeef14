"""Writes a session to the store while it runs, on a thread of its own.

The thread asks the timeline every ``EVERY_S`` seconds for what is finished, so the thread that
reads pictures never waits for a database. A second is finished when the next one begins; with the
two seconds between writes, a program that is killed loses at most five.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from time import monotonic
from typing import Literal, Protocol, Self

import numpy as np

from emorec.errors import EmorecError
from emorec.sessions.report import Report
from emorec.sessions.seconds import FACE_SECOND, Table
from emorec.sessions.store import About, SessionStore, thumbnail
from emorec.sessions.timeline import Marker
from emorec.words import N_, _

log = logging.getLogger(__name__)

EVERY_S = 2.0
"""Seconds between two writes."""

GIVE_UP_S = 5.0
"""A store that has not answered for so long is given up."""

State = Literal["keeping", "given up", "ended"]

NOTHING_MORE = N_("From now on nothing is kept: {why}")
NOTHING = N_("Nothing is kept: {why}")


class SessionRecord(Protocol):
    """What a keeper asks of a session; a `Timeline` has it, and so has `ReportedSession`."""

    @property
    def span_s(self) -> tuple[float, float]: ...
    @property
    def faces_seen(self) -> int: ...
    @property
    def markers(self) -> tuple[Marker, ...]: ...
    @property
    def over(self) -> bool: ...
    def seconds(self) -> Table: ...
    def finished(self, after: int = -1) -> Table: ...
    def face_seconds(self, after: int = -1) -> Table: ...


class ReportedSession:
    """A session that is over, of which the report alone is left: of a video.

    Args:
        report: of the session.
    """

    over = True

    def __init__(self, report: Report) -> None:
        self.span_s, self.markers = report.span_s, report.markers
        self.faces_seen = report.summary.faces_seen
        self._report = report

    def seconds(self) -> Table:
        """Return every second that the report tells."""
        return self._report.seconds

    def finished(self, after: int = -1) -> Table:
        """Return the seconds later than ``after``."""
        return self._report.seconds[self._report.seconds["second"] > after]

    def face_seconds(self, after: int = -1) -> Table:
        """Return the seconds of single faces later than ``after``; none where none are told."""
        faces = self._report.faces
        return np.zeros(0, FACE_SECOND) if faces is None else faces[faces["second"] > after]


class Keeper:
    """Keeps one session; close it, or leave its context, to write the end.

    Args:
        session: its record; may run already.
        open_store: opens the store; called on the keeper's thread, because that may wait.
        about: what is decided at the beginning.
        from_start: whether the seconds before now are kept too.
        every_s: seconds between two writes.

    Attributes:
        session_id: of the session in the store; None until it has begun there.
        first_s: the start of the first second that is kept.
        written_s: the end of the last second written; None: none is.
    """

    def __init__(
        self,
        session: SessionRecord,
        open_store: Callable[[], SessionStore],
        about: About,
        from_start: bool = False,
        every_s: float = EVERY_S,
    ) -> None:
        self.session_id: int | None = None
        self.written_s: float | None = None
        self._session = session
        self._open_store = open_store
        self._about = about
        self._every_s = every_s
        self._after = -1 if from_start else _last_second(session)
        self.first_s = self._after + 1.0
        self._markers: tuple[Marker, ...] = ()
        self._closing = Event()
        self._groups_only = about.group_only
        self._why: EmorecError | None = None
        self._busy_since_s: float | None = None
        self._given_up = False
        self._thread = Thread(target=self._run, name="emorec-keep", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.close(GIVE_UP_S)

    @property
    def state(self) -> State:
        """Whether it keeps, has given the store up, or has written the end."""
        busy_since_s = self._busy_since_s
        if busy_since_s is not None and monotonic() - busy_since_s > GIVE_UP_S:
            self._given_up = True
            self._why = self._why or EmorecError(
                N_("the store has not answered for {s} seconds."), s=round(GIVE_UP_S)
            )
        if self._given_up:
            return "given up"
        return "keeping" if self._thread.is_alive() else "ended"

    @property
    def problem(self) -> str | None:
        """One line for the page once it has given up; None before."""
        if self.state != "given up":
            return None
        words = NOTHING if self.written_s is None else NOTHING_MORE
        return _(words).format(why=self._why)

    @property
    def keeps_faces(self) -> bool:
        """Whether seconds of single faces are kept too."""
        return self._about.keeps_faces and not self._groups_only

    def groups_only(self) -> None:
        """Keep totals of groups alone, also of what was kept before; it cannot be taken back."""
        self._groups_only = True

    def close(self, wait_s: float = 0.0) -> None:
        """Write what is finished, and stop; a second call does nothing.

        Args:
            wait_s: how long to wait for that, at most.
        """
        self._closing.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        store: SessionStore | None = None
        try:
            self._busy_since_s = monotonic()
            store = self._open_store()
            self.session_id = store.begin(self._about)
            self._busy_since_s = None
            while True:
                last = self._closing.wait(self._every_s) or self._session.over
                self._busy_since_s = monotonic()
                self._write(store, self.session_id, last)
                self._busy_since_s = None
                if last or self.state == "given up":
                    return
        except EmorecError as error:
            log.warning("a session is no longer kept: %s", error)
            self._why = error
            self._given_up = True
        finally:
            self._busy_since_s = None
            if store is not None:
                store.close()

    def _write(self, store: SessionStore, id_: int, last: bool) -> None:
        session = self._session
        if self._groups_only and not self._about.group_only:
            store.groups_only(id_)
            self._about = replace(self._about, group_only=True, keeps_faces=False)
        seconds = session.finished(self._after)
        faces = session.face_seconds(self._after) if self._about.keeps_faces else None
        if faces is not None and len(seconds):  # a second may have finished between the two calls
            faces = faces[faces["second"] <= seconds["second"][-1]]
        if len(seconds) or last:
            small = thumbnail(session.finished(int(self.first_s) - 1)) if last else None
            seen = session.faces_seen
            store.append(id_, seconds, faces, self._span_s(), seen, last, small)
        if len(seconds):
            self._after = int(seconds["second"][-1])
            self.written_s = self._after + 1.0
        if (markers := session.markers) != self._markers:
            store.set_markers(id_, markers)
            self._markers = markers

    def _span_s(self) -> tuple[float, float]:
        first_s, last_s = self._session.span_s
        return max(first_s, self.first_s), last_s


def _last_second(session: SessionRecord) -> int:
    seconds = session.seconds()["second"]
    return int(seconds[-1]) if len(seconds) else -1
