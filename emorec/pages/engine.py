"""The one engine that all pages and visitors share."""

from __future__ import annotations

import streamlit as st

from emorec.recognizer import EmotionRecognizer


@st.cache_resource(show_spinner="Loading the model…")
def recognizer() -> EmotionRecognizer:
    """Return the engine, loaded at the first call.

    Raises:
        EmorecError: a model file or a setting is missing or wrong; the next call tries again.
    """
    return EmotionRecognizer()
