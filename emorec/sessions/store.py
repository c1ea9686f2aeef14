"""The store of sessions: what was kept of them, in SQLite or PostgreSQL.

Kept are the purpose, the settings, the model, the version, the seconds of the room, the markers and
the notes; seconds of single faces only where the visitor chose that. Never a picture, never a name.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy import Table as DatabaseTable
from sqlalchemy.orm import Session

from emorec.database.engine import (
    connect,
    deleting,
    empty_log,
    place_of,
    reading,
    wipe,
    writing,
)
from emorec.database.tables import SESSION_FACE, SESSION_SECOND, SessionMarkerRow, SessionRow
from emorec.deployment import STORE, Deployment
from emorec.errors import EmorecError, StoreError
from emorec.sessions.downsample import min_max
from emorec.sessions.kept import About, Stored, new_row, read_table, stored_of, to_database
from emorec.sessions.room import LEAST_FACES, groups_only, measures
from emorec.sessions.seconds import FACE_SECOND, SECOND, Table
from emorec.sessions.texts import (
    LABEL_MOST,
    NOTES_MOST,
    TITLE_MOST,
    checked_text,
)
from emorec.sessions.timeline import MOST_MARKERS, Marker
from emorec.words import N_

log = logging.getLogger(__name__)

THUMBNAIL_POINTS = 60

_BATCH = 1000  # rows deleted in one transaction: what fits into the reserve of a full disk


def open_sessions(deployment: Deployment | None = None, make: bool = True) -> SessionStore:
    """Open the store of a deployment, and delete the sessions whose days are over.

    Args:
        deployment: says which store; None reads the environment.
        make: whether a store that is missing is made.

    Raises:
        NoStoreError: it is missing, and is not to be made.
        EmorecError: the database cannot be used; one line with the reason.
    """
    chosen = Deployment.from_env(only=STORE) if deployment is None else deployment
    store = SessionStore(connect(chosen.database_url, chosen.data_folder, make))
    try:
        store.delete_expired()
    except StoreError as error:  # they are not shown in any case
        log.warning("sessions whose days are over were not deleted: %s", error)
    return store


class SessionStore:
    """The sessions of one database; several threads and several processes may use it.

    Methods with ``owner`` see that owner's sessions only; None sees all. Every method raises
    `StoreError` if the database does not answer, and `EmorecError` if the session does not exist.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Close the connections to the database; the next call of a method opens a new one."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Where the sessions are, in words."""
        return place_of(self._engine)

    def begin(self, about: About) -> int:
        """Add a session without seconds, and return its id.

        Raises:
            EmorecError: a text is not allowed, single faces are asked for with ``group_only``, or
                the number of days is out of range.
        """
        row = new_row(about, datetime.now(UTC))
        with writing(self._engine) as session:
            session.add(row)
            session.flush()
            return row.id

    def append(
        self,
        id_: int,
        seconds: Table,
        faces: Table | None,
        span_s: tuple[float, float],
        faces_seen: int,
        ended: bool,
        small: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Add finished seconds to a session; call it in the order of their time.

        Args:
            id_: of the session.
            seconds: `emorec.sessions.seconds.SECOND`, later than those written before.
            faces: `emorec.sessions.seconds.FACE_SECOND` of the same seconds; not written unless the
                session keeps single faces.
            span_s: the first and last moment observed so far.
            faces_seen: number of faces classified so far.
            ended: whether these are the last ones.
            small: the new `thumbnail`; None leaves the old one.
        """
        with writing(self._engine) as session:
            row = _row(session, id_, None)
            if row.group_only:
                seconds = groups_only(seconds)
            row.first_s, row.last_s = span_s
            row.faces_seen, row.ended = faces_seen, ended
            if len(seconds):
                session.execute(insert(SESSION_SECOND), to_database(id_, seconds))
            if row.keeps_faces and faces is not None and len(faces):
                session.execute(insert(SESSION_FACE), to_database(id_, faces))
            if small is not None:
                row.thumbnail = small.astype("<f4").tobytes()

    def groups_only(self, id_: int) -> None:
        """Delete what is kept of single faces and of fewer than three, and keep no more of it."""
        few = SESSION_SECOND.c.most_at_once < LEAST_FACES
        with writing(self._engine) as session:
            row = _row(session, id_, None)
            row.group_only, row.keeps_faces = True, False
            session.execute(delete(SESSION_FACE).where(SESSION_FACE.c.session_id == id_))
            session.execute(delete(SESSION_SECOND).where(SESSION_SECOND.c.session_id == id_, few))

    def set_markers(self, id_: int, markers: Sequence[Marker]) -> None:
        """Replace a session's markers.

        Raises:
            EmorecError: a label is not allowed, or there are more than 1,000.
        """
        if len(markers) > MOST_MARKERS:
            raise EmorecError(N_("a session has at most {most} markers."), most=MOST_MARKERS)
        rows = [
            {
                "session_id": id_,
                "number": marker.id,
                "time_s": float(marker.time_s),
                "label": checked_text(marker.label, LABEL_MOST, "a marker's label"),
            }
            for marker in markers
        ]
        with writing(self._engine) as session:
            _row(session, id_, None)
            session.execute(delete(SessionMarkerRow).where(SessionMarkerRow.session_id == id_))
            if rows:
                session.execute(insert(SessionMarkerRow), rows)

    def sessions(self, owner: str | None = None, search: str = "") -> list[Stored]:
        """Return sessions, the newest first.

        Args:
            owner: whose; None: everybody's.
            search: only those whose title, notes, purpose or markers contain this text; upper and
                lower case are the same.
        """
        query = _of(owner, select(SessionRow)).order_by(
            SessionRow.started_at.desc(), SessionRow.id.desc()
        )
        word = search.strip().casefold()
        with reading(self._engine) as session:
            found = [stored_of(row) for row in session.scalars(query)]
            labels: dict[int, list[str]] = {}
            if word:
                markers = select(SessionMarkerRow.session_id, SessionMarkerRow.label)
                for id_, label in session.execute(markers):
                    labels.setdefault(id_, []).append(label)
        if not word:
            return found
        return [
            each
            for each in found
            if any(
                word in text.casefold()
                for text in (each.name, each.notes, each.purpose, *labels.get(each.id, ()))
            )
        ]

    def session(self, id_: int, owner: str | None = None) -> Stored:
        """Return one session without its seconds."""
        with reading(self._engine) as session:
            return stored_of(_row(session, id_, owner))

    def seconds(self, id_: int, owner: str | None = None) -> Table:
        """Return a session's seconds, `emorec.sessions.seconds.SECOND`, in the order of time."""
        with reading(self._engine) as session:
            _row(session, id_, owner)
            return read_table(session, SESSION_SECOND, SECOND, id_)

    def face_seconds(self, id_: int, owner: str | None = None) -> Table:
        """Return the seconds of a session's single faces; empty where they are not kept."""
        with reading(self._engine) as session:
            _row(session, id_, owner)
            return read_table(session, SESSION_FACE, FACE_SECOND, id_)

    def markers(self, id_: int, owner: str | None = None) -> tuple[Marker, ...]:
        """Return a session's markers, in the order of their times."""
        query = (
            select(SessionMarkerRow)
            .where(SessionMarkerRow.session_id == id_)
            .order_by(SessionMarkerRow.time_s, SessionMarkerRow.number)
        )
        with reading(self._engine) as session:
            _row(session, id_, owner)
            return tuple(Marker(m.number, m.time_s, m.label) for m in session.scalars(query))

    def rename(self, id_: int, title: str, owner: str | None = None) -> None:
        """Change a session's title; an empty one shows its start instead."""
        title = checked_text(title, TITLE_MOST, N_("a title"), empty=True)
        with writing(self._engine) as session:
            _row(session, id_, owner).title = title

    def note(self, id_: int, notes: str, owner: str | None = None) -> None:
        """Change a session's notes."""
        notes = checked_text(notes, NOTES_MOST, N_("a note"), lines=True, empty=True)
        with writing(self._engine) as session:
            _row(session, id_, owner).notes = notes

    def delete(self, id_: int, owner: str | None = None) -> None:
        """Delete a session; on SQLite its content is overwritten."""
        with reading(self._engine) as session:
            _row(session, id_, owner)
        self._delete([id_])

    def delete_all(self, owner: str | None = None) -> int:
        """Delete all sessions of an owner, or of everybody, and return their number."""
        with reading(self._engine) as session:
            ids = list(session.scalars(_of(owner, select(SessionRow.id))))
        self._delete(ids)
        if ids:
            wipe(self._engine)
        return len(ids)

    def delete_expired(self, now: datetime | None = None) -> int:
        """Delete the sessions whose days are over, and return their number.

        Args:
            now: with a time zone; None: the present moment.
        """
        moment = now or datetime.now(UTC)
        with reading(self._engine) as session:
            ids = list(session.scalars(select(SessionRow.id).where(_expired(moment))))
        self._delete(ids)
        return len(ids)

    def _delete(self, ids: Sequence[int]) -> None:
        """Delete in small transactions, each of which a full disk has room for."""
        for id_ in ids:
            for table in (SESSION_FACE, SESSION_SECOND):
                while self._deleted_some(table, id_):
                    pass
            with deleting(self._engine) as session:
                session.execute(delete(SessionRow).where(SessionRow.id == id_))
        empty_log(self._engine)

    def _deleted_some(self, table: DatabaseTable, id_: int) -> bool:
        own = table.c.session_id == id_
        with deleting(self._engine) as session:
            batch = select(table.c.second).where(own).order_by(table.c.second).limit(_BATCH)
            last = session.scalar(select(func.max(batch.subquery().c.second)))
            if last is None:
                return False
            session.execute(delete(table).where(own, table.c.second <= last))
        return True


def _of(owner: str | None, query: Select[Any]) -> Select[Any]:
    query = query.where(~_expired(datetime.now(UTC)))
    return query if owner is None else query.where(SessionRow.owner == owner)


def _expired(moment: datetime) -> ColumnElement[bool]:
    return (SessionRow.delete_after != None) & (SessionRow.delete_after <= moment)  # noqa: E711


def _row(session: Session, id_: int, owner: str | None) -> SessionRow:
    query = _of(owner, select(SessionRow).where(SessionRow.id == id_))
    row = session.scalar(query) if 0 < id_ < 2**63 else None
    if row is None:
        raise EmorecError(N_("no session has the id {id}."), id=id_)
    return row


def thumbnail(seconds: Table) -> npt.NDArray[np.float32]:
    """Return the mood line of seconds in at most ``THUMBNAIL_POINTS`` points."""
    told = measures(seconds)
    return min_max(told.time_s, told.mood, THUMBNAIL_POINTS)[1].astype(np.float32)
