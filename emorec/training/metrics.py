"""How good a classifier is: accuracy, macro-F1, calibration, confusion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from emorec.model.evaluation import ClassQuality

Labels = npt.NDArray[np.int64]


def confusion(predicted: Labels, true: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Return the counts, int64 of shape (classes, classes): rows true, columns predicted."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def accuracy(predicted: Labels, true: Labels) -> float:
    """Return the share in [0, 1] that is right; NaN of nothing."""
    return float(np.mean(predicted == true)) if len(true) else float("nan")


def per_class(matrix: npt.NDArray[np.int64]) -> list[ClassQuality]:
    """Return how good each class is read.

    What has no example, or was never predicted, counts 0, as scikit-learn does by default.
    """
    right = np.diag(matrix).astype(float)
    true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    rows = []
    for i in range(len(matrix)):
        precision = right[i] / predicted[i] if predicted[i] else 0.0
        recall = right[i] / true[i] if true[i] else 0.0
        f1 = 2 * right[i] / (true[i] + predicted[i]) if true[i] + predicted[i] else 0.0
        rows.append(ClassQuality(precision=precision, recall=recall, f1=f1, n=int(true[i])))
    return rows


def macro_f1(predicted: Labels, true: Labels, classes: int) -> float:
    """Return the mean F1 over the classes that have an example, in [0, 1]."""
    rows = [row.f1 for row in per_class(confusion(predicted, true, classes)) if row.n]
    return float(np.mean(rows)) if rows else float("nan")


def ece(probs: npt.NDArray[np.floating], true: Labels, bins: int = 15) -> float:
    """Expected calibration error of the top label, in [0, 1] (C. Guo et al., ICML 2017).

    Args:
        probs: of shape (n, classes), rows summing to 1.
        true: of shape (n,).
        bins: equal in width over [0, 1].
    """
    if not len(true):
        return float("nan")
    sure = probs.max(axis=1)
    right = probs.argmax(axis=1) == true
    which = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [
        abs(sure[which == b].mean() - right[which == b].mean()) * np.mean(which == b)
        for b in range(bins)
        if (which == b).any()
    ]
    return float(np.sum(gaps))


def selective(
    probs: npt.NDArray[np.floating], true: Labels, threshold: float
) -> tuple[float, float]:
    """Return coverage and agreement in [0, 1] when only a confident guess is shown.

    Args:
        probs: of shape (n, classes), rows summing to 1.
        true: of shape (n,).
        threshold: confidence from which on the guess is shown.

    Returns:
        The share of faces that get a guess, and the share of those guesses that are right (0 where
        there are none).
    """
    sure = probs.max(axis=1) >= threshold
    right = probs.argmax(axis=1) == true
    return float(sure.mean()), float(right[sure].mean()) if sure.any() else 0.0
