"""What a model is worth on labelled faces, as numbers and as a table."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from emorec.emotions import EMOTIONS
from emorec.model.contract import write
from emorec.model.store import EmotionModel
from emorec.training import metrics
from emorec.training.data import FaceSet

_WARM_UP_FACES = 32


def evaluate(model: EmotionModel, faces: FaceSet) -> dict[str, Any]:
    """Measure a model against FER2013's labels.

    Returns:
        What `emorec evaluate --json` prints: ``n``, ``accuracy``, ``macro_f1`` and ``ece`` in
        [0, 1], ``per_class`` (precision, recall, f1, n of each emotion), ``confusion`` (rows true,
        columns predicted, in the order of ``labels``), ``ms_per_face`` in batches, ``model`` (name,
        sha256), ``labels``.
    """
    model.classify(faces.faces[:_WARM_UP_FACES])
    began = time.perf_counter()
    probs = model.classify(faces.faces)
    took_ms = (time.perf_counter() - began) * 1000
    predicted = probs.argmax(axis=1)
    matrix = metrics.confusion(predicted, faces.labels, len(EMOTIONS))
    sha256 = model.contract.files[model.file.suffix.removeprefix(".")]["sha256"]
    return {
        "n": len(faces),
        "accuracy": metrics.accuracy(predicted, faces.labels),
        "macro_f1": metrics.macro_f1(predicted, faces.labels, len(EMOTIONS)),
        "ece": metrics.ece(probs, faces.labels),
        "per_class": dict(zip(EMOTIONS, metrics.per_class(matrix), strict=True)),
        "confusion": matrix.tolist(),
        "ms_per_face": took_ms / len(faces),
        "model": {"name": model.contract.name, "sha256": sha256},
        "labels": list(EMOTIONS),
    }


def record(model: EmotionModel, split: str, evaluation: dict[str, Any]) -> None:
    """Write what was measured on a split into the model's contract."""
    numbers = {name: evaluation[name] for name in ("n", "accuracy", "macro_f1", "ece")}
    measured = {**model.contract.metrics, split: numbers}
    write(replace(model.contract, metrics=measured), model.file.with_suffix(".json"))


def readable(evaluation: dict[str, Any], split: str) -> str:
    """Return the numbers as lines of text: the whole, each emotion, what is taken for what."""
    lines = [
        f"{evaluation['model']['name']} on {evaluation['n']} faces of {split}",
        "accuracy {accuracy:.2%}   macro-F1 {macro_f1:.3f}   calibration error {ece:.3f}   "
        "{ms_per_face:.2f} ms a face\n".format_map(evaluation),
        f"{'':<10}{'faces':>7}{'precision':>11}{'recall':>8}{'F1':>7}   taken for (%)",
        f"{'':<46}" + "".join(f"{label[:8]:>9}" for label in evaluation["labels"]),
    ]
    for label, row in zip(evaluation["labels"], evaluation["confusion"], strict=True):
        numbers = evaluation["per_class"][label]
        shares = (f"{100 * count / max(numbers['n'], 1):>9.0f}" for count in row)
        lines.append(
            f"{label:<10}{numbers['n']:>7}{numbers['precision']:>11.3f}{numbers['recall']:>8.3f}"
            f"{numbers['f1']:>7.3f}   " + "".join(shares)
        )
    return "\n".join(lines)
