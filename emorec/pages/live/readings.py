"""What is seen now: the faces in view, the last minute, and how well the picture arrives."""

from __future__ import annotations

from time import monotonic

import streamlit as st

from emorec.drawing import charts
from emorec.live.frame import OLD_S
from emorec.live.stream import LiveStream
from emorec.pages.live import admission
from emorec.pages.live.camera import NO_CONNECTION
from emorec.pages.live.stage import asked_wh
from emorec.pages.live.state import LivePicture
from emorec.pages.parts import naming
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import visit
from emorec.pipeline.smallest import notes
from emorec.records import Face

_LAST_S = 60.0
_CONNECT_S = 10.0
_CARDS = 4  # faces with bars beside the picture; the others are counted


def show(stream: LiveStream) -> None:
    """Show what is seen now; runs again by itself while the picture does."""
    if admission.over(stream):
        st.rerun()
    result, timeline = stream.result, stream.timeline
    if not stream.live:  # STOP was pressed; the component says so in a moment
        st.info("The picture has ended.", icon=":material/stop_circle:")
        return
    if not stream.running or result is None or timeline is None:
        since_s = visit().state(LivePicture).since_s
        if since_s is not None and monotonic() - since_s > _CONNECT_S:
            st.warning(NO_CONNECTION, icon=":material/wifi_off:")
        else:
            st.info("Connecting to your camera…", icon=":material/hourglass_top:")
        return
    if stream.error:
        st.error(stream.error)
    if stream.names is not None and stream.names.error:
        st.warning(plain(f"No names: {stream.names.error}"), icon=":material/person_off:")
    faces = sorted(result.faces, key=lambda face: -face.box.width * face.box.height)
    count, drawn, read = st.columns(3)
    count.metric("Faces in view", len(faces))
    drawn.metric("Pictures/s", f"{stream.shown_per_s:.0f}")
    read.metric("Readings/s", f"{stream.read_per_s:.0f}")
    st.caption(_received(result.size_wh, asked_wh()))
    if stream.labels_age_s > OLD_S:
        st.warning(
            f"This computer is busy: labels are {stream.labels_age_s:.0f} s old.",
            icon=":material/hourglass_bottom:",
        )
    for note in notes(result):
        st.caption(f":material/zoom_in: {note}")
    _cards([face for face in faces if face.classified or face.unreadable])
    st.markdown("**The last minute**")
    _, now_s = timeline.span_s
    window = (now_s - _LAST_S, now_s) if now_s > _LAST_S else (0.0, _LAST_S)
    st.vega_lite_chart(*charts.mood(*timeline.readings(_LAST_S), window), key="minute")


def _received(size_wh: tuple[int, int], asked_wh: tuple[int, int]) -> str:
    """Say how large the camera's picture arrives, and where it is smaller than asked for."""
    (width, height), (asked_width, asked_height) = size_wh, asked_wh
    if width * height >= asked_width * asked_height:
        return f":material/aspect_ratio: Received: {width} × {height}"
    return (
        f":material/aspect_ratio: Received: {width} × {height}, less than the {asked_width} × "
        f"{asked_height} asked for. Your line, your camera or your computer carries no more now."
    )


def _cards(faces: list[Face]) -> None:
    if not faces:
        st.info("Nobody in view.", icon=":material/person_off:")
        return
    columns = st.columns(min(len(faces), 2))
    for place, face in enumerate(faces[:_CARDS]):
        with columns[place % 2]:
            st.markdown(f"{naming.called(face)}: {face.says}")
            if face.classified:
                st.vega_lite_chart(*charts.bars(face), key=f"bars {place}")
    if len(faces) > _CARDS:
        st.caption(f"and {len(faces) - _CARDS} more, smaller in the picture")
