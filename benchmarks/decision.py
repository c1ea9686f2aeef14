"""Compares rules for the shown label, and writes the result for the model card.

    python -m benchmarks.decision --data fer2013.csv --ferplus fer2013new.csv --posed FOLDER
        --photos FOLDER [--out models/decision.json]

Measured for every model in ``models/``: agreement with people on FER2013's PublicTest; clearly
posed expressions, where neutral counts as wrong (``posed.csv`` with the columns index, person,
sequence, emotion, and ``posed.png``, faces of 48×48 pixels, 30 in a row); photographs read by the
whole pipeline (``photos.csv`` with the columns file, emotion, and ``images/``), each by its largest
readable face. Temperature and threshold of every rule are fitted as in `emorec train`.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.machine import machine
from emorec.emotions import EMOTIONS
from emorec.errors import DataError, EmorecError
from emorec.model import shelf
from emorec.model.network import FACE_SIDE
from emorec.model.runtime import Outputs
from emorec.model.shown import Head, shown
from emorec.model.store import EmotionModel, load, path_of
from emorec.paths import MODELS
from emorec.pipeline.smooth import label
from emorec.recognizer import EmotionRecognizer
from emorec.training import data, metrics
from emorec.training.calibrate import settle

SPLIT = "PublicTest"
RULES = ((0.0, 0.0), (0.7, 0.0), (1.0, 0.0), (1.0, 0.4), (1.0, 0.6), (1.0, 0.8), (1.0, 1.0))
"""Share of the FER+ head, and power of the prior divided out; the contract's rule is added."""

_A_ROW = 30
_NEUTRAL, _HAPPY = EMOTIONS.index("neutral"), EMOTIONS.index("happy")
Faces = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """Faces of shape (n, 48, 48) and what they are labelled as, indices into ``EMOTIONS``."""

    faces: Faces
    labels: Labels


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write the file, print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="fer2013.csv")
    parser.add_argument("--ferplus", type=Path, required=True, metavar="FILE")
    parser.add_argument("--posed", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--photos", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=MODELS / shelf.DECISION)
    args = parser.parse_args(argv)
    try:
        given = data.load(args.data, args.ferplus)[SPLIT]
        people, named = given.people_labels()
        posed, photos = read_posed(args.posed), read_photos(args.photos)
        models = [load(path_of(name)) for name in shelf.names()]
    except EmorecError as error:
        print(f"decision: {error}", file=sys.stderr)
        return 2
    judged = (Labelled(given.faces[named], people[named]), posed, photos)
    report = machine() | {
        "command": "python -m benchmarks.decision --data fer2013.csv --ferplus fer2013new.csv"
        " --posed FOLDER --photos FOLDER",
        "split": SPLIT,
        "counts": {
            "posed": len(posed.labels),
            "neutral": int((photos.labels == _NEUTRAL).sum()),
            "happy": int((photos.labels == _HAPPY).sum()),
        },
        "rules": [row for model in models for row in rows(model, *judged)],
    }
    args.out.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))
    return 0


def rows(
    model: EmotionModel, people: Labelled, posed: Labelled, photos: Labelled
) -> list[dict[str, Any]]:
    """Return what each of `RULES`, and what the contract says, is worth of one model."""
    own = model.contract
    sha256 = own.files[model.file.suffix[1:]]["sha256"]
    said = [model.outputs(some.faces) for some in (people, posed, photos)]
    ships = (own.blend, own.prior_power, own.linear)
    every = [(*rule, None) for rule in sorted({*RULES, *([] if own.linear else [ships[:2]])})]
    return [
        {
            "model": {"name": own.name, "sha256": sha256},
            "blend": blend,
            "prior_power": power,
            "refitted": head is not None,
            "ships": (blend, power, head) == ships,
            **worth(said, own.temperatures, blend, power, head, people, posed, photos),
        }
        for blend, power, head in [*every, *([ships] if own.linear else [])]
    ]


def worth(
    said: Sequence[Outputs],
    temperatures: Mapping[str, float],
    blend: float,
    prior_power: float,
    head: Head | None,
    people: Labelled,
    posed: Labelled,
    photos: Labelled,
) -> dict[str, Any]:
    """Return accuracy and macro-F1 (people), accuracy, recall, neutral (posed), shares (photos).

    Args:
        said: what both heads say of the three sets.
        temperatures: of both heads.
        blend: share of the votes' answer.
        prior_power: of the emotions' shares.
        head: gives the votes' answer; None: the FER+ head does.
        people: faces with what most people said.
        posed: expressions without neutral ones.
        photos: faces with what their photographs are labelled as.
    """
    own, unsure_below = settle(said[0], temperatures, blend, prior_power, head, people.labels)
    settled = {**temperatures, "shown": own}
    probs = [shown(outputs, settled, blend, prior_power, head) for outputs in said]
    top = [p.argmax(axis=1) for p in probs]
    per_class = metrics.per_class(metrics.confusion(top[1], posed.labels, len(EMOTIONS)))
    labels = np.array([label(row, unsure_below) or "unsure" for row in probs[2]])
    neutral, happy = (labels[photos.labels == emotion] for emotion in (_NEUTRAL, _HAPPY))
    return {
        "unsure_below": unsure_below,
        "people": {
            "accuracy": metrics.accuracy(top[0], people.labels),
            "macro_f1": metrics.macro_f1(top[0], people.labels, len(EMOTIONS)),
        },
        "posed": {
            "accuracy": metrics.accuracy(top[1], posed.labels),
            "recall": float(np.mean([row.recall for row in per_class if row.n])),
            "neutral": float(np.mean(top[1] == _NEUTRAL)),
        },
        "photos": {
            "neutral": float(np.isin(neutral, ("neutral", "unsure")).mean()),
            "happy": float((happy == "happy").mean()),
        },
    }


def read_posed(folder: Path) -> Labelled:
    """Read the posed faces.

    Raises:
        DataError: the folder does not hold them.
    """
    labels = [row["emotion"] for row in _table(folder / "posed.csv")]
    sheet = cv2.imread(str(folder / "posed.png"), cv2.IMREAD_GRAYSCALE)
    side = FACE_SIDE
    if sheet is None or sheet.shape[1] != _A_ROW * side or sheet.shape[0] % side:
        raise DataError(f"{folder}: expected posed.png, {_A_ROW} faces of {side} pixels a row.")
    faces = sheet.reshape(-1, side, _A_ROW, side).transpose(0, 2, 1, 3).reshape(-1, side, side)
    return Labelled(np.ascontiguousarray(faces[: len(labels)]), _indices(labels))


def read_photos(folder: Path) -> Labelled:
    """Find and cut out the main face of each photograph labelled neutral or happy, as the app does.

    Raises:
        DataError: the folder does not hold them.
    """
    reader = _Keeping()
    faces, labels = [], []
    for row in _table(folder / "photos.csv"):
        if row["emotion"] not in ("neutral", "happy"):
            continue
        photo = cv2.imread(str(folder / "images" / row["file"]))
        if photo is None:
            raise DataError(f"{folder}: {row['file']} is no image that can be read.")
        crop = reader.main_face(photo)
        if crop is not None:
            faces.append(crop)
            labels.append(row["emotion"])
    if not faces:
        raise DataError(f"{folder}: no face was found in it.")
    return Labelled(np.array(faces), _indices(labels))


class _Keeping:
    """A recognizer that keeps the faces which it cut out."""

    def __init__(self) -> None:
        self.engine = EmotionRecognizer()
        self._model = self.engine.model
        self.engine.model = self  # type: ignore[assignment]
        self.contract = self._model.contract
        self._faces: Faces | None = None

    def classify(self, faces_gray: Faces) -> npt.NDArray[np.float32]:
        self._faces = faces_gray.copy()
        return self._model.classify(faces_gray)

    def main_face(self, photo: Faces) -> Faces | None:
        found = [face for face in self.engine.analyze(photo).faces if face.classified]
        if not found or self._faces is None:
            return None
        sizes = [face.box.width * face.box.height for face in found]
        return self._faces[int(np.argmax(sizes))]


def _indices(labels: Sequence[str]) -> Labels:
    return np.array([EMOTIONS.index(name) for name in labels], dtype=np.int64)


def _table(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8") as rows_of:
            return list(csv.DictReader(rows_of))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV ({error}).") from error


if __name__ == "__main__":
    sys.exit(main())
