"""The emotions: their names, order, colours and valence.

The order is FER2013's (I. Goodfellow et al., "Challenges in Representation Learning", ICML 2013
workshop). No other module defines names or an order of emotions.
"""

from __future__ import annotations

from types import MappingProxyType

from emorec.words import N_

EMOTIONS = (
    N_("angry"),
    N_("disgust"),
    N_("fear"),
    N_("happy"),
    N_("sad"),
    N_("surprise"),
    N_("neutral"),
)
"""The seven labels of FER2013; the index of each is its code in the data set. They are English in
all data; what shows them to people translates them."""

FERPLUS_EMOTIONS = (
    "neutral",
    N_("happiness"),
    "surprise",
    N_("sadness"),
    N_("anger"),
    "disgust",
    "fear",
    N_("contempt"),
)
"""The eight classes of FER+ (E. Barsoum et al., ICMI 2016), in the order of its columns."""

UNSURE = N_("unsure")
"""Shown in place of a label if the evidence is too weak for one; it is no emotion."""

COLORS = MappingProxyType(
    {
        "angry": "#e5484d",
        "disgust": "#7fb03a",
        "fear": "#a878f0",
        "happy": "#f5b301",
        "sad": "#4c8df6",
        "surprise": "#f2803a",
        "neutral": "#8fa3b5",
        UNSURE: "#9a9a9a",
    }
)
"""sRGB of each emotion and of ``unsure``; easy to distinguish on light and dark backgrounds."""

VALENCE = MappingProxyType(
    {
        "angry": -1.0,
        "disgust": -1.0,
        "fear": -1.0,
        "happy": 1.0,
        "sad": -1.0,
        "surprise": 0.0,
        "neutral": 0.0,
    }
)
"""Whether an emotion is pleasant (1) or unpleasant (-1): the sign of its position on the pleasure
axis of J. A. Russell, "A circumplex model of affect" (1980). Surprise can be either: 0."""


def rgb(label: str) -> tuple[int, int, int]:
    """Return the colour of an emotion, or of ``unsure``, as three values in 0..255."""
    value = int(COLORS[label].removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255
