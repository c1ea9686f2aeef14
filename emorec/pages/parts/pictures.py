"""A single shot with the visitor's camera, read and shown like a photo."""

from __future__ import annotations

import streamlit as st

from emorec.pages.parts import opened, reading, totals
from emorec.pages.parts.deployment import deployment
from emorec.recognizer import EmotionRecognizer
from emorec.words import _


def single_shot(key: str, engine: EmotionRecognizer, detector: str, names: bool = False) -> None:
    """Offer a shot with the visitor's camera, and show what is read from it.

    Args:
        key: tells this place from the others that offer one.
        engine: of the model that reads it.
        detector: what finds the faces, one of ``DETECTORS``.
        names: whether to say whose faces they are.
    """
    # The browser asks for the camera as soon as the page shows it: not before the visitor wants it.
    if not st.toggle(_("Take a shot with the camera"), key=f"{key} camera"):
        reading.keep(key, [])
        return
    shot = st.camera_input(_("Shot"), key=f"{key} shot", label_visibility="collapsed")
    how = reading.How(engine, detector, names, deployment().group_only)
    if shot is None:
        reading.keep(key, [])
        return
    digest = reading.digest_of(shot)
    photo = reading.read(shot, digest, how)
    reading.keep(key, [how.key(digest)])
    if isinstance(photo, str):
        st.error(opened.broken(_("Shot"), photo), icon=":material/broken_image:")
    else:
        said = totals.said(photo.result.faces, how.group_only)
        st.header(_("Shot: {said}").format(said=said))
        opened.show(f"{key} shot", shot, photo, how.group_only)
