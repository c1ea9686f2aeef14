"""START and the moving picture, what the camera is asked for, and who must agree to it."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit_webrtc import WebRtcMode

from emorec.live.room import cores
from emorec.live.stream import LiveStream
from emorec.pages.live import admission
from emorec.pages.live.camera import TRANSLATIONS
from emorec.pages.live.layout import VIDEO_STYLE
from emorec.pages.live.state import LivePicture
from emorec.pages.live.webrtc import tracks, webrtc_streamer
from emorec.pages.parts.visit import visit

RESOLUTIONS = {
    "1280 × 720": (1280, 720),
    "1920 × 1080": (1920, 1080),
    "640 × 360": (640, 360),
}
"""What a camera can be asked for: the visitor reads the key; width and height in pixels."""

EXAMPLE = Path(__file__).with_name("example.jpg")
"""What stands on the stage before START: Eileen Collins (NASA) and Grace Hopper (US Navy), both
portraits in the public domain, as EmoRec reads them; tests/pages/live/test_example.py draws it."""

_FPS = 30
_DEFAULT, _SMALLEST = "1280 × 720", "640 × 360"
_CORES = 2.0  # a picture of 1280 × 720 in and out takes one, and the faces are still to be read


def asked_wh() -> tuple[int, int]:
    """Return the width and height in pixels that the camera is asked for."""
    st.session_state.setdefault("resolution", _DEFAULT if cores() >= _CORES else _SMALLEST)
    return RESOLUTIONS[st.session_state.resolution]


def show(stream: LiveStream, rtc: dict[str, Any], meanwhile: StreamlitPage | None = None) -> bool:
    """Show START and the moving picture; return whether it runs or is about to.

    Args:
        stream: the visitor's live picture.
        rtc: the configuration that it connects with.
        meanwhile: the page that a visitor is sent to while the room is full; None: none is.
    """
    if not admission.let_in(stream, meanwhile):
        return False
    over = admission.over(stream)
    sink, source = tracks(stream, _FPS)
    width, height = asked_wh()
    context = webrtc_streamer(
        stream,
        key=admission.component_key(),
        mode=WebRtcMode.SENDRECV,
        rtc_configuration=rtc,
        media_stream_constraints={
            "audio": False,
            "video": {
                "width": {"ideal": width},
                "height": {"ideal": height},
                "frameRate": {"ideal": _FPS, "min": 15},
            },
        },
        sink_video_track=sink,
        source_video_track=source,
        desired_playing_state=False if over else None,
        video_html_attrs={
            "autoPlay": True,
            "controls": False,
            "muted": True,
            "playsInline": True,
            "style": VIDEO_STYLE,
        },
        translations=TRANSLATIONS,
        media_toggle_controls=False,
    )
    playing = context.state.playing or context.state.signalling
    active = admission.goes_on(stream, playing, over)
    if not active and stream.timeline is None:
        with st.container(key="example"):
            st.image(EXAMPLE, alt="Example: two portraits with a box and an emotion on each face")
    state = visit().state(LivePicture)
    if not active:
        state.since_s = None
    elif state.since_s is None:
        state.since_s, state.group_only = monotonic(), False
    return active


def consent() -> None:
    """Say who must agree before START, and what is read and kept."""
    st.markdown(
        "Everyone in view is on camera: press START only if they know and agree. In the EU, not at "
        "work or in education "
        "([AI Act, Art. 5(1)(f)](https://eur-lex.europa.eu/eli/reg/2024/1689/oj))."
    )
    st.caption(
        "Reads the **apparent expression** of every face, not inner feeling. "
        "Nothing is stored: the picture is read in memory and forgotten."
    )
