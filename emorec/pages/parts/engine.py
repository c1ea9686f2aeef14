"""What all visitors share: engines, classifiers and the room; and each visitor's chosen model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from emorec import monitoring
from emorec.live.pace import Pace
from emorec.live.room import Room, places
from emorec.live.shared import SharedClassifier
from emorec.model import choice
from emorec.model.store import DEFAULT_NAME, WithFeatures, path_of
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.visit import State, visit
from emorec.recognizer import EmotionRecognizer
from emorec.words import _


@dataclass
class ChosenModel(State):
    """Which model this visitor's pages use, by its name."""

    outlives_consent = True  # it says nothing of any picture

    name: str = DEFAULT_NAME


def recognizer() -> EmotionRecognizer:
    """Return the engine of the model that this visitor chose; the first call loads it for all.

    It reads photos and videos; live pictures are read by `live_recognizer`.

    Raises:
        EmorecError: a model file or a setting is missing or wrong; the next call tries again.
    """
    file = _file(chosen())
    if file in _loaded:
        return _engine(file)
    with st.spinner(_("Loading the model…")):
        return _engine(file)


def live_recognizer() -> EmotionRecognizer:
    """Return the engine that reads this visitor's live pictures from the next START on.

    It is that of `recognizer`, unless the default model is too slow here (`choice.for_live`).

    Raises:
        EmorecError: as `recognizer`.
    """
    return _engine(_file(live_name()))


def live_classifier() -> SharedClassifier:
    """Return the classifier that all live sessions on this visitor's live engine share."""
    return _classifier(_file(live_name()))


def live_name() -> str:
    """Return the name of the model that reads this visitor's live pictures.

    Raises:
        EmorecError: as `recognizer`.
    """
    return choice.for_live(recognizer().model) if chosen() == DEFAULT_NAME else chosen()


def chosen() -> str:
    """Return the name of the model that this visitor's pages use."""
    return visit().state(ChosenModel).name


def choose(name: str) -> None:
    """Let this visitor's pages use another model; photos are read again by it.

    A live session that has ended keeps its summary; the next START takes the new model.
    """
    visit().state(ChosenModel).name = name


@st.cache_resource(show_spinner=False)
def room() -> Room:
    """Return the room of all live sessions; its places follow EMOREC_MAX_LIVE or the cores."""
    room = Room(places(deployment().max_live))
    monitoring.LIVE_PLACES.set(room.places)
    monitoring.LIVE_SESSIONS.set_function(lambda: room.live)
    return room


@st.cache_resource(show_spinner=False)
def pace() -> Pace:
    """Return how many pictures a second every visitor gets."""
    return Pace()


@st.cache_resource(show_spinner=False)
def _classifier(model_file: str) -> SharedClassifier:
    return SharedClassifier(WithFeatures(_engine(model_file).model))


# Streamlit's own spinner would be in one language for all visitors.
_loaded: set[str] = set()


@st.cache_resource(show_spinner=False)
def _engine(model_file: str) -> EmotionRecognizer:
    engine = EmotionRecognizer(Path(model_file), deployment().settings)
    _loaded.add(model_file)
    return engine


def _file(name: str) -> str:
    return str(path_of(name, deployment().runtime))
