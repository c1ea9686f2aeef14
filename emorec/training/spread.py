"""Measures how a network's features spread among faces of one emotion (`emorec.model.spread`).

    python -m emorec.training.spread --data fer2013.csv [--ferplus fer2013new.csv]

`emorec train` does so for the network that it makes; this program does it again for every model in
``models/``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.model import shelf, spread
from emorec.model.spread import Spread
from emorec.model.store import EmotionModel, load, path_of
from emorec.training import data
from emorec.training.data import FaceSet

SHRINKAGE = 0.15
"""Share of the covariance that its mean variance in all directions replaces. With 0.05 or 0.3,
few-shot accuracy differs by a point at most (benchmarks/training-log.md, 2026-11-28)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every model in ``models/`` and write its file; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FILE")
    parser.add_argument("--ferplus", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    try:
        splits = data.load(args.data, args.ferplus)
        tests = [faces for split, faces in splits.items() if split != "Training"]
        if "Training" not in splits:
            raise EmorecError(f"{args.data}: no Training faces in it.")
        training = data.without_faces_of(splits["Training"], *tests)
        for name in shelf.names():
            measure(load(path_of(name)), training)
    except EmorecError as error:
        print(f"spread: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def measure(model: EmotionModel, faces: FaceSet) -> None:
    """Measure how a model's features spread over these faces, and write it beside the model.

    Args:
        model: whose features.
        faces: that the network learned from, by what most people said of each; without votes by
            their labels.
    """
    labels, counted = faces.labels, np.ones(len(faces), bool)
    if faces.votes is not None:
        labels, counted = faces.people_labels()
    features = model.outputs(faces.faces[counted])["features"]
    spread.write(model.file, model.contract, fit(features, labels[counted]))


def fit(features: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> Spread:
    """Return how features of shape (n, size) spread within the emotions of these labels."""
    named = [emotion for emotion in range(len(EMOTIONS)) if (labels == emotion).any()]
    means = np.zeros((len(EMOTIONS), features.shape[1]))
    for emotion in named:
        means[emotion] = features[labels == emotion].mean(axis=0)
    rest = features - means[labels]
    covariance = rest.T @ rest / len(rest)
    mean_variance = max(np.trace(covariance) / len(covariance), 1e-9)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * mean_variance * np.eye(len(covariance))
    variances, directions = np.linalg.eigh(covariance)
    return Spread(
        means[named].mean(axis=0).astype(np.float32),
        (directions / np.sqrt(variances)).astype(np.float32),
    )


if __name__ == "__main__":
    sys.exit(main())
