"""Measures a person's calibration, and writes the result for the model card.

    python -m benchmarks.baseline --posed FOLDER --baseline FOLDER [--out models/calibration.json]

For every model in ``models/``: few-shot accuracy on clearly posed expressions (``posed.csv`` and
``posed.png`` as in `benchmarks.decision`, grouped by the column person), with examples from people
who are not tested. Each posed face, held for a minute: what the automatic baseline does to somebody
who is never at rest. And resting and changed faces of known people (``baseline.csv`` with the
columns file, person, condition, emotion, and ``images/``), read by the whole pipeline: alone, with
one resting picture of the person as baseline; and, by the model that ships, as a film: the resting
picture for some seconds, then the person's others, one after the other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.decision import _Keeping, _table, read_posed
from benchmarks.machine import machine
from emorec.calibration.baseline import FULL_S, Baselines, logarithms, shift_of
from emorec.emotions import EMOTIONS
from emorec.errors import DataError, EmorecError
from emorec.model import shelf
from emorec.model.store import EmotionModel, load, path_of
from emorec.model.typed_json import as_json
from emorec.paths import MODELS
from emorec.recognizer import EmotionRecognizer
from emorec.training import few_shot
from emorec.training.data import FaceSet

RESTING = ("normal", "noglasses", "glasses")
"""The conditions of which the first that a person has is the resting picture of the film."""

_REST_S, _PICTURE_S, _FPS = FULL_S + 2, 2.0, 2.0
_MINUTE = 120  # readings that are kept of a face: `emorec.calibration.baseline`


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write the file, print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posed", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--baseline", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=MODELS / shelf.CALIBRATION)
    args = parser.parse_args(argv)
    try:
        posed, rested = posed_faces(args.posed), rested_faces(args.baseline)
        measured = []
        for name in shelf.names():
            model = load(path_of(name))
            weights = {"name": name, "sha256": model.contract.files["tflite"]["sha256"]}
            measured.append(
                {
                    "model": weights,
                    "few_shot": [as_json(one) for one in few_shot.few_shot(model, posed)],
                    "held": held(model, posed),
                    "resting": [as_json(one) for one in few_shot.resting(model, rested)],
                }
            )
        films = {
            "without": film_counts(args.baseline, False),
            "with_baseline": film_counts(args.baseline, True),
        }
    except EmorecError as error:
        print(f"baseline: {error}", file=sys.stderr)
        return 2
    assert posed.people is not None and rested.people is not None
    report = machine() | {
        "command": "python -m benchmarks.baseline --posed FOLDER --baseline FOLDER",
        "posed_people": len(set(posed.people)),
        "posed_faces": len(posed),
        "resting_people": len(set(rested.people)),
        "draws": few_shot.DRAWS,
        "folds": few_shot.FOLDS,
        "models": measured,
        "films": films,
    }
    args.out.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))
    return 0


def held(model: EmotionModel, posed: FaceSet) -> dict[str, float]:
    """Return the accuracy on posed faces at once, and after each was held for a minute."""
    probs = model.classify(posed.faces)
    logs = logarithms(probs)
    calm = probs.argmax(axis=1) == EMOTIONS.index("neutral")
    moved = [
        own + shift_of(np.repeat(own[None], _MINUTE, axis=0)) if rests else own
        for own, rests in zip(logs, calm, strict=True)
    ]
    return {
        "without": float((probs.argmax(axis=1) == posed.labels).mean()),
        "with_baseline": float((np.argmax(moved, axis=1) == posed.labels).mean()),
    }


def film_counts(folder: Path, baseline: bool) -> dict[str, dict[str, int]]:
    """Return how many pictures of each emotion there were, and how many got that label."""
    engine = EmotionRecognizer()
    counts: dict[str, dict[str, int]] = {}
    table = _table(folder / "baseline.csv")
    for person in sorted({row["person"] for row in table}):
        own = {row["condition"]: row for row in table if row["person"] == person}
        resting = next((condition for condition in RESTING if condition in own), None)
        if resting is None:
            continue
        reader = engine.reader(
            "file", calibrate=Baselines() if baseline else None, readings_per_s=_FPS
        )
        rest = _picture(folder, own[resting]["file"])
        seconds = iter(np.arange(0.0, 1e4, 1 / _FPS))
        for time_s in _times(seconds, _REST_S):
            reader.read(rest, time_s)
        for condition, row in own.items():
            if condition == resting or not row["emotion"]:
                continue
            picture = _picture(folder, row["file"])
            for time_s in _times(seconds, _PICTURE_S):
                faces = reader.read(picture, time_s).faces
            count = counts.setdefault(row["emotion"], {"n": 0, "right": 0})
            count["n"] += 1
            said = max(faces, key=lambda face: face.box.width, default=None)
            count["right"] += int(said is not None and said.emotion == row["emotion"])
    return counts


def posed_faces(folder: Path) -> FaceSet:
    """Read the posed faces, with their people."""
    posed = read_posed(folder)
    people = [row["person"] for row in _table(folder / "posed.csv")]
    return FaceSet(posed.faces, posed.labels, people=np.array(people))


def rested_faces(folder: Path) -> FaceSet:
    """Find and cut out the face of each labelled picture, as the app does."""
    reader, faces, labels, people = _Keeping(), [], [], []
    for row in _table(folder / "baseline.csv"):
        face = reader.main_face(_picture(folder, row["file"])) if row["emotion"] else None
        if face is not None:
            faces.append(face)
            labels.append(EMOTIONS.index(row["emotion"]))
            people.append(row["person"])
    if not faces:
        raise DataError(f"{folder}: no face was found in it.")
    return FaceSet(np.array(faces), np.array(labels, np.int64), people=np.array(people))


def _picture(folder: Path, name: str) -> Any:
    picture = cv2.imread(str(folder / "images" / name))
    if picture is None:
        raise DataError(f"{folder}: {name} is no image that can be read.")
    return picture


def _times(seconds: Iterator[float], length_s: float) -> Iterator[float]:
    return (float(next(seconds)) for _ in range(round(length_s * _FPS)))


if __name__ == "__main__":
    sys.exit(main())
