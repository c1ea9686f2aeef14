"""The four tables of sessions: what a room showed in each second, its markers, single faces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Written out, because a migration stays as it is when the program's own lists change.
_EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "session",
        sa.Column("id", _ID, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delete_after", sa.DateTime(timezone=True)),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("purpose", "title", "notes", "version", "made_with")
        ),
        sa.Column("group_only", sa.Boolean, nullable=False),
        sa.Column("keeps_faces", sa.Boolean, nullable=False),
        sa.Column("first_s", sa.Double, nullable=False),
        sa.Column("last_s", sa.Double, nullable=False),
        sa.Column("faces_seen", sa.Integer, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("thumbnail", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_owner", "session", ["owner"])
    op.create_index("ix_session_delete_after", "session", ["delete_after"])
    op.create_table(
        "session_marker",
        _session(),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("time_s", sa.Double, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        *_keys("session_marker", "number"),
    )
    op.create_table(
        "session_second",
        _session(),
        sa.Column("second", sa.Integer, nullable=False, autoincrement=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("faces", "most_at_once", "in_view", "mood_faces", "synchrony_faces")
        ),
        *_reals("observed_s", "read_s", "unreadable_s", *_EMOTIONS),
        *_reals(*(f"label_{label}" for label in (*_EMOTIONS, "unsure"))),
        *_reals("based_s", "smile_s", "mood", "mood_low", "mood_high"),
        *_reals("synchrony", "synchrony_95"),
        *_keys("session_second", "second"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "session_face",
        _session(),
        sa.Column("second", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("track_id", sa.BigInteger, nullable=False, autoincrement=False),
        *_reals("read_s", "unreadable_s", *_EMOTIONS),
        *_keys("session_face", "second", "track_id"),
        sqlite_with_rowid=False,
    )


def _session() -> sa.Column:
    return sa.Column("session_id", _ID, nullable=False, autoincrement=False)


def _reals(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.REAL) for name in names]


def _keys(table: str, *columns: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=f"fk_{table}_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", *columns, name=f"pk_{table}"),
    ]
