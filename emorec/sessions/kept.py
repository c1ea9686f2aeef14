"""The records of kept sessions, and how they and their seconds are rows of the database."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Table as DatabaseTable
from sqlalchemy import select
from sqlalchemy.orm import Session

from emorec.database.tables import SessionRow
from emorec.errors import EmorecError, StoreError
from emorec.rows import json_line
from emorec.sessions.seconds import Table
from emorec.sessions.texts import PURPOSE_MOST, TITLE_MOST, checked_text
from emorec.version import __version__
from emorec.words import N_

KEEP_DAYS = 30
"""A session is kept for so many days, unless the visitor chooses another number."""

MOST_DAYS = 3650
OWNER_MOST = 200


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
    def source(self) -> str:
        """Where the pictures came from: "camera", "screen", "example"; "" if that is not kept."""
        return str(self.made_with.get("source", ""))

    @property
    def duration_s(self) -> float:
        return self.last_s - self.first_s

    @property
    def name(self) -> str:
        """The title; without one, the date and time of its start in UTC."""
        return self.title or f"{self.started_at:%Y-%m-%d %H:%M} UTC"


def new_row(about: About, now: datetime) -> SessionRow:
    """Return the row of a session that begins to be kept.

    Args:
        about: what was decided.
        now: from which the days count.

    Raises:
        EmorecError: a text or the number of days is not allowed, or single faces are asked for with
            ``group_only``.
    """
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


def stored_of(row: SessionRow) -> Stored:
    """Return what a row says.

    Raises:
        StoreError: it was changed outside EmoRec.
    """
    try:
        made_with = json.loads(row.made_with)
    except json.JSONDecodeError:
        raise StoreError(
            N_(
                "session {id}: was changed outside EmoRec; `emorec sessions delete {id}` removes"
                " it."
            ),
            id=row.id,
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


def to_database(id_: int, table: Table) -> list[dict[str, Any]]:
    """Return seconds as rows of the database; NaN becomes null."""
    names = table.dtype.names or ()
    rows = []
    for values in table.tolist():
        row = dict(zip(names, values, strict=True))
        known = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        rows.append(known | {"session_id": id_})
    return rows


def read_table(session: Session, table: DatabaseTable, dtype: np.dtype[np.void], id_: int) -> Table:
    """Return a session's seconds from the database, in the order of time; null becomes NaN."""
    names = dtype.names or ()
    columns = [table.c[name] for name in names]
    keys = [column for column in table.primary_key.columns if column.name != "session_id"]
    query = select(*columns).where(table.c.session_id == id_).order_by(*keys)
    found = session.execute(query).all()
    read = np.zeros(len(found), dtype)
    for name, values in zip(names, zip(*found, strict=True), strict=False):
        read[name] = np.array(values, dtype=np.float64)  # None becomes NaN
    return read
