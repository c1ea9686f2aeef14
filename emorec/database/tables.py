"""The tables of the store. A change here needs a migration in ``migrations/versions``."""

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
