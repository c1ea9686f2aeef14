"""The store of sessions: what was kept of them, in SQLite or PostgreSQL.

Kept are the purpose, the settings, the model, the version, the seconds of the room, the markers and
the notes; seconds of single faces only where the visitor chose that. Never a picture, never a name.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

from emorec.database.engine import connect, deleting, empty_log, reading, wipe, writing
from emorec.database.tables import SESSION_FACE, SESSION_SECOND, SessionMarkerRow, SessionRow
from emorec.deployment import STORE, Deployment
from emorec.errors import EmorecError, StoreError
from emorec.rows import json_line
from emorec.sessions.downsample import min_max
from emorec.sessions.room import groups_only, measures
from emorec.sessions.seconds import FACE_SECOND, SECOND, Table
from emorec.sessions.texts import (
    LABEL_MOST,
    NOTES_MOST,
    PURPOSE_MOST,
    TITLE_MOST,
    checked_text,
)
from emorec.sessions.timeline import MOST_MARKERS, Marker
from emorec.version import __version__

log = logging.getLogger(__name__)

KEEP_DAYS = 30
"""A session is kept for so many days, unless the visitor chooses another number."""

MOST_DAYS = 3650
OWNER_MOST = 200

THUMBNAIL_POINTS = 60

_BATCH = 1000  # rows deleted in one transaction: what fits into the reserve of a full disk


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is decided when a session begins to be kept.

    Attributes:
        owner: whose it is: a login, or the random id of a browser.
        started_at: the wall clock at second 0 of the stream, with a time zone.
        purpose: what it is kept for, as the visitor chose.
        made_with: the model and the settings, as `emorec.rows.header` makes it.
        title: empty, or as entered.
        group_only: leave out seconds of fewer than three faces; never keep single faces.
        keeps_faces: whether seconds of single faces are kept, by the visitor's choice.
        keep_days: days until it is deleted, 1 to ``MOST_DAYS``; None: it stays until someone
            deletes it.
    """

    owner: str
    started_at: datetime
    purpose: str
    made_with: Mapping[str, Any]
    title: str = ""
    group_only: bool = False
    keeps_faces: bool = False
    keep_days: int | None = KEEP_DAYS


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A session of the store, without its seconds; the attributes are those of the table.

    Attributes:
        id: 1 or more, never used again.
        made_with: as `emorec.rows.header` made it.
        thumbnail: the mood line in at most 60 points, float32, NaN = not known.
        ended: False while it is written, or if the program ended before the session did.
    """

    id: int
    owner: str
    started_at: datetime
    delete_after: datetime | None
    purpose: str
    title: str
    notes: str
    version: str
    made_with: dict[str, Any]
    group_only: bool
    keeps_faces: bool
    first_s: float
    last_s: float
    faces_seen: int
    ended: bool
    thumbnail: npt.NDArray[np.float32]

    @property
    def duration_s(self) -> float:
        return self.last_s - self.first_s

    @property
    def name(self) -> str:
        """The title; without one, the date and time of its start in UTC."""
        return self.title or f"{self.started_at:%Y-%m-%d %H:%M} UTC"


def open_sessions(deployment: Deployment | None = None) -> SessionStore:
    """Open the store of a deployment, and delete the sessions whose days are over.

    Args:
        deployment: says which store; None reads the environment.

    Raises:
        EmorecError: the database cannot be used; one line with the reason.
    """
    chosen = Deployment.from_env(only=STORE) if deployment is None else deployment
    store = SessionStore(connect(chosen.database_url, chosen.data_folder))
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

    def begin(self, about: About) -> int:
        """Add a session without seconds, and return its id.

        Raises:
            EmorecError: a text is not allowed, single faces are asked for with ``group_only``, or
                the number of days is out of range.
        """
        row = _new_row(about, datetime.now(UTC))
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
                session.execute(insert(SESSION_SECOND), _to_database(id_, seconds))
            if row.keeps_faces and faces is not None and len(faces):
                session.execute(insert(SESSION_FACE), _to_database(id_, faces))
            if small is not None:
                row.thumbnail = small.astype("<f4").tobytes()

    def set_markers(self, id_: int, markers: Sequence[Marker]) -> None:
        """Replace a session's markers.

        Raises:
            EmorecError: a label is not allowed, or there are more than 1,000.
        """
        if len(markers) > MOST_MARKERS:
            raise EmorecError(f"a session has at most {MOST_MARKERS} markers.")
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
            found = [_stored(row) for row in session.scalars(query)]
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
            return _stored(_row(session, id_, owner))

    def seconds(self, id_: int, owner: str | None = None) -> Table:
        """Return a session's seconds, `emorec.sessions.seconds.SECOND`, in the order of time."""
        with reading(self._engine) as session:
            _row(session, id_, owner)
            return _read(session, SESSION_SECOND, SECOND, id_)

    def face_seconds(self, id_: int, owner: str | None = None) -> Table:
        """Return the seconds of a session's single faces; empty where they are not kept."""
        with reading(self._engine) as session:
            _row(session, id_, owner)
            return _read(session, SESSION_FACE, FACE_SECOND, id_)

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
        title = checked_text(title, TITLE_MOST, "a title", empty=True)
        with writing(self._engine) as session:
            _row(session, id_, owner).title = title

    def note(self, id_: int, notes: str, owner: str | None = None) -> None:
        """Change a session's notes."""
        notes = checked_text(notes, NOTES_MOST, "a note", lines=True, empty=True)
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


def _new_row(about: About, now: datetime) -> SessionRow:
    if about.group_only and about.keeps_faces:
        raise EmorecError("with Group only no single face is kept.")
    days = about.keep_days
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise EmorecError(f"expected 1 to {MOST_DAYS} days to keep a session. Received {days}.")
    return SessionRow(
        owner=checked_text(about.owner, OWNER_MOST, "an owner"),
        started_at=about.started_at,
        delete_after=None if days is None else now + timedelta(days=days),
        purpose=checked_text(about.purpose, PURPOSE_MOST, "a purpose"),
        title=checked_text(about.title, TITLE_MOST, "a title", empty=True),
        notes="",
        version=__version__,
        made_with=json_line(about.made_with),
        group_only=about.group_only,
        keeps_faces=about.keeps_faces,
        first_s=0.0,
        last_s=0.0,
        faces_seen=0,
        ended=False,
        thumbnail=b"",
    )


def _of(owner: str | None, query: Select[Any]) -> Select[Any]:
    query = query.where(~_expired(datetime.now(UTC)))
    return query if owner is None else query.where(SessionRow.owner == owner)


def _expired(moment: datetime) -> ColumnElement[bool]:
    return (SessionRow.delete_after != None) & (SessionRow.delete_after <= moment)  # noqa: E711


def _row(session: Session, id_: int, owner: str | None) -> SessionRow:
    query = _of(owner, select(SessionRow).where(SessionRow.id == id_))
    row = session.scalar(query) if 0 < id_ < 2**63 else None
    if row is None:
        raise EmorecError(f"no session has the id {id_}.")
    return row


def _stored(row: SessionRow) -> Stored:
    try:
        made_with = json.loads(row.made_with)
    except json.JSONDecodeError:
        raise StoreError(
            f"session {row.id}: was changed outside EmoRec; `emorec sessions delete {row.id}`"
            " removes it."
        ) from None
    thumbnail = np.frombuffer(row.thumbnail, "<f4").astype(np.float32)
    return Stored(
        id=row.id,
        owner=row.owner,
        started_at=row.started_at,
        delete_after=row.delete_after,
        purpose=row.purpose,
        title=row.title,
        notes=row.notes,
        version=row.version,
        made_with=made_with,
        group_only=row.group_only,
        keeps_faces=row.keeps_faces,
        first_s=row.first_s,
        last_s=row.last_s,
        faces_seen=row.faces_seen,
        ended=row.ended,
        thumbnail=thumbnail,
    )


def _to_database(id_: int, table: Table) -> list[dict[str, Any]]:
    names = table.dtype.names or ()
    rows = []
    for values in table.tolist():
        row = dict(zip(names, values, strict=True))
        known = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        rows.append(known | {"session_id": id_})
    return rows


def _read(session: Session, table: DatabaseTable, dtype: np.dtype[np.void], id_: int) -> Table:
    names = dtype.names or ()
    columns = [table.c[name] for name in names]
    keys = [column for column in table.primary_key.columns if column.name != "session_id"]
    query = select(*columns).where(table.c.session_id == id_).order_by(*keys)
    found = session.execute(query).all()
    read = np.zeros(len(found), dtype)
    for name, values in zip(names, zip(*found, strict=True), strict=False):
        read[name] = np.array(values, dtype=np.float64)  # None becomes NaN
    return read


def thumbnail(seconds: Table) -> npt.NDArray[np.float32]:
    """Return the mood line of seconds in at most ``THUMBNAIL_POINTS`` points."""
    told = measures(seconds)
    return min_max(told.time_s, told.mood, THUMBNAIL_POINTS)[1].astype(np.float32)
