"""The stage: the picture with START, what is pressed below it, and who must agree to it."""

from __future__ import annotations

from time import monotonic
from typing import Any, Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit_webrtc import WebRtcMode

from emorec.clock import clock
from emorec.errors import EmorecError
from emorec.filenames import dated
from emorec.live.room import cores
from emorec.live.stream import LiveStream
from emorec.media.photo import encode_png
from emorec.pages.live import admission, example, keep
from emorec.pages.live.camera import constraints, is_screen, translations
from emorec.pages.live.layout import VIDEO_STYLE
from emorec.pages.live.state import LivePicture
from emorec.pages.live.webrtc import tracks, webrtc_streamer
from emorec.pages.parts import keeping
from emorec.pages.parts.example import EXAMPLE_ALT, example_picture
from emorec.pages.parts.visit import visit
from emorec.words import N_, _

RESOLUTIONS = {
    "1280 × 720": (1280, 720),
    "1920 × 1080": (1920, 1080),
    "640 × 360": (640, 360),
}
"""What a camera can be asked for: the visitor reads the key; width and height in pixels."""

Scene = Literal["ready", "live", "over", "full"]
"""Before START; from START to STOP; a session is over and neither kept nor discarded; the room is
full."""

_FPS = 30
_DEFAULT, _SMALLEST = "1280 × 720", "640 × 360"
_CORES = 2.0  # a picture of 1280 × 720 in and out takes one, and the faces are still to be read


def asked_wh() -> tuple[int, int]:
    """Return the width and height in pixels that the camera is asked for."""
    st.session_state.setdefault("resolution", _DEFAULT if cores() >= _CORES else _SMALLEST)
    return RESOLUTIONS[st.session_state.resolution]


def asked_video() -> dict[str, Any]:
    """Return what the browser's camera is asked for, as `getUserMedia` takes it."""
    width, height = asked_wh()
    return {
        "width": {"ideal": width},
        "height": {"ideal": height},
        "frameRate": {"ideal": _FPS, "min": 15},
        **constraints(),
    }


def show(stream: LiveStream, rtc: dict[str, Any], meanwhile: StreamlitPage | None = None) -> Scene:
    """Show START and the moving picture, unless a session that is over has its report in place.

    Args:
        stream: the visitor's live picture.
        rtc: the configuration that it connects with.
        meanwhile: the page that a visitor may use while the room is full; None: none is.

    Returns:
        What the rest of the page is to show.
    """
    state = visit().state(LivePicture)
    if not admission.let_in(stream):
        admission.show_full(stream, meanwhile)
        return "full"
    if _to_report(stream) and not admission.start_pressed():
        state.since_s = None
        admission.goes_on(stream, playing=False, ended=False)
        return "over"
    if admission.full(stream):
        admission.show_full(stream, meanwhile)
        return "full"
    ended = admission.over(stream)
    film = example.FILM if visit().state(admission.Admission).example else None
    sink, source = tracks(stream, _FPS, film)
    context = webrtc_streamer(
        stream,
        key=admission.component_key(),
        mode=WebRtcMode.SENDRECV,
        rtc_configuration=rtc,
        media_stream_constraints={"audio": False, "video": asked_video() if not film else False},
        sink_video_track=sink,
        source_video_track=source,
        desired_playing_state=admission.wanted(ended),
        video_html_attrs={
            "autoPlay": True,
            "controls": False,
            "muted": True,
            "playsInline": True,
            "style": VIDEO_STYLE,
        },
        translations=translations(),
        media_toggle_controls=False,
    )
    playing = context.state.playing or context.state.signalling
    active = admission.goes_on(stream, playing, ended)
    if not active and _to_report(stream):
        if not playing:
            st.rerun()
        return "over"
    if not active:
        state.since_s = None
        return "ready"
    if state.since_s is None:
        state.since_s, state.group_only, state.followed = monotonic(), False, None
        state.is_example = film is not None
        if state.reader is not None:
            shared = N_("screen") if is_screen() else N_("camera")
            state.reader.source = N_("example") if film else shared
    return "live"


def actions(stream: LiveStream, scene: Scene, photos: StreamlitPage | None) -> None:
    """Show what can be pressed beside START or STOP.

    Args:
        stream: the visitor's live picture.
        scene: what `show` returned.
        photos: the page that reads pictures; None: it is not offered.
    """
    if scene == "ready":
        with st.container(key="example"):
            st.image(example_picture(), alt=_(EXAMPLE_ALT))
    if scene not in ("ready", "live"):
        return
    with st.container(key="actions", horizontal=True, gap="small", vertical_alignment="center"):
        if scene == "ready":
            st.button(
                _("Try an example"),
                icon=":material/smart_display:",
                key="try example",
                on_click=admission.ask_for_example,
            )
            if photos is not None:
                st.page_link(photos, label=_("Use photos"), icon=":material/photo_library:")
            return
        st.button(
            _("Go on") if stream.paused else _("Pause"),
            icon=":material/play_arrow:" if stream.paused else ":material/pause:",
            key="pause",
            on_click=_pause,
            args=(stream, not stream.paused),
        )
        st.download_button(
            _("Snapshot"),
            # Made when it is pressed, of the picture as it is sent then: blurred where that is.
            lambda: encode_png(stream.snapshot()),
            dated("snapshot.png"),
            "image/png",
            icon=":material/photo_camera:",
            key="snapshot",
            on_click="ignore",
        )
        st.button(
            _("Mark"),
            icon=":material/flag:",
            key="mark",
            on_click=_mark,
            args=(stream,),
            shortcut="M",
        )
        keep.button(stream, visit().state(LivePicture))
        with st.container(key="fullscreen", width="content"):
            # `layout` makes it work: a browser asks for the press itself.
            st.button(_("Full screen"), icon=":material/fullscreen:", key="full screen")
    tag = _("Paused: nothing is read") if stream.paused else None
    if tag is None and visit().state(LivePicture).is_example:
        tag = _(example.SAYS)
    if tag is not None:
        with st.container(key="tag"):
            st.html(f'<p class="emorec-tag">{tag}</p>')


def consent() -> None:
    """Say who must agree before START, and what is read and kept."""
    st.markdown(
        _(
            "Everyone in view is on camera: start only if they know and agree. In the EU, not at "
            "work or in education "
            "([AI Act, Art. 5(1)(f)](https://eur-lex.europa.eu/eli/reg/2024/1689/oj)).  \n"
            "Reads the **apparent expression** of every face, not inner feeling. {stored}"
        ).format(stored=_stored())
    )


def _stored() -> str:
    """Return what is stored of a live picture, in words."""
    if keeping.from_start():
        return f"{_('Pictures are forgotten; the session is kept.')} {keeping.what()}"
    if keeping.offered():
        return _("Pictures are read in memory and forgotten; numbers are kept only by **Keep**.")
    return _("Nothing is stored: the picture is read in memory and forgotten.")


def _to_report(stream: LiveStream) -> bool:
    """Return whether a session has something to report, which the next START would overwrite."""
    return stream.timeline is not None and stream.timeline.span_s[1] > 0


def _mark(stream: LiveStream) -> None:
    """Mark this moment."""
    timeline = stream.timeline
    if timeline is None:
        st.toast(_("There is no picture yet to mark."))
        return
    try:
        marker = timeline.mark(_("Mark {n}").format(n=len(timeline.markers) + 1))
    except EmorecError as error:
        st.toast(str(error))
    else:
        says = _("{label} at {time}; **Markers** names it.").format(
            label=marker.label, time=clock(marker.time_s)
        )
        st.toast(says, icon=":material/flag:")


def _pause(stream: LiveStream, paused: bool) -> None:
    """Pause or go on."""
    stream.paused = paused
