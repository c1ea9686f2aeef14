"""From what a network gives to what is shown.

FER2013's labels and the votes of FER+ are two answers to one question. A number in the contract,
``blend``, says how much of what is shown comes from the votes. People call most of these pictures
neutral or happy and few disgusted, but a user of the app makes a face at it. So the votes' answer
comes from a `Head` that is fitted on the network's features with the rare emotions weighted up
(`emorec.training.head`). A contract without such a head takes the network's own FER+ head and
divides the emotions' shares out, to the power of ``prior_power`` (A. Menon et al., "Long-tail
learning via logit adjustment", ICLR 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.words import _, numeral

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


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A linear layer with softmax on the network's features.

    Attributes:
        weights: float32 of shape (features, 7), in ``EMOTIONS`` order.
        biases: float32 of shape (7,).
    """

    weights: npt.NDArray[np.float32]
    biases: npt.NDArray[np.float32]

    def __call__(self, features: npt.NDArray[np.float32]) -> Probabilities:
        """Return probabilities, float32 of shape (n, 7), of features of shape (n, features)."""
        return softmax(features @ self.weights + self.biases)


def shown(
    outputs: Mapping[str, Probabilities],
    temperatures: Mapping[str, float],
    blend: float,
    prior_power: float = 0.0,
    head: Head | None = None,
) -> Probabilities:
    """Return what the app shows.

    Args:
        outputs: ``fer2013`` of shape (n, 7) and ``ferplus`` of shape (n, 8), probabilities; with a
            ``head`` also ``features`` of shape (n, features).
        temperatures: of each head and of ``shown``, the blend: two distributions that each know
            how sure they are make one that is too modest where they agree.
        blend: share in [0, 1] of the votes' answer.
        prior_power: power in [0, 1] of ``PEOPLE_SHARES`` by which the blend is divided.
        head: gives the votes' answer; None: the network's FER+ head does.

    Returns:
        Probabilities, float32 of shape (n, 7) in ``EMOTIONS`` order, each row summing to 1.
    """
    labels = tempered(outputs["fer2013"], temperatures["fer2013"])
    if head is None:
        votes = as_emotions(tempered(outputs["ferplus"], temperatures["ferplus"]))
    else:
        votes = head(outputs["features"])
    blended = (1 - blend) * labels + blend * votes
    return tempered(blended / PEOPLE_SHARES**prior_power, temperatures["shown"])


def in_words(blend: float, prior_power: float = 0.0, refitted: bool = False) -> str:
    """Return whose answer is shown, as the end of a sentence; refitted: by a `Head`."""
    votes = _("learned the votes of FER+")
    if refitted:
        votes = _("was refitted to the votes of FER+ with rare emotions weighted up")
    if blend == 0:
        whose = _("the head that learned FER2013's labels")
    elif blend == 1:
        whose = _("the head that {votes}").format(votes=votes)
    else:
        whose = _(
            "a blend: {share} of the head that {votes}, {rest} of the one that learned FER2013's"
            " labels"
        ).format(share=f"{blend:.0%}", votes=votes, rest=f"{1 - blend:.0%}")
    if prior_power:
        whose += _(
            ", divided by how common each emotion is among those votes to the {power}"
        ).format(power=numeral(f"{prior_power:g}"))
    return whose


def tempered(probs: Probabilities, temperature: float) -> Probabilities:
    """Return ``softmax(log(probs) / temperature)``: above 1 is less sure (C. Guo et al., 2017)."""
    scaled = np.log(np.maximum(probs, np.finfo(np.float32).tiny)) / np.float32(temperature)
    return softmax(scaled)


def softmax(logits: npt.NDArray[np.floating]) -> Probabilities:
    """Return probabilities, float32 of shape (n, classes), of logits of the same shape."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def as_emotions(ferplus: Probabilities) -> Probabilities:
    """Return FER+ probabilities of shape (n, 8) as (n, 7): contempt dropped, the rest scaled up."""
    # A face that is all contempt says nothing of the other seven, but must still say something.
    kept = np.maximum(ferplus[:, FERPLUS_COLUMNS], np.finfo(np.float32).tiny)
    return (kept / kept.sum(axis=1, keepdims=True)).astype(np.float32)
