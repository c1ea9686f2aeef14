"""The live page: the webcam's picture with the apparent emotion of every face drawn on it."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from emorec.errors import EmorecError
from emorec.live.ice import rtc_configuration
from emorec.pages.live import controls, layout, readings, stage, summary
from emorec.pages.live.camera import camera_problem, start_problem
from emorec.pages.live.state import LivePicture, live_picture
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.engine import classifier, recognizer, room
from emorec.pages.parts.pictures import single_shot
from emorec.pages.parts.visit import visit


def render(meanwhile: StreamlitPage | None = None) -> None:
    """Show the page.

    Args:
        meanwhile: the page that a visitor is sent to while the room is full; None: none is.
    """
    layout.begin()
    try:
        engine, shared = recognizer(), classifier()
        room()
        rtc = rtc_configuration(deployment())
    except EmorecError as error:
        st.error(str(error))
        return
    stream, reader = live_picture(engine, shared)

    with st.container(key="live"):
        with st.container(key="stage", gap="small"):
            active = stage.show(stream, rtc, meanwhile)
            alert = layout.dress_stage()
        with st.container(key="consent", gap="small"):
            stage.consent()
        with st.container(key="controls"):
            with layout.unseen("camera check"):
                problem = camera_problem() or start_problem(alert)
            if problem and not active:
                st.warning(problem, icon=":material/videocam_off:")
            detector = controls.show(stream, reader, rtc, active)
        own = visit().state(LivePicture)
        own.group_only |= active and stream.view.group_only
        with st.container(key="slots"):
            if active:
                st.fragment(readings.show, run_every=0.5)(stream)
            elif stream.timeline is not None and stream.timeline.span_s[1] > 0:
                group_only = stream.view.group_only or own.group_only
                summary.show(stream.timeline, reader.made_with, group_only)
            else:
                readings.before_start()
    if active:
        layout.live_styles()
    elif not stream.view.group_only:
        st.caption("No live picture? A single shot goes through the same engine.")
        single_shot("live", engine, detector, names=stream.names is not None)
