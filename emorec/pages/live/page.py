"""The live page: the webcam's picture with the apparent emotion of every face drawn on it."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from emorec.errors import EmorecError
from emorec.live.ice import rtc_configuration
from emorec.pages.live import controls, readings, stage, summary
from emorec.pages.live.camera import camera_problem
from emorec.pages.live.connection import connection_check
from emorec.pages.live.state import live_picture
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.engine import classifier, recognizer, room
from emorec.pages.parts.pictures import single_shot


def render(meanwhile: StreamlitPage | None = None) -> None:
    """Show the page.

    Args:
        meanwhile: the page that a visitor is sent to while the room is full; None: none is.
    """
    st.title("Live")
    st.caption(
        "Reads the **apparent expression** of every face, not inner feeling. "
        "Nothing is stored: the picture is read in memory and forgotten."
    )
    try:
        engine, shared = recognizer(), classifier()
        room()
        rtc = rtc_configuration(deployment())
    except EmorecError as error:
        st.error(str(error))
        return
    stream, reader = live_picture(engine, shared)

    left, right = st.columns([3, 2], gap="large")
    with left:
        active = stage.show(stream, rtc, meanwhile)
        problem = camera_problem()
        if problem and not active:
            st.warning(problem, icon=":material/videocam_off:")
        detector = controls.show(stream, reader, active)
        connection_check(stream, rtc, active)
    with right:
        if active:
            st.fragment(readings.show, run_every=0.5)(stream)
        elif stream.timeline is not None and stream.timeline.span_s[1] > 0:
            summary.show(stream.timeline, reader.made_with)
        else:
            st.info(
                "Press **START** and allow the camera. Faces in view, their probabilities and the "
                "last minute appear here.",
                icon=":material/mood:",
            )
    if not active:
        st.caption("No live picture? A single shot goes through the same engine.")
        single_shot("live", engine, detector, names=stream.names is not None)
