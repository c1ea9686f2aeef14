"""The network in training: one step, its state, and what it learns from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.model.network import FACE_SIDE, build_network
from emorec.training.augment import blend, vary
from emorec.training.data import FaceSet
from emorec.training.files import arrays_of, replace_whole
from emorec.training.recipe import Recipe


class _SGD(keras.optimizers.SGD):
    """SGD whose averaged weights stay beside the raw ones.

    Keras's `fit` ends by writing the average over the weights; called once an epoch, it would
    throw away most of what each epoch learned.
    """

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        del var_list

    def assign_averages(self, variables: list[keras.Variable]) -> None:
        super().finalize_variable_values(variables)


def constant(model: keras.Model, value: npt.NDArray) -> keras.Variable:
    """Return a value as part of a model's graph, of its own dtype, that no training changes."""
    return model.add_weight(
        shape=value.shape,
        dtype=str(value.dtype),
        initializer=lambda shape, dtype=None: ops.convert_to_tensor(value),
        trainable=False,
        autocast=False,
    )


class Trainee(keras.Model):
    """The network in training: takes row numbers, gives its guesses and what was asked for."""

    def __init__(self, faces: FaceSet, recipe: Recipe) -> None:
        super().__init__(name="trainee")
        side = FACE_SIDE if recipe.network == "seed" else None
        self.network = build_network(recipe.network, side, dtype="float32")
        self.recipe = recipe
        self.side = recipe.sides[0]
        self.seeds = keras.random.SeedGenerator(recipe.seed)
        self.faces = constant(self, faces.faces)
        targets, votes = lessons(faces, recipe)
        self.views = targets.shape[1]
        self.targets, self.votes = (
            constant(self, lesson.reshape(-1, lesson.shape[-1])) for lesson in (targets, votes)
        )
        self.framings = None
        if faces.framings is not None:
            self.framings = constant(self, faces.framings.reshape(-1, faces.framings.shape[-1]))
        steps = max(len(faces) // recipe.batch, 1)
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=max(int(steps * (recipe.epochs - recipe.warmup_epochs)), 1),
            warmup_target=recipe.learning_rate,
            warmup_steps=max(int(steps * recipe.warmup_epochs), 1),
        )
        whole = steps * recipe.epochs if recipe.steps is None else recipe.steps
        # An average over more than a sixth of a run would still hold the first, raw weights.
        ema = max(min(recipe.ema, 1 - 6 / whole), 0.0)
        optimizer = _SGD(
            schedule,
            momentum=0.9,
            nesterov=True,
            weight_decay=recipe.weight_decay,
            name="sgd",
            use_ema=True,
            ema_momentum=ema,
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.compile(optimizer)
        optimizer.build(self.network.trainable_variables)

    def call(self, rows: Any, training: bool = False) -> dict[str, Any]:
        how = self.recipe.augmentation
        faces, framings = ops.take(self.faces, rows, axis=0), None
        if self.framings is not None:
            view = keras.random.randint(ops.shape(rows), 0, self.views, seed=self.seeds)
            rows = rows * self.views + view
            framings = ops.take(self.framings, rows, axis=0)
        faces = vary(faces, self.side, how, self.seeds, framings)
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
            cross_entropy(y_pred["targets"], y_pred["fer2013"])
            + cross_entropy(y_pred["votes"], y_pred["ferplus"])
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
        replace_whole(file, lambda part: np.savez(part, **arrays))

    def restore(self, file: Path) -> list[dict[str, float]]:
        """Take the state up again and return the history so far."""
        with arrays_of(file) as arrays:
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


def lessons(
    faces: FaceSet, recipe: Recipe
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the target of each head for each face: smoothed labels, and shares of the votes.

    With teachers, a target is the mean of this and of their predictions, weighted by their shares:
    so the cross entropy is the weighted mean of both.

    Returns:
        float32 of shape (n, views, 7) and (n, views, 8), one view where there are no teachers; a
        row of zeros teaches nothing.
    """
    classes, smoothing = len(EMOTIONS), recipe.label_smoothing
    targets = np.eye(classes, dtype=np.float32)[faces.labels]
    targets = targets * np.float32(1 - smoothing) + np.float32(smoothing / classes)
    votes = (
        np.zeros((len(faces), len(FERPLUS_EMOTIONS)), np.float32)
        if faces.votes is None
        else vote_shares(faces.votes)
    )
    targets, votes = targets[:, None], votes[:, None]
    if faces.taught is None:
        return targets, votes
    share = np.float32(recipe.teaching)
    by_labels, by_votes = faces.taught[..., :classes], faces.taught[..., classes:]
    # Where the voters named no class, the teachers' predictions alone are the target.
    own = votes.any(axis=-1, keepdims=True) * (1 - share)
    return (1 - share) * targets + share * by_labels, own * votes + (1 - own) * by_votes


def vote_shares(votes: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the FER+ votes as distributions over its 8 classes, float32 of shape (n, 8).

    A single vote counts as a mistake, as for the authors of FER+. A row where most said "unknown"
    or "no face", or where nothing is left, is all zeros: it teaches nothing.
    """
    classes = len(FERPLUS_EMOTIONS)
    kept = np.where(votes > 1, votes, 0).astype(np.float32)
    named = kept[:, :classes].sum(axis=1, keepdims=True)
    other = kept[:, classes:].sum(axis=1, keepdims=True)
    usable = (named > 0) & (named >= other)
    return np.divide(kept[:, :classes], named, out=np.zeros_like(kept[:, :classes]), where=usable)


def cross_entropy(wanted: Any, said: Any) -> Any:
    """Return the mean cross entropy of probabilities of shape (n, classes); rows of 0 count 0."""
    return -ops.mean(ops.sum(wanted * ops.log(ops.clip(said, 1e-7, 1.0)), axis=-1))
