"""What the store holds. A change here needs a migration beside it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite counts by itself only where a column is an INTEGER to the letter.
_ID = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """A moment in UTC: SQLite would else forget the time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables; constraints carry names, so that a migration can change them."""

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
        id: 1.
        key_check: a known word, sealed: tells whether a key is the store's. None until a key is
            first used.
        people_revision: grows with every change to people and looks.
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
        consent_version: which words they agreed to, `emorec.people.consent.VERSION` then.
    """

    __tablename__ = "person"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - as SQLAlchemy reads it

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    consented_at: Mapped[datetime] = mapped_column(Moment)
    consent_version: Mapped[int] = mapped_column(Integer)


class LookRow(Base):
    """How a person looked in one picture, which is not kept.

    Attributes:
        embedding: 128 float32, little-endian, sealed.
    """

    __tablename__ = "look"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - as SQLAlchemy reads it

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(Moment)
