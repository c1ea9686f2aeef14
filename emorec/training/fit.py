"""Training: one run, one folder, resumable after any interruption.

The data stay on the device. A batch is a list of row numbers; gathering, augmentation, forward
and backward pass are one step, compiled where the backend compiles. Keras's own `fit` drives it, so
the same code runs on TensorFlow, JAX and PyTorch.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emorec.emotions import EMOTIONS
from emorec.errors import TrainingError
from emorec.model.network import FACE_SIDE, build_network
from emorec.training.data import FaceSet
from emorec.training.files import arrays_of, replace_whole
from emorec.training.metrics import accuracy, macro_f1
from emorec.training.plots import draw_curves
from emorec.training.progress import Progress
from emorec.training.recipe import Recipe, read_recipe
from emorec.training.trainee import Trainee


def train(
    training: FaceSet,
    validation: FaceSet,
    folder: Path,
    recipe: Recipe,
    resume: bool = False,
    say: Callable[[str], None] = print,
    start: keras.Model | None = None,
) -> keras.Model:
    """Train a network and keep the weights that did best on the validation faces.

    Args:
        training: faces to learn from; FER+ votes are used where they are there.
        validation: faces to choose by (FER2013's PublicTest).
        folder: receives ``settings.json``, ``history.csv``, ``curves.png``, ``last.npz`` (the
            state to resume from) and ``best.npz`` (the averaged weights, in Keras's order).
        recipe: how to train.
        resume: go on from ``last.npz`` with the same optimiser state and random streams.
        say: takes one line of progress an epoch.
        start: the network whose weights a new run begins with; None: random ones.

    Returns:
        The network with the best weights, as it takes faces of 48 pixels.

    Raises:
        TrainingError: the loss is no longer a number, there is nothing to resume, the folder
            holds a run already, or cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state_file, best_file = folder / "last.npz", folder / "best.npz"
    if resume and not state_file.is_file():
        raise TrainingError(f"{folder}: nothing to resume, last.npz is not there.")
    if not resume and state_file.is_file():
        raise TrainingError(f"{folder}: holds a run already; --resume goes on with it.")
    if resume:
        if read_recipe(folder) != recipe:
            raise TrainingError(f"{folder}: was begun with other settings; see its settings.json.")
    else:
        text = json.dumps(asdict(recipe), indent=1) + "\n"
        replace_whole(folder / "settings.json", lambda part: part.write_text(text))

    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        trainee = Trainee(training, recipe)
        shipped = build_network(recipe.network, FACE_SIDE)
    finally:
        keras.config.set_dtype_policy("float32")
    history = trainee.restore(state_file) if resume else []
    if start is not None and not resume:
        trainee.network.set_weights(start.get_weights())

    plan = _plan(recipe, len(training))
    first = len(history)
    progress = Progress(plan, first)
    for epoch, (side, steps) in list(enumerate(plan))[first:]:
        trainee.side = side
        if epoch == first or side != plan[epoch - 1][0]:
            trainee.make_train_function(force=True)
        progress.start(epoch)
        order = np.random.default_rng((recipe.seed, epoch)).permutation(len(training))
        logs = trainee.fit(
            order[: steps * recipe.batch].astype("int32"),
            batch_size=recipe.batch,
            shuffle=False,
            verbose=0,
            callbacks=[_StopOnNan(), progress],
        )
        row = {"epoch": epoch + 1, "side": side, "loss": logs.history["loss"][-1]}
        trainee.copy_averaged_weights_to(shipped)
        row |= validate(shipped, validation)
        if row["accuracy"] >= max((past["accuracy"] for past in history), default=0.0):
            replace_whole(best_file, lambda part: np.savez(part, *shipped.get_weights()))
        history.append(row)
        trainee.save(state_file, history)
        _write_history(folder, history)
        numbers = "  ".join(f"{key} {value:.4g}" for key, value in row.items())
        say(f"{numbers}  {progress.left(steps)} left")
    if resume:  # a kill between the state and its history leaves the latter one epoch behind
        _write_history(folder, history)
    with arrays_of(best_file) as arrays:
        shipped.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays))])
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


def _plan(recipe: Recipe, faces: int) -> list[tuple[int, int]]:
    """Return (side, steps) of every epoch; a trial's last epoch is cut short."""
    whole = max(faces // recipe.batch, 1)
    plan = [(side, whole) for side in recipe.sides]
    if recipe.steps is None:
        return plan
    left = [recipe.steps - epoch * whole for epoch in range(recipe.epochs)]
    return [(side, min(whole, n)) for (side, _), n in zip(plan, left, strict=True) if n > 0]


def _write_history(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    def write(part: Path) -> None:
        with part.open("w", newline="") as out:
            writer = csv.DictWriter(out, fieldnames=list(history[-1]))
            writer.writeheader()
            writer.writerows(history)

    replace_whole(folder / "history.csv", write)
    replace_whole(folder / "curves.png", lambda part: draw_curves(history, part))
