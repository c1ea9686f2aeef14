"""Fits the head that gives the votes' answer: a linear layer on features that stay as they are.

A network's own FER+ head learned that people call two of three pictures neutral or
happy, and so it calls many a clear but rare expression neutral. This head learns from the same
votes, but the rarer an emotion is among them, the more each vote for it weighs. How far, and why a
head like this: ``benchmarks/training-log.md``, 2026-11-28.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.model.contract import write
from emorec.model.shown import FERPLUS_COLUMNS, Head, softmax
from emorec.model.store import EmotionModel
from emorec.training.data import FaceSet

RARITY_POWER = 0.5
"""A vote for an emotion weighs one over the emotion's share of all votes, to this power."""

L2 = 1e-3
"""Strength of the penalty on squared weights, for features scaled to a standard deviation of 1.
With a tenth or ten times of it, agreement with people moves by 0.2 points at most."""

LEAST_SHARE = 0.5
"""Share of a face's votes that must name one of ``EMOTIONS``; other faces teach nothing here. All
votes count, single ones too: without those the ReLU network calls 12.2 % of posed faces neutral,
with them 11.5 %."""

_STEPS = 200
_DECIMALS = 5  # of the numbers in the contract


def refit(model: EmotionModel, faces: FaceSet, say: Callable[[str], None] = print) -> EmotionModel:
    """Fit such a head on a model's features, and let its contract show that head's answer.

    Args:
        model: just exported, or to be refitted; to be calibrated afterwards.
        faces: that the network learned from. Without votes nothing changes.
        say: takes a line on what was fitted.

    Returns:
        The model with the head in its contract, which is written.
    """
    if faces.votes is None:
        return model
    shares = faces.votes[:, FERPLUS_COLUMNS] / np.maximum(faces.votes.sum(axis=1, keepdims=True), 1)
    counted = shares.sum(axis=1) >= LEAST_SHARE
    if not counted.any():
        return model
    faces, shares = faces.take(counted), shares[counted]
    head = fit_head(model.outputs(faces.faces)["features"], shares)
    say(
        f"Refitted the votes' head on the features of {len(faces)} faces:"
        f" {head.weights.size + head.biases.size} numbers."
    )
    numbers = {
        "weights": head.weights.T.astype(float).round(_DECIMALS).tolist(),
        "biases": head.biases.astype(float).round(_DECIMALS).tolist(),
    }
    model.contract = replace(model.contract, head=numbers, blend=1.0, prior_power=0.0)
    write(model.contract, model.file.with_suffix(".json"))
    return model


def fit_head(
    features: npt.NDArray[np.float32],
    shares: npt.NDArray[np.floating],
    rarity_power: float = RARITY_POWER,
    l2: float = L2,
) -> Head:
    """Fit a multinomial logistic regression.

    Args:
        features: float32 of shape (n, size).
        shares: of each face's votes that went to each of ``EMOTIONS``, of shape (n, 7).
        rarity_power: as ``RARITY_POWER``; an emotion that no voter named weighs nothing.
        l2: as ``L2``.
    """
    from scipy.optimize import minimize

    mean, spread = features.mean(axis=0), features.std(axis=0) + np.float32(1e-6)
    x = (features - mean) / spread
    common = shares.sum(axis=0) / shares.sum()
    weighed = shares * np.where(common > 0, np.maximum(common, 1e-9) ** -rarity_power, 0)
    targets = (weighed / weighed.sum()).astype(np.float32)
    masses = targets.sum(axis=1, keepdims=True)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights, biases = np.split(flat.astype(np.float32).reshape(-1, len(EMOTIONS)), [-1])
        probs = softmax(x @ weights + biases)
        logs = np.log(np.maximum(probs, np.finfo(np.float32).tiny))
        wrong = masses * probs - targets
        slope = np.concatenate([x.T @ wrong + l2 * weights, wrong.sum(axis=0, keepdims=True)])
        value = -np.sum(targets * logs, dtype=np.float64) + l2 / 2 * float(np.sum(weights**2))
        return float(value), slope.ravel().astype(np.float64)

    begun = np.zeros((features.shape[1] + 1) * len(EMOTIONS))
    found = minimize(loss, begun, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    weights, biases = np.split(found.x.reshape(-1, len(EMOTIONS)), [-1])
    weights = weights / spread[:, None]
    return Head(weights.astype(np.float32), (biases[0] - mean @ weights).astype(np.float32))
