"""The live page: the webcam's picture with the apparent emotion of every face drawn on it."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from emorec.errors import EmorecError
from emorec.live.ice import rtc_configuration
from emorec.pages.live import calibration, controls, keep, layout, readings, stage, summary
from emorec.pages.live.camera import camera_problem, is_screen, start_problem
from emorec.pages.live.state import LivePicture, follow, live_picture, source_lost
from emorec.pages.parts import keeping
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.engine import live_classifier, live_recognizer, recognizer, room
from emorec.pages.parts.pictures import single_shot
from emorec.pages.parts.visit import visit
from emorec.words import _


def render(photos: StreamlitPage | None = None) -> None:
    """Show the page.

    Args:
        photos: the page that reads pictures: offered before START, and while the room is full;
            None: there is none.
    """
    layout.begin()
    try:
        engine = recognizer()
        live, shared = live_recognizer(), live_classifier()
        room()
        rtc = rtc_configuration(deployment())
    except EmorecError as error:
        st.error(str(error))
        return
    stream, reader = live_picture(live, shared)
    own = visit().state(LivePicture)

    with st.container(key="live"):
        picture = st.container(key="stage", gap="small")
        with picture:
            scene = stage.show(stream, rtc, photos)
            stage.actions(stream, scene, photos)
            told = summary.identity(stream) if scene == "over" else None
            alert = layout.dress_stage(stage.asked_video(), is_screen(), told, follow, source_lost)
        with layout.unseen("camera check"):
            problem = camera_problem() or start_problem(alert)
        # Filled below, once the controls have said whether totals alone are shown.
        report = st.container(key="report") if scene == "over" else None
        if scene in ("ready", "live"):
            with st.container(key="consent", gap="small"):
                stage.consent()
        with st.container(key="controls"):
            detector = controls.show(stream, reader, rtc, scene == "live")
        if scene == "live":
            with picture:  # after the controls, which end it when faces are hidden
                calibration.guide(stream, reader)
        own.group_only |= scene == "live" and stream.view.group_only
        keep.update(stream, own)
        keeping.remember()
        if report is not None:
            with report:
                summary.show(stream, reader.made_with, own)
        elif scene != "full":
            with st.container(key="slots"):
                if scene == "live":
                    st.fragment(readings.show, run_every=0.5)(stream)
                else:
                    # A fragment stands in a container of its own. What stood elsewhere until START
                    # would stay beside it for a moment, and move the slots.
                    with st.container():
                        readings.before_start(problem)
    if scene == "live":
        layout.live_styles()
    elif scene == "ready" and problem is None and not stream.view.group_only:
        st.caption(_("No live picture? A single shot goes through the same engine."))
        single_shot("live", engine, detector, names=stream.names is not None)
