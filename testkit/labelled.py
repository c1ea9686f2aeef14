"""Labelled faces in the files that `emorec train` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emorec.emotions import FERPLUS_EMOTIONS
from emorec.model.shown import FERPLUS_COLUMNS
from emorec.training.data import FaceSet

_RANDOM = np.random.default_rng(0)


def some_faces(n: int) -> FaceSet:
    """Return pictures of noise, labelled in turn."""
    faces = _RANDOM.integers(0, 256, (n, 48, 48)).astype(np.uint8)
    return FaceSet(faces, np.arange(n, dtype=np.int64) % 7)


def as_csv(path: Path, splits: dict[str, FaceSet]) -> Path:
    """Write faces as fer2013.csv has them."""
    lines = ["emotion,pixels,Usage"]
    for usage, faces in splits.items():
        for face, label in zip(faces.faces, faces.labels, strict=True):
            lines.append(f"{label},{' '.join(map(str, face.ravel()))},{usage}")
    path.write_text("\n".join(lines) + "\n")
    return path


def as_votes(path: Path, splits: dict[str, FaceSet]) -> Path:
    """Write votes as fer2013new.csv has them: ten people who all name the face's label."""
    lines = [f"Usage,Image name,{','.join(FERPLUS_EMOTIONS)},unknown,NF"]
    for usage, faces in splits.items():
        for column in np.array(FERPLUS_COLUMNS)[faces.labels]:
            votes = 10 * np.eye(10, dtype=int)[column]
            lines.append(f"{usage},face.png,{','.join(map(str, votes))}")
    path.write_text("\n".join(lines) + "\n")
    return path
