"""From what the two heads say to what is shown: temperatures, a blend of both, a prior divided out.

FER2013's labels and the votes of FER+ are two answers to one question. A number in the contract,
``blend``, says how much of what is shown comes from the votes; `emorec.training.calibrate` fits it.
Another, ``prior_power``, says how far it is made up for that people call so many of the pictures
neutral or happy which the votes were learned from, and so few disgusted: whoever tries the app
makes a face at it (A. Menon et al., "Long-tail learning via logit adjustment", ICLR 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS

FERPLUS_NAMES = MappingProxyType(
    {
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "sad": "sadness",
        "surprise": "surprise",
        "neutral": "neutral",
    }
)
"""What FER+ calls each of ``EMOTIONS``; its eighth class, contempt, is none of them."""

FERPLUS_COLUMNS = tuple(FERPLUS_EMOTIONS.index(FERPLUS_NAMES[emotion]) for emotion in EMOTIONS)
"""Where each of ``EMOTIONS`` stands among ``FERPLUS_EMOTIONS``."""

PEOPLE_SHARES = np.array([0.0884, 0.0058, 0.0237, 0.2807, 0.1274, 0.1190, 0.3549], np.float32)
"""Share of each of ``EMOTIONS`` among the faces that the networks learned from, by FER+'s majority:
26,126 faces of FER2013's Training on which it is one of the seven."""

Probabilities = npt.NDArray[np.float32]


def shown(
    outputs: Mapping[str, Probabilities],
    temperatures: Mapping[str, float],
    blend: float,
    prior_power: float = 0.0,
) -> Probabilities:
    """Return what the app shows.

    Args:
        outputs: ``fer2013`` of shape (n, 7) and ``ferplus`` of shape (n, 8), probabilities.
        temperatures: of each head and of ``shown``, the blend: two distributions that each know
            how sure they are make one that is too modest where they agree.
        blend: share in [0, 1] of the FER+ head.
        prior_power: power in [0, 1] of ``PEOPLE_SHARES`` by which the blend is divided.

    Returns:
        Probabilities, float32 of shape (n, 7) in ``EMOTIONS`` order, each row summing to 1.
    """
    labels = tempered(outputs["fer2013"], temperatures["fer2013"])
    votes = as_emotions(tempered(outputs["ferplus"], temperatures["ferplus"]))
    blended = (1 - blend) * labels + blend * votes
    return tempered(blended / PEOPLE_SHARES**prior_power, temperatures["shown"])


def in_words(blend: float, prior_power: float = 0.0) -> str:
    """Return whose answer is shown, as the end of a sentence."""
    if blend == 0:
        whose = "the head that learned FER2013's labels"
    elif blend == 1:
        whose = "the head that learned the votes of FER+"
    else:
        whose = (
            f"a blend: {blend:.0%} of the head that learned the votes of FER+, "
            f"{1 - blend:.0%} of the one that learned FER2013's labels"
        )
    if prior_power:
        whose += f", divided by how common each emotion is among those votes to the {prior_power:g}"
    return whose


def tempered(probs: Probabilities, temperature: float) -> Probabilities:
    """Return ``softmax(log(probs) / temperature)``: above 1 is less sure (C. Guo et al., 2017)."""
    scaled = np.log(np.maximum(probs, np.finfo(np.float32).tiny)) / np.float32(temperature)
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def as_emotions(ferplus: Probabilities) -> Probabilities:
    """Return FER+ probabilities of shape (n, 8) as (n, 7): contempt dropped, the rest scaled up."""
    # A face that is all contempt says nothing of the other seven, but must still say something.
    kept = np.maximum(ferplus[:, FERPLUS_COLUMNS], np.finfo(np.float32).tiny)
    return (kept / kept.sum(axis=1, keepdims=True)).astype(np.float32)
