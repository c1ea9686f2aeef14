"""The choice of the detector, the same on every page that reads pictures."""

from __future__ import annotations

import streamlit as st

from emorec.pages.parts.language import worded
from emorec.pipeline.detect import shortcoming
from emorec.recognizer import EmotionRecognizer
from emorec.settings import DETECTORS
from emorec.words import N_, _

NAMES = {
    "auto": N_("BlazeFace: a neural network (recommended)"),
    "haar": N_("Haar: OpenCV's cascade"),
}
"""What the visitor reads for each of ``DETECTORS``."""

_HELP = N_(
    "**BlazeFace** finds small, tilted, turned and dark faces too, and how far each is tilted; a"
    " second network confirms them.  \n"
    "**Haar** finds upright faces that look towards the camera, and sometimes takes a thing for a"
    " face."
)


def choose_detector(engine: EmotionRecognizer, key: str, locked: bool = False) -> str:
    """Show the choice and return the name of the detector chosen, one of ``DETECTORS``.

    Args:
        engine: its settings say which is chosen at first.
        key: of the control.
        locked: whether it cannot be changed now, as a live picture runs.
    """
    name = st.selectbox(
        _("Faces found by"),
        DETECTORS,
        format_func=lambda name: _(NAMES[name]),
        key=worded(key, engine.settings.detector),
        persist_state="session",
        disabled=locked,
        help=f"{_(_HELP)}  \n{_('Takes effect at the next START.')}" if locked else _(_HELP),
    )
    if note := shortcoming(name):
        st.warning(note, icon=":material/visibility_off:")
    return name
