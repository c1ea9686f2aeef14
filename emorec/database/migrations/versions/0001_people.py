"""The first three tables: the store itself, its people, their embeddings (table ``look``)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the three tables, and the one row about the store."""
    store = op.create_table(
        "store",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key_check", sa.LargeBinary),
        sa.Column("people_revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store"),
    )
    op.bulk_insert(store, [{"id": 1, "key_check": None, "people_revision": 0}])
    op.create_table(
        "person",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consent_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "look",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_look_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_look"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_look_person_id", "look", ["person_id"])
