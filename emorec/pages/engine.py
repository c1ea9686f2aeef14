"""The engines that all pages and visitors share, and which of them a visitor's pages use."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from emorec.model.store import DEFAULT_NAME, path_of
from emorec.recognizer import EmotionRecognizer

_CHOICE = "model"


def recognizer() -> EmotionRecognizer:
    """Return the engine of this visitor's choice, loaded at the first call for everyone.

    Raises:
        EmorecError: a model file or a setting is missing or wrong; the next call tries again.
    """
    return _engine(str(path_of(chosen())))


def chosen() -> str:
    """Return the name of the model that this visitor's pages use."""
    return str(st.session_state.get(_CHOICE, DEFAULT_NAME))


def choose(name: str) -> None:
    """Let this visitor's pages use another model; photos that the former one read are forgotten.

    A live session that has ended keeps its summary; the next START takes the new model.
    """
    st.session_state[_CHOICE] = name
    for key in [key for key in st.session_state if str(key).endswith(" read")]:
        del st.session_state[key]


@st.cache_resource(show_spinner="Loading the model…")
def _engine(model_file: str) -> EmotionRecognizer:
    return EmotionRecognizer(Path(model_file))
