"""What the store keeps, gives back and deletes, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from emorec.database.engine import connect, file_of
from emorec.deployment import Deployment
from emorec.errors import EmorecError, StoreError
from emorec.sessions.store import SessionStore, open_sessions, thumbnail
from emorec.sessions.timeline import Marker
from tests.sessions.conftest import MADE_WITH, START, Keep, about, played

GONE = "no session has the id"


def test_a_session_comes_back_as_it_was(sessions: SessionStore, keep: Keep) -> None:
    timeline = played(65)
    timeline.mark("question 3", 40.0)
    id_ = keep(timeline, title="Talk", keeps_faces=True)
    stored = sessions.session(id_)
    assert (stored.name, stored.owner, stored.purpose) == ("Talk", "ada", "event")
    assert (stored.started_at, stored.made_with, stored.ended) == (START, MADE_WITH, True)
    assert (stored.first_s, stored.last_s, stored.faces_seen) == (0.0, 64.5, 5)
    for read, written in (
        (sessions.seconds(id_), timeline.finished()),
        (sessions.face_seconds(id_), timeline.face_seconds()),
    ):
        assert read.dtype == written.dtype
        for name in read.dtype.names:
            np.testing.assert_array_equal(read[name], written[name], name)
    assert sessions.markers(id_) == (Marker(1, 40.0, "question 3"),)
    days = (stored.delete_after - datetime.now(UTC)) / timedelta(days=1)
    assert days == pytest.approx(30, abs=0.01)


def test_single_faces_are_kept_by_choice_alone(sessions: SessionStore, keep: Keep) -> None:
    assert len(sessions.face_seconds(keep())) == 0
    with pytest.raises(EmorecError, match="with Group only no single face is kept"):
        keep(group_only=True, keeps_faces=True)


def test_group_only_keeps_no_second_of_fewer_than_three(sessions: SessionStore, keep: Keep) -> None:
    assert len(sessions.seconds(keep(played(4, faces=2), group_only=True))) == 0
    assert len(sessions.seconds(keep(played(4, faces=3), group_only=True))) == 4


def test_everybody_sees_their_own(sessions: SessionStore, keep: Keep) -> None:
    mine, theirs = keep(), keep(owner="bob")
    assert [each.id for each in sessions.sessions("ada")] == [mine]
    assert [each.id for each in sessions.sessions()] == [theirs, mine]
    for method in (
        sessions.session,
        sessions.seconds,
        sessions.face_seconds,
        sessions.markers,
        sessions.delete,
    ):
        with pytest.raises(EmorecError, match=f"{GONE} {theirs}"):
            method(theirs, "ada")
    for change in (sessions.rename, sessions.note):
        with pytest.raises(EmorecError, match=GONE):
            change(theirs, "x", "ada")
    assert sessions.delete_all("ada") == 1
    assert [each.id for each in sessions.sessions()] == [theirs]


def test_an_id_that_no_session_has(sessions: SessionStore) -> None:
    for id_ in (0, -1, 7, 2**70):
        with pytest.raises(EmorecError, match=f"^{GONE} {id_}"):
            sessions.session(id_)
    with pytest.raises(EmorecError, match=GONE):
        sessions.append(id_, played(1).finished(), None, (0, 1), 1, False)
    with pytest.raises(EmorecError, match=GONE):
        sessions.set_markers(id_, ())


def test_texts_are_changed_and_searched(sessions: SessionStore, keep: Keep) -> None:
    first, second = keep(), keep(purpose="research with consent")
    sessions.rename(first, "  Straße 7\u0301 ")
    sessions.note(second, "line one\nline TWO")
    sessions.set_markers(first, [Marker(1, 2.0, "Question 3")])
    for word, found in {
        "STRASSE": [first],
        "two": [second],
        "question": [first],
        "RESEARCH": [second],
        "": [second, first],
        "%": [],
    }.items():
        assert [each.id for each in sessions.sessions(search=word)] == found, word
    assert sessions.session(first).title == "Straße 7\u0301"
    sessions.rename(first, "")
    assert sessions.session(first).name == "2026-11-28 14:05 UTC"


def test_markup_and_formulas_are_texts(sessions: SessionStore, keep: Keep) -> None:
    id_ = keep()
    for title in (
        "<script>alert(1)</script>",
        "=1+1",
        "'; DROP TABLE session; --",
        "🙂 naïve",
        "{{ 7 }}",
    ):
        sessions.rename(id_, title)
        sessions.set_markers(id_, [Marker(1, 0.0, title)])
        assert (sessions.session(id_).title, sessions.markers(id_)[0].label) == (title, title)


REFUSED = {
    "x" * 10_000: "a title has at most 120 characters. Received 10,000.",
    "\u200b\u2060\ufeff": "a title has a visible character, or none at all.",
    "\u3164": "a title has a visible character",
    "a\u202eb": "a title has no control characters",
    "a\x00b": "a title has no control characters",
    "a\nb": "a title has no control characters",
}


def test_a_text_that_is_not_allowed_is_one_line(sessions: SessionStore, keep: Keep) -> None:
    id_ = keep()
    for title, line in REFUSED.items():
        with pytest.raises(EmorecError, match=line):
            sessions.rename(id_, title)
        with pytest.raises(EmorecError):
            sessions.set_markers(id_, [Marker(1, 0.0, title)])
        with pytest.raises(EmorecError):
            sessions.begin(about(title=title))
    for days in (0, -3, 10**6):
        with pytest.raises(EmorecError, match=r"expected 1 to 3650 days"):
            sessions.begin(about(keep_days=days))
    assert [each.title for each in sessions.sessions()] == [""]


def test_sessions_whose_days_are_over_are_gone(sessions: SessionStore, keep: Keep) -> None:
    for_ever, soon = keep(keep_days=None), keep(keep_days=1, keeps_faces=True)
    with sessions._engine.begin() as connection:
        past = datetime.now(UTC) - timedelta(days=2)
        connection.execute(
            text("UPDATE session SET delete_after = :past WHERE id = :id"),
            {"past": past, "id": soon},
        )
    assert [each.id for each in sessions.sessions()] == [for_ever]
    with pytest.raises(EmorecError, match=GONE):
        sessions.seconds(soon)
    open_sessions().close()  # deletes them
    with sessions._engine.connect() as connection:
        left = [
            connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {key} = {soon}"))
            for table, key in (
                ("session", "id"),
                ("session_second", "session_id"),
                ("session_face", "session_id"),
            )
        ]
    assert left == [0, 0, 0]


def test_what_was_deleted_leaves_no_trace_in_the_file(
    sessions: SessionStore, keep: Keep, store: str
) -> None:
    id_ = keep(title="a title to find", purpose="a purpose to find", keeps_faces=True)
    sessions.set_markers(id_, [Marker(1, 0.0, "a marker to find")])
    sessions.note(id_, "a note to find")
    sessions.delete(id_)
    with pytest.raises(EmorecError, match=GONE):
        sessions.session(id_)
    assert keep() > id_, "an id is never used again"
    if (file := file_of(sessions._engine)) is not None:
        assert store == "sqlite"
        left = b"".join(path.read_bytes() for path in file.parent.iterdir())
        assert b"to find" not in left


def test_a_thumbnail_has_at_most_sixty_points(sessions: SessionStore, keep: Keep) -> None:
    timeline = played(200)
    id_ = keep(timeline)
    small = thumbnail(timeline.finished())
    sessions.append(id_, timeline.finished()[:0], None, (0.0, 199.5), 5, True, small)
    np.testing.assert_array_equal(sessions.session(id_).thumbnail, small)
    assert 30 < len(small) <= 60 and np.nanmax(small) == pytest.approx(0.5, abs=0.01)


def test_people_of_an_older_store_stay_when_sessions_come(store: str) -> None:
    """The tables of today, with a person in them, before the migration that adds sessions."""
    chosen = Deployment.from_env()
    engine = connect(chosen.database_url, chosen.data_folder)
    with engine.begin() as connection:
        for table in (
            "person_examples",
            "session_face",
            "session_second",
            "session_marker",
            "session",
        ):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        connection.execute(
            text("INSERT INTO person (name, consented_at, consent_version) VALUES (:n, :t, 1)"),
            {"n": b"sealed", "t": datetime.now(UTC)},
        )
    engine.dispose()
    opened = open_sessions()
    assert opened.sessions() == []
    assert opened.begin(about()) == 1
    with opened._engine.connect() as connection:
        (name,) = connection.execute(text("SELECT name FROM person")).one()
    assert bytes(name) == b"sealed"
    opened.close()


def test_a_store_of_a_newer_program_is_refused_with_the_remedy(sessions: SessionStore) -> None:
    with sessions._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"newer EmoRec .* install that one or a newer one"):
        open_sessions()


def test_a_row_changed_by_hand_is_one_line(sessions: SessionStore, keep: Keep) -> None:
    id_ = keep()
    with sessions._engine.begin() as connection:
        connection.execute(text("UPDATE session SET made_with = '{'"))
    with pytest.raises(StoreError, match=rf"session {id_}: was changed outside EmoRec"):
        sessions.sessions()
    sessions.delete(id_)
    assert sessions.sessions() == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_file_that_cannot_be_written_is_one_line(store: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    open_sessions().close()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        if os.access(folder, os.W_OK):  # root may write everywhere
            (folder / "emorec.sqlite").unlink()
            (folder / "emorec.sqlite").mkdir()
        with pytest.raises(StoreError, match=r"emorec\.sqlite: .+\.$"):
            open_sessions()
    finally:
        folder.chmod(0o700)


def test_a_database_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@127.0.0.1:1/emorec")
    with pytest.raises(StoreError, match=r"^DATABASE_URL: the database does not answer"):
        open_sessions()


def test_too_many_markers_are_refused(sessions: SessionStore, keep: Keep) -> None:
    id_ = keep()
    marker = Marker(1, 0.0, "m")
    with pytest.raises(EmorecError, match="at most 1000 markers"):
        sessions.set_markers(id_, [replace(marker, id=i) for i in range(1001)])
