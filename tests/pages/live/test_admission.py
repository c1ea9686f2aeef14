"""Admission to the live page's room: in, turned away, let in by itself, and out again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from emorec.live.room import Room


class Stream:
    """A stream that does nothing but be live."""

    live = False
    silent = False
    received = True
    problem: str | None = None

    def start(self) -> None:
        self.live = True

    def stop(self) -> None:
        self.live = False


@pytest.fixture
def room(monkeypatch):
    room = Room(1)
    monkeypatch.setattr("emorec.pages.live.admission.room", lambda: room)
    return room


def visit(stream: Stream) -> AppTest:
    def script() -> None:
        import streamlit as st

        from emorec.pages.live import admission

        stream = st.session_state["stream"]
        if not admission.let_in(stream) or admission.full(stream):
            admission.show_full(stream, None)
        else:
            ended = admission.over(stream)
            context = st.session_state.get(admission.component_key())
            playing = bool(context and context.state.playing)
            st.text(f"START; goes on: {admission.goes_on(stream, playing, ended)}")

    app = AppTest.from_function(script, default_timeout=120)
    app.session_state["stream"] = stream
    return app.run()


def press(app: AppTest, playing: bool, turn: int = 0) -> None:
    """Let the component say that START, or STOP, was pressed."""
    state = SimpleNamespace(playing=playing, signalling=playing)
    app.session_state[f"webcam {turn}"] = SimpleNamespace(state=state)
    app.run()
    assert not app.exception


def said(app: AppTest) -> str:
    return "\n".join(e.value for kind in (app.text, app.info, app.success) for e in kind)


def test_start_takes_a_place_and_stop_gives_it_back(room):
    app = visit(Stream())
    assert said(app) == "START; goes on: False" and room.live == 0
    press(app, True)
    assert said(app) == "START; goes on: True" and room.live == 1
    press(app, False)
    assert said(app) == "START; goes on: False" and room.live == 0


def test_who_finds_the_room_full_is_told_and_let_in_by_itself(room):
    other = Stream()
    assert room.enter(other)
    app = visit(Stream())
    press(app, True)
    assert "The room is full:** 1 of 1 places" in said(app) and "START" not in said(app)
    app.run()
    assert "The room is full" in said(app)
    room.leave(other)
    app.run()  # as the fragment does by itself
    assert not app.exception and room.live == 1  # the place is kept
    app.run()
    assert "A place is free" in said(app) and "START" in said(app)
    press(app, True, turn=1)
    assert said(app) == "START; goes on: True" and room.live == 1


def test_start_is_not_offered_while_it_would_be_refused(room):
    other = Stream()
    assert room.enter(other)
    app = visit(Stream())
    assert "The room is full:** 1 of 1 places" in said(app) and "START" not in said(app)
    room.leave(other)
    app.run()  # as the fragment does by itself
    assert said(app) == "START; goes on: False" and room.live == 0, "no place for who only looks"


def test_a_stream_that_fell_silent_ends_the_session_and_says_so(room):
    stream = Stream()
    app = visit(stream)
    press(app, True)
    stream.stop()
    stream.silent = True
    app.run()
    assert said(app) == "START; goes on: False"
    assert "No picture came from your camera for 20 seconds" in app.warning[0].value
    press(app, False)
    assert "this session is over" in app.warning[0].value and room.live == 0
    stream.silent = False
    press(app, True)
    assert not app.warning and room.live == 1


def test_a_stop_that_the_component_tells_late_is_no_silence(room):
    stream = Stream()
    app = visit(stream)
    press(app, True)
    stream.stop()  # the connection has ended, and the component still says that it plays
    app.run()
    assert not app.warning and "goes on: True" in said(app)
    press(app, False)
    assert said(app) == "START; goes on: False" and not app.warning


def test_a_session_that_the_server_ended_says_why(room):
    stream = Stream()
    app = visit(stream)
    press(app, True)
    stream.stop()
    stream.problem = "Your camera's picture is too large."
    app.run()
    assert said(app) == "START; goes on: False"
    assert app.warning[0].value == stream.problem
    press(app, False)
    assert app.warning[0].value == stream.problem and len(app.warning) == 1 and room.live == 0
    press(app, True)
    assert not app.warning and said(app) == "START; goes on: True" and room.live == 1


def test_a_refused_offer_gives_the_place_back_and_says_why(room):
    def script() -> None:
        import streamlit as st

        from emorec.pages.live import admission

        stream = st.session_state["stream"]
        if admission.let_in(stream) and stream.live:
            admission.refuse(stream, "No such offer.")

    app = AppTest.from_function(script, default_timeout=120)
    app.session_state["stream"] = Stream()
    app.run()
    press(app, True)
    assert [error.value for error in app.error] == ["No such offer."] and room.live == 0
    press(app, True, turn=1)
    assert [error.value for error in app.error] == ["No such offer."] and room.live == 0
