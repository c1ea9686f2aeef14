"""What all visitors share: the engines, their classifiers and the room; who uses which engine."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from emorec import monitoring
from emorec.live.room import Room, places
from emorec.live.shared import SharedClassifier
from emorec.model import shelf
from emorec.model.choice import cost_of_a_face, for_live
from emorec.model.store import DEFAULT_NAME, SMALL_NAME, path_of
from emorec.recognizer import EmotionRecognizer

_CHOICE = "model"


def recognizer() -> EmotionRecognizer:
    """Return the engine that reads this visitor's photos, loaded at the first call for everyone.

    Raises:
        EmorecError: a model file or a setting is missing or wrong; the next call tries again.
    """
    return _engine(str(path_of(chosen() or DEFAULT_NAME)))


def live() -> tuple[EmotionRecognizer, SharedClassifier]:
    """Return the engine of this visitor's next live session, and what reads faces on it for all.

    Raises:
        EmorecError: as `recognizer`.
    """
    file = str(path_of(live_name()))
    return _engine(file), _classifier(file)


def live_name() -> str:
    """Return the name of the model that reads this visitor's live pictures.

    The one that was chosen; else that which this machine carries, found out once for everyone.
    """
    return chosen() or _carried(str(path_of()))


def chosen() -> str | None:
    """Return the name of the model that this visitor wants on every page; None chose none."""
    return st.session_state.get(_CHOICE)


def choose(name: str | None) -> None:
    """Let this visitor's pages use another model; photos that the former one read are forgotten.

    A live session that has ended keeps its summary; the next START takes the new model.

    Args:
        name: of the model; None leaves the choice to the machine again.
    """
    st.session_state[_CHOICE] = name
    for key in [key for key in st.session_state if str(key).endswith(" read")]:
        del st.session_state[key]


@st.cache_resource(show_spinner=False)
def room() -> Room:
    """Return the room that all live sessions share, as large as the deployer or the cores say.

    Raises:
        EmorecError: ``EMOREC_MAX_LIVE`` is wrong.
    """
    room = Room(places())
    monitoring.LIVE_PLACES.set(room.places)
    monitoring.LIVE_SESSIONS.set_function(lambda: room.live)
    return room


@st.cache_resource(show_spinner=False)
def _carried(model_file: str) -> str:
    larger = Path(model_file).stem
    if SMALL_NAME not in shelf.names():
        return larger
    return for_live(larger, SMALL_NAME, lambda name: cost_of_a_face(_engine(model_file).model))


@st.cache_resource(show_spinner=False)
def _classifier(model_file: str) -> SharedClassifier:
    return SharedClassifier(_engine(model_file).model)


@st.cache_resource(show_spinner="Loading the model…")
def _engine(model_file: str) -> EmotionRecognizer:
    return EmotionRecognizer(Path(model_file))
