"""The tables of the store. A change here needs a migration in ``migrations/versions``."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from emorec.emotions import EMOTIONS, UNSURE

# SQLite numbers rows by itself only if the column's type is exactly INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """A date and time in UTC; SQLite itself stores no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base class of the tables; constraints have names, so that a migration can change them."""

    metadata = MetaData(
        naming_convention={
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class StoreRow(Base):
    """One row about the store itself.

    Attributes:
        id: always 1.
        key_check: a known word, sealed; a key that opens it is the store's key. None until a key
            is first used.
        people_revision: rises with every change to people and embeddings.
    """

    __tablename__ = "store"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key_check: Mapped[bytes | None] = mapped_column(LargeBinary)
    people_revision: Mapped[int] = mapped_column(BigInteger)


class PersonRow(Base):
    """A person who agreed to be recognised; an id is never used again.

    Attributes:
        name: sealed.
        consented_at: when the person agreed, which is when they were enrolled.
        consent_version: `emorec.people.consent.VERSION` of the words that the person agreed to.
    """

    __tablename__ = "person"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - as SQLAlchemy reads it

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    consented_at: Mapped[datetime] = mapped_column(Moment)
    consent_version: Mapped[int] = mapped_column(Integer)


class EmbeddingRow(Base):
    """The embedding of a person's face in one picture; the picture itself is not stored.

    The table is called ``look`` because existing stores have it under that name.

    Attributes:
        embedding: 128 float32, little-endian, sealed.
    """

    __tablename__ = "look"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - as SQLAlchemy reads it

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(Moment)


class PersonExamplesRow(Base):
    """The examples of a person's expressions, as learned for one network.

    Attributes:
        examples: `emorec.calibration.examples.Examples` in JSON, sealed.
        consented_at: when the person agreed, which is when they were kept.
        consent_version: `emorec.people.consent.EXAMPLES_VERSION` of the words agreed to.
    """

    __tablename__ = "person_examples"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    examples: Mapped[bytes] = mapped_column(LargeBinary)
    consented_at: Mapped[datetime] = mapped_column(Moment)
    consent_version: Mapped[int] = mapped_column(Integer)


class SessionRow(Base):
    """A session that is kept; an id is never used again.

    Attributes:
        owner: whose it is: a login, or the random id of a browser.
        started_at: the wall clock at second 0 of the stream.
        delete_after: when it is deleted; None: never.
        purpose: what it was kept for, as the visitor chose.
        title, notes: as entered.
        version: of the program that kept it.
        made_with: the model and the settings that it was read with, as `emorec.rows.header`
            makes it, in JSON.
        group_only: whether seconds of fewer than three faces were left out.
        keeps_faces: whether it has rows of single faces.
        first_s, last_s: the first and last moment observed, in seconds from the start.
        faces_seen: number of faces classified.
        ended: whether the last second was written.
        thumbnail: the mood line in at most 60 points, float32, little-endian, NaN = not known.
    """

    __tablename__ = "session"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - as SQLAlchemy reads it

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    owner: Mapped[str] = mapped_column(Text, index=True)
    started_at: Mapped[datetime] = mapped_column(Moment)
    delete_after: Mapped[datetime | None] = mapped_column(Moment, index=True)
    purpose: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    notes: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    made_with: Mapped[str] = mapped_column(Text)
    group_only: Mapped[bool] = mapped_column(Boolean)
    keeps_faces: Mapped[bool] = mapped_column(Boolean)
    first_s: Mapped[float] = mapped_column(Double)
    last_s: Mapped[float] = mapped_column(Double)
    faces_seen: Mapped[int] = mapped_column(Integer)
    ended: Mapped[bool] = mapped_column(Boolean)
    thumbnail: Mapped[bytes] = mapped_column(LargeBinary)


class SessionMarkerRow(Base):
    """A marker of a session; ``number`` is unique in it."""

    __tablename__ = "session_marker"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    time_s: Mapped[float] = mapped_column(Double)
    label: Mapped[str] = mapped_column(Text)


def _whole(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _real(name: str) -> Column[float]:
    return Column(name, REAL, nullable=True)


SESSION_SECOND = Table(
    "session_second",
    Base.metadata,
    Column("session_id", ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("second", Integer, primary_key=True, autoincrement=False),
    *(_whole(name) for name in ("faces", "most_at_once", "in_view", "mood_faces")),
    _whole("synchrony_faces"),
    *(_real(name) for name in ("observed_s", "read_s", "unreadable_s", *EMOTIONS)),
    *(_real(f"label_{label}") for label in (*EMOTIONS, UNSURE)),
    *(_real(name) for name in ("based_s", "smile_s", "mood", "mood_low", "mood_high")),
    *(_real(name) for name in ("synchrony", "synchrony_95")),
    sqlite_with_rowid=False,
)
"""The seconds of a session: `emorec.sessions.seconds.SECOND`; null stands for NaN."""

SESSION_FACE = Table(
    "session_face",
    Base.metadata,
    Column("session_id", ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("second", Integer, primary_key=True, autoincrement=False),
    Column("track_id", BigInteger, primary_key=True, autoincrement=False),
    *(_real(name) for name in ("read_s", "unreadable_s", *EMOTIONS)),
    sqlite_with_rowid=False,
)
"""The seconds of single faces: `emorec.sessions.seconds.FACE_SECOND`."""
