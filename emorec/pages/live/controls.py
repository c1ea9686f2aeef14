"""What the visitor sets of a live picture: how it is shown, read and named."""

from __future__ import annotations

import streamlit as st

from emorec.drawing.overlay import Show
from emorec.live.frame import View
from emorec.live.stream import LiveStream
from emorec.pages.live.reader import NextReader
from emorec.pages.live.stage import RESOLUTIONS
from emorec.pages.live.state import stream_names
from emorec.pages.parts import naming
from emorec.pages.parts.detector import choose_detector
from emorec.settings import Settings

_LONGEST_SMOOTHING_S = 3.0  # of the slider, unless the deployer chose more
_SMALLEST_FACES_PX = (16, 24, 32, 48, 64, 96, 128, 200)
_SHOW: dict[str, Show] = {"Label": "label", "All probabilities": "all", "Blur faces": "blur"}


def show(stream: LiveStream, reader: NextReader, active: bool) -> str:
    """Let the visitor set what is shown; every change holds from the next frame on.

    Only the camera and the detector, whose name is returned, wait for the next START.
    """
    settings = reader.engine.settings  # what the deployer chose
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        shown = left.segmented_control(
            "Show",
            list(_SHOW),
            default="Label",
            required=True,
            key="show",
            width="stretch",
            persist_state="session",
        )
        mirror = right.toggle("Mirror", value=True, key="mirror", persist_state="session")
        first, second, third = st.columns(3)
        smoothing_s = first.slider(
            "Smoothing (s)",
            0.0,
            max(_LONGEST_SMOOTHING_S, settings.smoothing_s),
            settings.smoothing_s,
            0.1,
            key="smoothing",
            persist_state="session",
        )
        chosen_px = settings.min_face_px
        min_face_px = second.select_slider(
            "Smallest face (px)",
            sorted({0, *_SMALLEST_FACES_PX, chosen_px or 0}),
            chosen_px or 0,
            format_func=lambda side_px: str(side_px or "Auto"),
            key="min_face",
            help="**Auto**: what suits the picture; smaller where nobody is found.",
            persist_state="session",
        )
        third.selectbox(
            "Camera",
            list(RESOLUTIONS),
            key="resolution",
            persist_state="session",
            disabled=active,
            help="Takes effect at the next START.",
        )
        detector = choose_detector(reader.engine, "live detector", locked=active)
        named = naming.choose("live names", off=shown == "Blur faces")
    stream.names = stream_names() if named else None
    stream.view = View(_SHOW[shown or "Label"], mirror)
    stream.settings = Settings(min_face_px or None, smoothing_s=smoothing_s, detector=detector)
    reader.settings = stream.settings
    if shown == "Blur faces":
        st.caption(
            "Only frames that were searched are shown, with every face found made "
            "unrecognisable. A face that the detector misses, as in full profile, is not blurred."
        )
    return detector
