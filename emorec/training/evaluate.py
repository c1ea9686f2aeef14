"""How good a model is on labelled faces, as numbers and as a table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from emorec.calibration.examples import Corrector
from emorec.emotions import EMOTIONS
from emorec.errors import DataError
from emorec.model import contract, evaluation
from emorec.model.contract import LABELS
from emorec.model.evaluation import Evaluation, Measured, MeasuredShown, Quality, Weights
from emorec.model.runtime import Outputs
from emorec.model.shown import shown, tempered
from emorec.model.store import EmotionModel
from emorec.training import metrics
from emorec.training.data import FaceSet

_WARM_UP_FACES = 32


def evaluate(model: EmotionModel, faces: FaceSet, split: str, flip: bool = False) -> Evaluation:
    """Measure a model against FER2013's labels and, where there are votes, against people.

    Args:
        model: to measure.
        faces: of one split.
        split: its name.
        flip: average what is said of each face with what is said of its mirror image.

    Returns:
        Without ``with_flip`` and ``corrupted``, and without votes only the FER2013 head.

    Raises:
        DataError: there are votes, but on no face do most people name one of the seven emotions.
    """
    outputs, ms_per_face = _read(model, faces.faces, flip)
    settings = model.contract
    common = _common(model, split, flip, ms_per_face)
    probs = {head: tempered(outputs[head], settings.temperatures[head]) for head in LABELS}
    fer2013 = Measured(
        what="fer2013", **common, **_measure(probs["fer2013"], faces.labels, LABELS["fer2013"])
    )
    if faces.votes is None:
        return Evaluation(fer2013=fer2013)
    majority, counted = faces.ferplus_labels()
    people, named = faces.people_labels()
    if not named.any():
        raise DataError(f"On no face of {split} do most people name one of {', '.join(EMOTIONS)}.")
    ferplus = Measured(
        what="ferplus",
        **common,
        **_measure(probs["ferplus"][counted], majority[counted], LABELS["ferplus"]),
    )
    shown = MeasuredShown(what="shown", **common, **_shown(model, outputs, people, named))
    return Evaluation(fer2013=fer2013, ferplus=ferplus, shown=shown)


def evaluate_shown(
    model: EmotionModel,
    faces: FaceSet,
    split: str,
    flip: bool = False,
    corrector: Corrector | None = None,
) -> MeasuredShown:
    """Measure what the app shows against the data's own labels, for faces without people's votes.

    Args:
        model: to measure.
        faces: of one split.
        split: its name.
        flip: as in `evaluate`.
        corrector: of a person's examples; None: nothing is corrected.

    Returns:
        Without ``with_flip``.
    """
    outputs, ms_per_face = _read(model, faces.faces, flip)
    every = np.ones(len(faces), bool)
    return MeasuredShown(
        what="shown by labels",
        **_common(model, split, flip, ms_per_face),
        **_shown(model, outputs, faces.labels, every, corrector),
    )


def record(
    model: EmotionModel,
    split: str,
    plain: Evaluation,
    flipped: Evaluation,
    corrupted: Mapping[str, float],
) -> None:
    """Keep what was measured on a split beside the model, and its short form in the contract.

    Args:
        model: that was measured.
        split: on which faces.
        plain: what `evaluate` gave.
        flipped: what it gave with ``flip``.
        corrupted: what `emorec.training.corruptions.evaluate_corrupted` gave.
    """
    kept: dict[str, Any] = {
        name: replace(measured, with_flip=_quality(flipped.answers()[name]))
        for name, measured in plain.answers().items()
    }
    kept["fer2013"] = replace(kept["fer2013"], corrupted=dict(corrupted))
    evaluations = evaluation.read(model.file) | {split: Evaluation(**kept)}
    evaluation.write(model.file, evaluations)
    numbers = {"n": plain.fer2013.n, **asdict(_quality(plain.fer2013))}
    metrics_so_far = {**model.contract.metrics, split: numbers}
    model.contract = replace(model.contract, metrics=metrics_so_far)
    contract.write(model.contract, model.file.with_suffix(".json"))


def readable(measured: Measured) -> str:
    """Return the numbers as lines of text: the whole, each class, what is taken for what."""
    mirrored = ", averaged with their mirror images" if measured.flip else ""
    width = max(len(label) for label in measured.labels) + 2
    lines = [
        f"{measured.model.name} on {measured.n} faces of {measured.split}{mirrored}:",
        str(measured.answer),
        "   ".join(
            (
                f"accuracy {measured.accuracy:.2%}",
                f"macro-F1 {measured.macro_f1:.3f}",
                f"calibration error {measured.ece:.3f}",
                f"{measured.ms_per_face:.2f} ms a face",
            )
        ),
        f"says neutral of {measured.said_neutral:.1%}, the labels of {measured.true_neutral:.1%}",
    ]
    if isinstance(measured, MeasuredShown):
        lines.append(
            f"labels {measured.coverage:.1%} of the faces (unsure below"
            f" {measured.unsure_below:.2f}); {measured.agreement:.1%} of those labels are right"
        )
    taken_for = "".join(f"{label[:8]:>9}" for label in measured.labels)
    lines += [
        "",
        f"{'':<{width}}{'faces':>7}{'precision':>11}{'recall':>8}{'F1':>7}   taken for (%)",
        f"{'':<{width + 36}}{taken_for}",
    ]
    for label, row in zip(measured.labels, measured.confusion, strict=True):
        quality = measured.per_class[label]
        shares = (f"{100 * count / max(quality.n, 1):>9.0f}" for count in row)
        lines.append(
            f"{label:<{width}}{quality.n:>7}{quality.precision:>11.3f}"
            f"{quality.recall:>8.3f}{quality.f1:>7.3f}   " + "".join(shares)
        )
    return "\n".join(lines)


def _quality(measured: Measured) -> Quality:
    return Quality(accuracy=measured.accuracy, macro_f1=measured.macro_f1, ece=measured.ece)


def _read(model: EmotionModel, faces: npt.NDArray[np.uint8], flip: bool) -> tuple[Outputs, float]:
    """Return the untempered probabilities of each head, and the milliseconds that a face took."""
    model.outputs(faces[:_WARM_UP_FACES])
    began = time.perf_counter()
    outputs = model.outputs(faces)
    if flip:
        mirrored = model.outputs(faces[:, :, ::-1])
        half = np.float32(0.5)
        outputs = {name: half * (said + mirrored[name]) for name, said in outputs.items()}
    return outputs, (time.perf_counter() - began) * 1000 / len(faces)


def _common(model: EmotionModel, split: str, flip: bool, ms_per_face: float) -> dict[str, Any]:
    file = model.contract.files[model.file.suffix.removeprefix(".")]
    return {
        "split": split,
        "flip": flip,
        "ms_per_face": ms_per_face,
        "model": Weights(name=model.contract.name, sha256=file["sha256"]),
    }


def _shown(
    model: EmotionModel,
    outputs: Outputs,
    true: npt.NDArray[np.int64],
    counted: npt.NDArray[np.bool_],
    corrector: Corrector | None = None,
) -> dict[str, Any]:
    """Return what is shown of such outputs as it measures against what is true, where it counts."""
    own = model.contract
    probs = shown(outputs, own.temperatures, own.blend, own.prior_power, own.linear)[counted]
    if corrector is not None:
        probs = corrector(np.concatenate([probs, outputs["features"][counted]], axis=1))
    coverage, agreement = metrics.selective(probs, true[counted], own.unsure_below)
    return {
        **_measure(probs, true[counted], list(EMOTIONS)),
        **{name: getattr(own, name) for name in evaluation.SETTINGS},
        "coverage": coverage,
        "agreement": agreement,
    }


def _measure(
    probs: npt.NDArray[np.float32], true: npt.NDArray[np.int64], labels: list[str]
) -> dict[str, Any]:
    predicted = probs.argmax(axis=1)
    matrix = metrics.confusion(predicted, true, len(labels))
    neutral = labels.index("neutral")
    return {
        "n": len(true),
        "accuracy": metrics.accuracy(predicted, true),
        "macro_f1": metrics.macro_f1(predicted, true, len(labels)),
        "ece": metrics.ece(probs, true),
        "said_neutral": float(np.mean(predicted == neutral)),
        "true_neutral": float(np.mean(true == neutral)),
        "labels": tuple(labels),
        "per_class": dict(zip(labels, metrics.per_class(matrix), strict=True)),
        "confusion": tuple(tuple(row) for row in matrix.tolist()),
    }
