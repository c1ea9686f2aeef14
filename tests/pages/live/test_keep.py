"""Keeping a session from the Live page: what is asked before, and what is kept then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from emorec.live.stream import LiveStream
from emorec.model.choice import for_live
from emorec.model.store import load
from emorec.pages.live import keep
from emorec.pages.parts import keeping
from emorec.pages.parts.visit import Visit
from emorec.sessions.keeper import Keeper
from emorec.sessions.kept import Stored
from emorec.sessions.store import SessionStore, open_sessions
from emorec.sessions.timeline import Timeline
from testkit.room import PICTURE, frame, happy
from tests.sessions.conftest import about, played


@pytest.fixture(autouse=True)
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest has no browser session, which the WebRTC component would look up."""
    for module in ("component", "shutdown"):
        monkeypatch.setattr(f"streamlit_webrtc.{module}.get_this_session_info", lambda: None)


@pytest.fixture
def timeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Timeline:
    """A session that is over, on a server that lets it be kept."""
    monkeypatch.setenv("EMOREC_SESSIONS", "ask")
    monkeypatch.setenv("EMOREC_KEEP_DAYS", "7")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'kept.sqlite'}")
    timeline = played(12, faces=5)
    monkeypatch.setattr(LiveStream, "timeline", timeline)
    return timeline


@pytest.fixture
def store(timeline: Timeline) -> Iterator[SessionStore]:
    opened = open_sessions()
    yield opened
    opened.close()
    keeping.store.clear()


def page() -> AppTest:
    def script() -> None:
        from emorec.pages.live import page

        page.render()

    return AppTest.from_function(script, default_timeout=120)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def the_one(store: SessionStore, ready: Callable[[Stored], bool]) -> Stored:
    """Return the only kept session, once it is as far as that."""
    for _ in range(200):
        if (found := store.sessions()) and ready(found[0]):
            (stored,) = found
            return stored
        time.sleep(0.05)
    raise AssertionError("nothing was kept")


def agree(app: AppTest, purpose: str) -> None:
    app.radio(key="keep_for").set_value(purpose)
    app.checkbox(key="keep agreed").check()
    ran(app)


def test_a_session_is_kept_with_its_purpose_once_people_agreed(store: SessionStore) -> None:
    app = ran(page())
    assert "For 7 days: purpose, settings, markers, notes" in texts(app)
    assert app.button(key="keep session").disabled, "no purpose, and nobody agreed"
    agree(app, "Private use")
    app.button(key="keep session").click()
    ran(app)
    stored = the_one(store, lambda each: each.ended)
    assert (stored.purpose, stored.keeps_faces, stored.group_only) == ("Private use", False, False)
    assert len(store.seconds(stored.id)) == 12 and not len(store.face_seconds(stored.id))
    assert stored.made_with["model"]["name"] == for_live(load())
    assert stored.owner == app.session_state["visit"].state(keeping.Browser).id
    assert "**Kept** for 7 days" in texts(ran(app)) and "on disk, nothing" not in texts(app)


def test_a_press_of_the_button_that_is_switched_off_keeps_nothing(timeline: Timeline) -> None:
    def script() -> None:
        from functools import partial
        from types import SimpleNamespace

        import streamlit as st

        from emorec.live.stream import LiveStream
        from emorec.pages.live import keep
        from emorec.pages.live.state import LivePicture
        from emorec.pages.parts import keep_form as parts
        from emorec.pages.parts.visit import visit

        own = visit().state(LivePicture)
        own.reader = SimpleNamespace(made_with={})
        for agreed in (False, True):
            st.session_state["keep_for"] = parts.PURPOSES[-1]
            st.session_state["keep agreed"] = True
            st.session_state["keep not prohibited"] = agreed
            parts._press(partial(keep._press, LiveStream(lambda: None), own))
            st.text(f"agreed {agreed}, kept {visit().state(keep.Keeping).keeper is not None}")

    app = ran(AppTest.from_function(script, default_timeout=60))
    assert [text.value for text in app.text] == [
        "agreed False, kept False",
        "agreed True, kept True",
    ]
    app.session_state["visit"].state(keep.Keeping).keeper.close(30)


def test_at_work_nothing_is_kept_until_the_prohibition_is_said_not_to_apply(
    store: SessionStore,
) -> None:
    app = ran(page())
    agree(app, "At work or in education")
    assert "at work or in education is prohibited**" in texts(app)
    assert app.button(key="keep session").disabled
    app.checkbox(key="keep not prohibited").check()
    app.toggle(key="group_only").set_value(True)
    ran(app)
    assert "keep faces" not in {box.key for box in app.checkbox}, "Group only keeps none"
    app.button(key="keep session").click()
    ran(app)
    assert the_one(store, lambda each: each.ended).group_only


def test_a_store_that_cannot_be_used_is_one_line_and_keep_is_offered_again(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'file' / 'kept.sqlite'}")
    app = ran(page())
    agree(app, "Private use")
    app.button(key="keep session").click()
    ran(app)
    keeper = app.session_state["visit"].state(keep.Keeping).keeper
    keeper.close(30)
    ran(app)
    assert [error.value for error in app.error if error.value.startswith("Nothing is kept: ")]
    assert not app.button(key="keep session").disabled


def test_keep_stands_beside_the_report_that_it_is_asked_in(timeline: Timeline) -> None:
    app = ran(page())
    (form,) = (each for each in app.expander if each.label == "Keep this session")
    assert [radio.key for radio in form.radio] == ["keep_for"]


@pytest.mark.parametrize(
    ("stopped", "part"), [(False, "from 0:03 on"), (True, "from 0:03 to 0:04")]
)
def test_which_part_is_kept_is_said_above_a_report_of_more(
    stopped: bool, part: str, store: SessionStore
) -> None:
    LiveStream.timeline = running = played(3, ended=False)
    keeper = Keeper(running, open_sessions, about(), every_s=0.02)
    for place in range(6, 14):
        running.add(PICTURE, frame(place / 2, {1: happy(0.5)}))
        if stopped and place == 9:
            the_one(store, lambda each: keeper.written_s == 4.0)
            keeper.close(30)
    running.__exit__()
    keeper.close(30)
    visit = Visit()
    kept = visit.state(keep.Keeping)
    kept.keeper, kept.timeline = keeper, running
    app = page()
    app.session_state["visit"] = visit
    said = texts(ran(app))
    assert f"**Kept** for 7 days, without single faces: **{part}**. The report below" in said
    assert len(store.seconds(keeper.session_id)) == (1 if stopped else 4)


def test_withdrawing_the_consent_ends_keeping(store: SessionStore, timeline: Timeline) -> None:
    running = played(3, ended=False)
    app = ran(page())
    LiveStream.timeline = running
    agree(app, "Private use")
    app.button(key="keep session").click()
    ran(app)
    visit = app.session_state["visit"]
    keeper = visit.state(keep.Keeping).keeper
    assert keeper.state == "keeping"
    visit.forget()
    keeper.close(30)
    assert keeper.state == "ended" and visit.state(keep.Keeping).keeper is None


def test_a_deployer_can_have_every_session_kept_from_start_on(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOREC_SESSIONS", "start")
    monkeypatch.setenv("EMOREC_CONSENT", "required")
    ran(page())
    stored = the_one(store, lambda each: each.ended)
    assert len(store.seconds(stored.id)) == 12


def test_where_keeping_is_off_nothing_of_it_is_shown(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOREC_SESSIONS", "")
    app = ran(page())
    assert not app.radio and "on disk, nothing" in texts(app)
