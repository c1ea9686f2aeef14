"""From what the two heads say to what is shown: temperatures, and a blend of both.

FER2013's labels and the votes of FER+ are two answers to one question. A number in the contract,
``blend``, says how much of what is shown comes from the votes; `emorec.training.calibrate` fits it.
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

Probabilities = npt.NDArray[np.float32]


def shown(
    outputs: Mapping[str, Probabilities], temperatures: Mapping[str, float], blend: float
) -> Probabilities:
    """Return what the app shows.

    Args:
        outputs: ``fer2013`` of shape (n, 7) and ``ferplus`` of shape (n, 8), probabilities.
        temperatures: of each head and of ``shown``, the blend: two distributions that each know
            how sure they are make one that is too modest where they agree.
        blend: share in [0, 1] of the FER+ head.

    Returns:
        Probabilities, float32 of shape (n, 7) in ``EMOTIONS`` order, each row summing to 1.
    """
    labels = tempered(outputs["fer2013"], temperatures["fer2013"])
    votes = as_emotions(tempered(outputs["ferplus"], temperatures["ferplus"]))
    return tempered((1 - blend) * labels + blend * votes, temperatures["shown"])


def in_words(blend: float) -> str:
    """Return whose answer is shown, as the end of a sentence."""
    if blend == 0:
        return "the head that learned FER2013's labels"
    if blend == 1:
        return "the head that learned the votes of FER+"
    return (
        f"a blend: {blend:.0%} of the head that learned the votes of FER+, "
        f"{1 - blend:.0%} of the one that learned FER2013's labels"
    )


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
