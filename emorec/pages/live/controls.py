"""What the visitor sets of a live picture: privacy on the stage, all else in a popover."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from emorec.drawing.overlay import Show
from emorec.live.frame import View
from emorec.live.stream import LiveStream
from emorec.pages.live import calibration, keep
from emorec.pages.live.camera import choose_source, mirrors
from emorec.pages.live.connection import POPOVER, connection_check
from emorec.pages.live.quiet import choose as choose_alert
from emorec.pages.live.reader import NextReader
from emorec.pages.live.stage import RESOLUTIONS
from emorec.pages.live.state import stream_names
from emorec.pages.parts import naming
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.detector import choose_detector
from emorec.pages.parts.language import worded
from emorec.pages.parts.report import edit_markers
from emorec.settings import Settings
from emorec.words import _, language

_LONGEST_SMOOTHING_S = 3.0  # of the slider, unless the deployer chose more
_SMALLEST_FACES_PX = (16, 24, 32, 48, 64, 96, 128, 200)


def show(stream: LiveStream, reader: NextReader, rtc: dict[str, Any], active: bool) -> str:
    """Let the visitor set what is shown; every change holds from the next frame on.

    Only the camera and the detector, whose name is returned, wait for the next START.
    """
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    blur = row.toggle(_("Blur faces"), key="blur", persist_state="session")
    group_only = _group_only(row)
    with row.popover(
        _("Settings"), icon=":material/tune:", key=POPOVER, on_change="rerun", width="content"
    ):
        mirror = st.toggle(_("Mirror"), value=True, key="mirror", persist_state="session")
        bars = st.toggle(
            _("All probabilities on the picture"),
            key="bars",
            persist_state="session",
            disabled=blur or group_only,
            help=_("Bars beside each face where there is room, for up to 15 faces."),
        )
        choose_alert(st)
        choose_source(locked=active)
        stream.settings = _reading(reader, active)
        reader.settings = stream.settings
        named = naming.choose("live names", off=blur or group_only)
        stream.names = names = stream_names() if named else None
        reader.calibration.kept = names.examples_of if names else None
        calibration.show(stream, reader, off=blur or group_only)
        connection_check(stream, rtc, active)
    if active:
        _markers(row, stream)
    shown: Show = "blur" if blur else "all" if bars else "label"
    stream.view = View(shown, mirror and mirrors(), group_only, language())
    if blur:
        st.caption(
            _(
                "Only frames that were searched are shown, with every face found made "
                "unrecognisable. A face that the detector misses is not blurred: in full profile, "
                "or with less than a third of it in the picture."
            )
        )
    return stream.settings.detector


def _markers(row: Any, stream: LiveStream) -> None:
    """Let the visitor name what was marked, while the picture runs."""
    markers = stream.timeline.markers if stream.timeline else ()
    with row.popover(
        _("Markers ({n})").format(n=len(markers)),
        icon=":material/flag:",
        key="markers",
        disabled=not markers,
        width="content",
    ):
        if markers:
            edit_markers(markers, "live", partial(keep.change_marker, stream))


def _group_only(row: Any) -> bool:
    """Return whether totals alone are shown: the visitor's choice, unless the deployer's."""
    says = _("Totals alone: no colour, word, number, name or record of a single face.")
    if deployment().group_only:
        says = f"{says}  \n{_('This server shows nothing else.')}"
        row.toggle(_("Group only"), value=True, key="group only", disabled=True, help=says)
        return True
    chosen: bool = row.toggle(_("Group only"), key="group_only", persist_state="session", help=says)
    return chosen


def _reading(reader: NextReader, active: bool) -> Settings:
    """Let the visitor set how pictures are taken and read."""
    settings = reader.engine.settings  # what the deployer chose
    left, right = st.columns(2)
    smoothing_s = left.slider(
        _("Smoothing (s)"),
        0.0,
        max(_LONGEST_SMOOTHING_S, settings.smoothing_s),
        settings.smoothing_s,
        0.1,
        key="smoothing",
        persist_state="session",
    )
    chosen_px = settings.min_face_px
    min_face_px = right.select_slider(
        _("Smallest face (px)"),
        sorted({0, *_SMALLEST_FACES_PX, chosen_px or 0}),
        format_func=lambda side_px: str(side_px or _("Auto")),
        key=worded("min_face", chosen_px or 0),
        help=_("**Auto**: what suits the picture; smaller where no face is found."),
        persist_state="session",
    )
    st.selectbox(
        _("Picture size"),
        list(RESOLUTIONS),
        key="resolution",
        persist_state="session",
        disabled=active,
        help=_("Takes effect at the next start."),
    )
    detector = choose_detector(reader.engine, "live detector", locked=active)
    return Settings(min_face_px or None, smoothing_s=smoothing_s, detector=detector)
