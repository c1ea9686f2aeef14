"""Training: one run, one folder, resumable after any interruption.

The data stay on the device. A batch is a list of row numbers; gathering, augmentation, forward
and backward pass are one step, compiled where the backend compiles. Keras's own `fit` drives it, so
the same code runs on TensorFlow, JAX and PyTorch.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.errors import TrainingError
from emorec.model.network import FACE_SIDE, build_network
from emorec.training.augment import Augmentation, blend, vary
from emorec.training.data import FaceSet
from emorec.training.metrics import accuracy, macro_f1


@dataclass(frozen=True)
class Recipe:
    """Everything that shapes a run, saved beside its weights.

    Attributes:
        network: one of `emorec.model.network.NETWORKS`.
        stages: (side in pixels, epochs) in order; growing sides save most of a CPU's time
            (J. Howard, DAWNBench 2018).
        batch: faces a step.
        learning_rate: the highest, after the warm-up; it falls along a cosine to nothing
            (I. Loshchilov and F. Hutter, ICLR 2017).
        weight_decay: decoupled; biases and normalisation are spared.
        label_smoothing: of FER2013's labels, which are noisy.
        ema: momentum of the averaged weights, which are the ones evaluated and kept.
        precision: Keras's dtype policy.
        seed: of the initial weights, the order of the faces and every random variation.
        steps: stop after so many steps (a trial of the machinery); None trains to the end.
    """

    network: str = "elu"
    stages: tuple[tuple[int, int], ...] = ((24, 20), (32, 15), (40, 10), (48, 5))
    batch: int = 128
    learning_rate: float = 0.1
    warmup_epochs: float = 2.0
    weight_decay: float = 5e-3
    label_smoothing: float = 0.1
    ema: float = 0.999
    precision: str = "float32"
    seed: int = 1
    steps: int | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def epochs(self) -> int:
        return sum(epochs for _, epochs in self.stages)

    def lasting(self, epochs: int | None) -> Recipe:
        """Return this recipe spread over so many epochs; None leaves it as it is."""
        stages = self.stages
        if self.network == "seed":  # it takes faces of its own size alone
            stages = ((FACE_SIDE, self.epochs),)
        if epochs is not None:
            ends = np.cumsum([count for _, count in stages]) * epochs / self.epochs
            counts = np.diff(np.rint(ends).astype(int), prepend=0)
            stages = tuple((side, int(n)) for (side, _), n in zip(stages, counts, strict=True))
        return replace(self, stages=stages)

    def side(self, epoch: int) -> int:
        """Return the side at which this epoch (from 0) trains."""
        for side, epochs in self.stages:
            if epoch < epochs:
                return side
            epoch -= epochs
        return FACE_SIDE


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
        trainee = _Trainee(training, recipe)
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
            _replace(best_file, shipped.save_weights)
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


def read_recipe(folder: Path) -> Recipe:
    """Return the settings that the run in this folder was begun with.

    Raises:
        TrainingError: there is no run in it.
    """
    file = folder / "settings.json"
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        settings["stages"] = tuple((side, epochs) for side, epochs in settings["stages"])
        settings["augmentation"] = Augmentation(**settings["augmentation"])
        return Recipe(**settings)
    except FileNotFoundError:
        raise TrainingError(f"{folder}: nothing to resume, settings.json is not there.") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{file}: is no run's settings ({error}).") from error


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


def vote_shares(votes: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the FER+ votes as distributions over its 8 classes, float32 of shape (n, 8).

    A single vote is taken for a slip, as the authors of FER+ do. A row where most said "unknown"
    or "no face", or where nothing is left, is all zeros: it teaches nothing.
    """
    classes = len(FERPLUS_EMOTIONS)
    kept = np.where(votes > 1, votes, 0).astype(np.float32)
    named = kept[:, :classes].sum(axis=1, keepdims=True)
    other = kept[:, classes:].sum(axis=1, keepdims=True)
    usable = (named > 0) & (named >= other)
    return np.divide(kept[:, :classes], named, out=np.zeros_like(kept[:, :classes]), where=usable)


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


class _SGD(keras.optimizers.SGD):
    """SGD whose averaged weights stay beside the raw ones.

    Keras's `fit` ends by writing the average over the weights; called once an epoch, it would
    throw away most of what each epoch learned.
    """

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        del var_list

    def assign_averages(self, variables: list[keras.Variable]) -> None:
        super().finalize_variable_values(variables)


class _Trainee(keras.Model):
    """The network in training: takes row numbers, gives its guesses and what was asked for."""

    def __init__(self, faces: FaceSet, recipe: Recipe) -> None:
        super().__init__(name="trainee")
        side = FACE_SIDE if recipe.network == "seed" else None
        self.network = build_network(recipe.network, side, dtype="float32")
        self.recipe = recipe
        self.side = FACE_SIDE
        self.seeds = keras.random.SeedGenerator(recipe.seed)
        targets = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
        votes = (
            np.zeros((len(faces), len(FERPLUS_EMOTIONS)), np.float32)
            if faces.votes is None
            else vote_shares(faces.votes)
        )
        self.faces = self._constant(faces.faces)
        smoothing = recipe.label_smoothing
        self.targets = self._constant(targets * (1 - smoothing) + smoothing / len(EMOTIONS))
        self.votes = self._constant(votes)
        steps = max(len(faces) // recipe.batch, 1)
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=max(int(steps * (recipe.epochs - recipe.warmup_epochs)), 1),
            warmup_target=recipe.learning_rate,
            warmup_steps=max(int(steps * recipe.warmup_epochs), 1),
        )
        optimizer = _SGD(
            schedule,
            momentum=0.9,
            nesterov=True,
            weight_decay=recipe.weight_decay,
            name="sgd",
            use_ema=True,
            ema_momentum=recipe.ema,
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.compile(optimizer)
        optimizer.build(self.network.trainable_variables)

    def _constant(self, value: npt.NDArray) -> keras.Variable:
        return self.add_weight(
            shape=value.shape,
            dtype=str(value.dtype),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(value),
            trainable=False,
            autocast=False,
        )

    def call(self, rows: Any, training: bool = False) -> dict[str, Any]:
        how = self.recipe.augmentation
        faces = vary(ops.take(self.faces, rows, axis=0), self.side, how, self.seeds)
        batch = (faces, ops.take(self.targets, rows, axis=0), ops.take(self.votes, rows, axis=0))
        if how.mixup:
            batch = blend(self.seeds, how.mixup, *batch)
        faces, targets, votes = batch
        said = self.network(faces[..., None], training=training)
        return {**said, "targets": targets, "votes": votes}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        del x, y, sample_weight, training
        return (
            _cross_entropy(y_pred["targets"], y_pred["fer2013"])
            + _cross_entropy(y_pred["votes"], y_pred["ferplus"])
        ) / 2

    def copy_averaged_weights_to(self, network: keras.Model) -> None:
        raw = self.network.get_weights()
        self.optimizer.assign_averages(self.network.trainable_variables)
        network.set_weights(self.network.get_weights())
        self.network.set_weights(raw)

    def save(self, file: Path, history: list[dict[str, float]]) -> None:
        """Write all that the next step depends on, in one file that is whole or not there."""
        arrays = {f"network_{i}": w for i, w in enumerate(self.network.get_weights())}
        arrays |= {
            f"optimizer_{i}": ops.convert_to_numpy(v)
            for i, v in enumerate(self.optimizer.variables)
        }
        # Dropout draws from generators of its own, which are variables but not weights.
        arrays |= {f"seed_{i}": ops.convert_to_numpy(v) for i, v in enumerate(self._seed_states())}
        arrays["history"] = np.array(json.dumps(history))
        _replace(file, lambda part: np.savez(part, **arrays))

    def restore(self, file: Path) -> list[dict[str, float]]:
        """Take the state up again and return the history so far."""
        with np.load(file) as arrays:
            count = len(self.network.weights)
            self.network.set_weights([arrays[f"network_{i}"] for i in range(count)])
            for name, variables in (
                ("optimizer", self.optimizer.variables),
                ("seed", self._seed_states()),
            ):
                for i, variable in enumerate(variables):
                    variable.assign(arrays[f"{name}_{i}"])
            return json.loads(str(arrays["history"]))

    def _seed_states(self) -> list[keras.Variable]:
        weights = {id(weight) for weight in self.weights}
        return [v for v in self.variables if id(v) not in weights]


def _cross_entropy(wanted: Any, said: Any) -> Any:
    return -ops.mean(ops.sum(wanted * ops.log(ops.clip(said, 1e-7, 1.0)), axis=-1))


def _replace(file: Path, write: Callable[[Path], Any]) -> None:
    """Write a file so that a crash or a full disk leaves the previous one as it was."""
    part = file.with_name(f"part.{file.name}")
    try:
        write(part)
        with part.open("r+b") as done:
            os.fsync(done.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _write_history(file: Path, history: list[dict[str, float]]) -> None:
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(history[-1]))
        writer.writeheader()
        writer.writerows(history)
