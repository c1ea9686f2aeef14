"""Training: one run, one folder, resumable after any interruption.

The data stay on the device. A batch is a list of row numbers; gathering, augmentation, forward
and backward pass are one step, compiled where the backend compiles. Keras's own `fit` drives it, so
the same code runs on TensorFlow, JAX and PyTorch.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emorec.emotions import EMOTIONS
from emorec.errors import TrainingError
from emorec.model.network import FACE_SIDE, build_network
from emorec.training.data import FaceSet
from emorec.training.files import replace_whole
from emorec.training.metrics import accuracy, macro_f1
from emorec.training.recipe import Recipe
from emorec.training.trainee import Trainee


def train(
    training: FaceSet,
    validation: FaceSet,
    folder: Path,
    recipe: Recipe,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> keras.Model:
    """Train a network and keep the weights that did best on the validation faces.

    Args:
        training: faces to learn from; FER+ votes are used where they are there.
        validation: faces to choose by (FER2013's PublicTest).
        folder: receives ``settings.json``, ``history.csv``, ``last.npz`` (the state to resume
            from) and ``best.weights.h5``.
        recipe: how to train.
        resume: go on from ``last.npz`` with the same optimiser state and random streams.
        say: takes one line of progress an epoch.

    Returns:
        The network of 48 pixels with the best weights.

    Raises:
        TrainingError: the loss is no longer a number, there is nothing to resume, or the folder
            holds a run already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state_file, best_file = folder / "last.npz", folder / "best.weights.h5"
    if resume and not state_file.is_file():
        raise TrainingError(f"{folder}: nothing to resume, last.npz is not there.")
    if not resume and state_file.is_file():
        raise TrainingError(f"{folder}: holds a run already; --resume goes on with it.")
    settings = json.loads(json.dumps(asdict(recipe)))
    if resume and json.loads((folder / "settings.json").read_text()) != settings:
        raise TrainingError(f"{folder}: was begun with other settings; see its settings.json.")
    (folder / "settings.json").write_text(json.dumps(settings, indent=1) + "\n")

    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        trainee = Trainee(training, recipe)
        shipped = build_network(recipe.network, FACE_SIDE)
    finally:
        keras.config.set_dtype_policy("float32")
    history = trainee.restore(state_file) if resume else []

    first, began = len(history), time.monotonic()
    for epoch in range(first, recipe.epochs):
        trainee.side = recipe.side(epoch)
        if epoch == first or trainee.side != recipe.side(epoch - 1):
            trainee.make_train_function(force=True)
        order = np.random.default_rng((recipe.seed, epoch)).permutation(len(training))
        whole = max(len(order) // recipe.batch, 1)
        left = whole if recipe.steps is None else min(whole, recipe.steps - epoch * whole)
        if left <= 0:
            break
        order = order[: left * recipe.batch].astype("int32")
        logs = trainee.fit(
            order,
            batch_size=recipe.batch,
            shuffle=False,
            verbose=0,
            callbacks=[_StopOnNan(), *([_Bar()] if sys.stderr.isatty() else [])],
        )
        row = {"epoch": epoch + 1, "side": trainee.side, "loss": logs.history["loss"][-1]}
        trainee.copy_averaged_weights_to(shipped)
        row |= validate(shipped, validation)
        if row["accuracy"] >= max((past["accuracy"] for past in history), default=0.0):
            replace_whole(best_file, shipped.save_weights)
        history.append(row)
        trainee.save(state_file, history)
        _write_history(folder / "history.csv", history)
        numbers = "  ".join(f"{key} {value:.4g}" for key, value in row.items())
        # The time of an epoch goes with the pixels of its faces.
        pixels = [recipe.side(i) ** 2 for i in range(recipe.epochs)]
        rate = (time.monotonic() - began) / sum(pixels[first : epoch + 1])
        say(f"{numbers}  {sum(pixels[epoch + 1 :]) * rate / 60:.0f} min left")
    shipped.load_weights(best_file)
    return shipped


def validate(network: keras.Model, faces: FaceSet) -> dict[str, float]:
    """Return accuracy and macro-F1 of the FER2013 head, and the FER+ head's accuracy with votes."""
    said = network.predict(faces.faces[..., None], batch_size=256, verbose=0)
    numbers = {
        "accuracy": accuracy(said["fer2013"].argmax(1), faces.labels),
        "macro_f1": macro_f1(said["fer2013"].argmax(1), faces.labels, len(EMOTIONS)),
    }
    if faces.votes is not None:
        majority, counted = faces.ferplus_labels()
        numbers["ferplus"] = accuracy(said["ferplus"].argmax(1)[counted], majority[counted])
    return numbers


class _StopOnNan(keras.callbacks.Callback):
    """End the run at the step whose loss is no number, before its weights are kept."""

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if logs and not np.isfinite(float(logs["loss"])):
            step = int(self.model.optimizer.iterations)
            raise TrainingError(
                f"The loss is not a number at step {step}; the last good weights are kept. "
                "A lower learning rate may help."
            )


class _Bar(keras.callbacks.Callback):
    """A bar on a terminal's standard error while an epoch runs, gone when it ends."""

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        done = int(30 * (batch + 1) / self.params["steps"])
        line = f"\r{'█' * done}{'░' * (30 - done)} {batch + 1} of {self.params['steps']} steps"
        sys.stderr.write(f"{line}, loss {float((logs or {}).get('loss', float('nan'))):.3f} ")
        sys.stderr.flush()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _write_history(file: Path, history: list[dict[str, float]]) -> None:
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(history[-1]))
        writer.writeheader()
        writer.writerows(history)
