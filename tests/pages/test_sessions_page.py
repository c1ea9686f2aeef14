"""The Sessions page: its list, an opened session, two compared; and a stranger who sees none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from emorec.pages.parts import keeping
from emorec.pages.parts.disk import disk
from emorec.pages.parts.visit import Visit
from emorec.sessions.store import SessionStore, open_sessions, thumbnail
from tests.sessions.conftest import MADE_WITH, START, about, played

pytestmark = pytest.mark.usefixtures("charts_loaded")

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionStore]:
    monkeypatch.setenv("EMOREC_SESSIONS", "ask")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'sessions.sqlite'}")
    keeping.store.clear()
    opened = open_sessions()
    yield opened
    opened.close()
    keeping.store.clear()


def kept(store: SessionStore, seconds: int = 80, **more: object) -> int:
    timeline = played(seconds)
    timeline.mark("question 1", seconds / 2)
    id_ = store.begin(about(**({"owner": ADA} | more)))
    done = timeline.finished()
    small = thumbnail(done)
    store.append(id_, done, None, timeline.span_s, timeline.faces_seen, True, small)
    store.set_markers(id_, timeline.markers)
    return id_


def page(owner: str | None = ADA) -> AppTest:
    def script() -> None:
        from emorec.pages.sessions import page

        page.render()

    app = AppTest.from_function(script, default_timeout=60)
    visit = Visit()
    visit.state(keeping.Browser).id = owner
    app.session_state["visit"] = visit
    return ran(app)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.error, app.title)
    return "\n".join(element.value for kind in kinds for element in kind)


def test_a_session_is_opened_renamed_noted_and_deleted(store: SessionStore) -> None:
    id_, theirs = kept(store, title="*Lecture*"), kept(store, owner=BOB, title="Theirs")
    app = page()
    labels = [button.label for button in app.button]
    assert r"\*Lecture\*" in labels and "Theirs" not in labels
    app.button(key=f"open session {id_}").click()
    ran(app)
    assert [title.value for title in app.title] == [r"\*Lecture\*"]
    assert "Kept for: event" in texts(app) and "politeness" in texts(app)
    assert {"HTML", "XLSX", "PNG"} <= {button.label for button in app.get("download_button")}
    app.text_input(key=f"title {id_}").input("Talk")
    app.text_area(key=f"notes {id_}").input("the second try")
    app.button(key=f"save {id_}").click()
    ran(app)
    stored = store.session(id_)
    assert (stored.title, stored.notes) == ("Talk", "the second try")
    next(field for field in app.text_input if field.label == "Label").input("the break")
    app.button(key=f"session {id_} rename marker").click()
    ran(app)
    assert [marker.label for marker in store.markers(id_)] == ["the break"]
    app.button(key=f"delete {id_}").click()
    ran(app)
    assert "No session is kept" in texts(app)
    assert [each.id for each in store.sessions()] == [theirs]


def test_two_sessions_are_compared_at_a_marker(store: SessionStore) -> None:
    ids = [kept(store, title=f"Talk {n}") for n in (1, 2)]
    app = page()
    assert app.button(key="compare sessions").disabled
    for id_ in ids:
        app.checkbox(key=f"session chosen {id_}").check()
        ran(app)
    app.button(key="compare sessions").click()
    ran(app)
    assert "95 % interval of the difference: **\N{MINUS SIGN}0." in texts(app), (
        "of the same session twice"
    )
    assert "it may be chance" in texts(app)
    (marker,) = store.markers(ids[0])
    app.selectbox(key=f"align {ids[0]}").select(marker.id)
    app.select_slider(key=f"span 0 {ids[0]}").set_range(30, 40)
    app.select_slider(key=f"span 1 {ids[1]}").set_range(60, 75)
    ran(app)
    assert "The interval leaves out 0" in texts(app)
    app.button(key="all sessions").click()
    assert [title.value for title in ran(app).title] == ["Sessions"]


def test_a_stranger_sees_and_deletes_nothing_and_shared_sessions_are_seen_by_all(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(store)
    assert "No session is kept" in texts(page(None)) and "No session is kept" in texts(page(BOB))
    monkeypatch.setenv("EMOREC_SESSIONS_SHARED", "1")
    keeping.deployment.cache_clear()
    app = page(BOB)
    assert "of all visitors" in texts(app)
    app.button(key="delete all sessions").click()
    assert "No session is kept" in texts(ran(app)) and not store.sessions()


@pytest.mark.parametrize(
    ("video_mb", "sessions", "says"),
    [
        ("200", "ask", "**Keep** on the Live page keeps one. **Keep this session** on the Video"),
        ("0", "ask", "**Keep** on the Live page keeps one."),
        ("0", "start", "On the Live page each session is kept, from START on."),
    ],
)
def test_a_list_with_nothing_in_it_says_what_fills_it(
    store: SessionStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    video_mb: str,
    sessions: str,
    says: str,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("EMOREC_VIDEO_MB", video_mb)
    monkeypatch.setenv("EMOREC_SESSIONS", sessions)
    disk.cache_clear()
    try:
        (told,) = page(ADA).info
    finally:
        disk.cache_clear()
    assert told.value.startswith(f"No session is kept. {says}")
    assert ("Video" in told.value) is (video_mb != "0")


@pytest.mark.parametrize("source", ["example", "video"])
def test_what_was_no_camera_is_marked(store: SessionStore, source: str) -> None:
    id_ = kept(store, made_with=MADE_WITH | {"source": source})
    kept(store)
    app, says = page(), f"{source.title()}, not a camera · "
    assert [each.value.startswith(says) for each in app.caption[1:]] == [False, True]
    app.button(key=f"open session {id_}").click()
    assert says in texts(ran(app))


def test_many_sessions_are_searched_and_shown_in_pages(store: SessionStore) -> None:
    for n in range(45):
        store.begin(about(owner=ADA, title=f"Talk {n}", started_at=START + timedelta(hours=n)))
    app = page()
    shown = [button.label for button in app.button if button.label.startswith("Talk")]
    assert shown[0] == "Talk 44" and len(shown) == 20
    app.button(key="older sessions").click()
    assert "Page 2 of 3" in texts(ran(app))
    app.text_input(key="search sessions").input("talk 7")
    ran(app)
    assert [b.label for b in app.button if b.label.startswith("Talk")] == ["Talk 7"]
