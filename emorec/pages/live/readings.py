"""The three slots beside the picture: how many faces, what they show now, and the last minute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import numpy as np
import streamlit as st

from emorec.drawing import charts
from emorec.emotions import EMOTIONS
from emorec.live.frame import OLD_S
from emorec.live.stream import LiveStream
from emorec.pages.live import admission, keep, layout, now
from emorec.pages.live.camera import NO_CONNECTION
from emorec.pages.live.connection import open_check
from emorec.pages.live.layout import NOW_PX
from emorec.pages.live.quiet import QuietAlert
from emorec.pages.live.stage import asked_wh
from emorec.pages.live.state import LivePicture
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import visit
from emorec.pipeline.smallest import notes
from emorec.records import FrameResult
from emorec.sessions.group import of_groups
from emorec.sessions.timeline import Timeline
from emorec.words import _

_LAST_S = 60.0
_CONNECT_S = 10.0
_TELL_S = 5.0


def before_start(problem: str | None = None) -> None:
    """Show the slots as they are before START.

    Args:
        problem: why the camera cannot start, and what to do; None: nothing is known.
    """
    with _slots(None, None):
        if problem is not None:
            st.warning(problem, icon=":material/videocam_off:")
            st.markdown(_("**Try an example** and **Use photos** need no camera."))
            return
        st.info(
            _(
                "Press **Start camera** and allow it. Faces in view, their probabilities and the "
                "last minute appear here."
            ),
            icon=":material/mood:",
        )


def show(stream: LiveStream) -> None:
    """Show what is seen now; runs again by itself while the picture does."""
    if admission.over(stream):
        st.rerun()
    result, timeline = stream.result, stream.timeline
    if not stream.live:  # STOP was pressed; the component says so in a moment
        with _slots(None, None):
            st.info(_("The picture has ended."), icon=":material/stop_circle:")
        return
    if not stream.running or result is None or timeline is None:
        with _slots(None, None):
            _connecting()
        return
    own = visit().state(LivePicture)
    keep.update(stream, own)
    visit().state(QuietAlert).update(timeline)
    with _slots(stream, timeline):
        for line in (stream.error, keep.problem(stream)):
            if line:
                st.error(plain(line))
        now.show(result.faces, result.size_wh, stream.view, own.followed, timeline)
    with st.container(key="strip"):
        st.html(now.strip(result.faces, stream.view.group_only))
    layout.tell(_told(own, stream, result))
    if stream.names is not None and stream.names.error:
        no_names = _("No names: {why}").format(why=stream.names.error)
        st.warning(plain(no_names), icon=":material/person_off:")
    for note in notes(result):
        st.caption(f":material/zoom_in: {note}")


@contextmanager
def _slots(stream: LiveStream | None, timeline: Timeline | None) -> Iterator[None]:
    """Show the slots, each in its place and of its height; what is shown inside is the second.

    Args:
        stream: a picture that runs; None: there is none yet.
        timeline: what was read of it.
    """
    with st.container(key="counts", gap="small"):
        if stream is None or stream.result is None:
            st.metric(_("Faces in view"), "–")
        else:
            _counts(stream, stream.result, visit().state(QuietAlert).says)
    with st.container(key="now", height=NOW_PX, border=False):
        yield
    with st.container(key="minute", gap="small"):
        st.markdown(_("**The last minute**"))
        now_s = timeline.span_s[1] if timeline else 0.0
        window = (now_s - _LAST_S, now_s) if now_s > _LAST_S else (0.0, _LAST_S)
        nothing = np.zeros(0), np.zeros((0, len(EMOTIONS)), np.float32)
        readings = timeline.readings(_LAST_S) if timeline else nothing
        if stream is not None and stream.view.group_only:
            readings = of_groups(*readings)
        st.vega_lite_chart(
            *charts.minute(*readings, window, _markers(timeline)),
            key="minute chart",
            alt=_("Mean probabilities of all faces in view over the last minute"),
        )


def _markers(timeline: Timeline | None) -> list[tuple[float, str]]:
    return [(each.time_s, each.label) for each in timeline.markers] if timeline else []


def _counts(stream: LiveStream, result: FrameResult, alert: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        st.metric(_("Faces in view"), len(result.faces))
        with st.container(key="rates", horizontal=True, gap="medium"):
            st.metric(_("Pictures/s"), f"{stream.shown_per_s:.0f}")
            st.metric(_("Readings/s"), f"{stream.read_per_s:.0f}")
    if stream.labels_age_s > OLD_S:
        busy = _("This computer is busy: labels are {seconds} s old.")
        busy = busy.format(seconds=f"{stream.labels_age_s:.0f}")
        st.caption(f":material/hourglass_bottom: {busy}")
    elif stream.paused:
        paused = _("Paused: the camera stays on, its pictures are dropped.")
        st.caption(f":material/pause: {paused}")
    elif alert:
        st.caption(f":material/notifications: **{alert}**")
    elif not visit().state(LivePicture).is_example:
        _received(result.size_wh, asked_wh())


def _told(own: LivePicture, stream: LiveStream, result: FrameResult) -> str:
    """Return what a screen reader tells now; it changes at most every `_TELL_S`."""
    if monotonic() - own.said_s >= _TELL_S:
        says = _("Paused") if stream.paused else now.said(result.faces, stream.view.group_only)
        says = visit().state(QuietAlert).says or says
        if says != own.said:
            own.said, own.said_s = says, monotonic()
    return own.said


def _connecting() -> None:
    own = visit().state(LivePicture)
    if own.since_s is None or monotonic() - own.since_s <= _CONNECT_S:
        says = (
            _("Connecting to the example…") if own.is_example else _("Connecting to your camera…")
        )
        st.info(says, icon=":material/hourglass_top:")
        return
    st.warning(_(NO_CONNECTION), icon=":material/wifi_off:")
    # The callback opens it before the page runs; the page runs because of the rerun.
    if st.button(_("Open the connection check"), on_click=open_check, key="check from slot"):
        st.rerun()


def _received(size_wh: tuple[int, int], asked_wh: tuple[int, int]) -> None:
    """Say how large the camera's picture arrives, and where it is smaller than asked for."""
    (width, height), (asked_width, asked_height) = size_wh, asked_wh
    if width * height >= asked_width * asked_height:
        says = _("Received: {width} × {height}").format(width=width, height=height)
        st.caption(f":material/aspect_ratio: {says}")
    else:
        says = _("Received: {width} × {height}, less than the {asked} asked for").format(
            width=width, height=height, asked=f"{asked_width} × {asked_height}"
        )
        st.caption(
            f":material/aspect_ratio: {says}",
            help=_("Your line, your camera or your computer carries no more now."),
        )
