"""`emorec compress`: from a trained network to a smaller one that says nearly the same.

The smaller one begins with what the larger one knows (`emorec.training.halves`), then learns to
answer as it does: both see the same random view of a face, another each time (L. Beyer et al.,
"Knowledge distillation: A good teacher is patient and consistent", CVPR 2022). The lesson is the
larger one's probabilities, with a fifth of labels and votes, and its features (A. Romero et al.,
"FitNets", ICLR 2015).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from emorec.errors import TrainingError
from emorec.model.network import FACE_SIDE, build_network
from emorec.training.augment import Augmentation, vary
from emorec.training.data import FaceSet
from emorec.training.fit import validate
from emorec.training.halves import take_over
from emorec.training.trainee import constant, cross_entropy, vote_shares

FITTED_ON = 400
"""Training faces whose patches weigh the error of the halves."""

LABELS_SHARE = 0.2
"""Of labels and votes in what is learned; the rest is what the larger network says."""

_SPREAD_OF = 1024  # faces over which the features' variance is measured
_WARMUP_STEPS = 200


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How the smaller network learns from the larger one.

    Attributes:
        epochs: over all Training faces, each in a new view.
        batch: faces a step.
        learning_rate: the highest, after the warm-up; it falls along a cosine to nothing.
        weight_decay: decoupled; biases are spared.
        seed: of the order of the faces and of their views.
        precision: Keras's dtype policy.
        steps: stop after so many (a trial of the machinery); None learns to the end.
    """

    epochs: int = 50
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    seed: int = 1
    precision: str = "float32"
    steps: int | None = None


def compress(
    source: keras.Model,
    kind: str,
    training: FaceSet,
    validation: FaceSet,
    lesson: Lesson,
    start: keras.Model | None = None,
    say: Callable[[str], None] = print,
) -> keras.Model:
    """Compress a network, and let the smaller one learn from it.

    Args:
        source: the network, as it takes faces of 48 pixels.
        kind: which of `emorec.model.network.NETWORKS` it is.
        training: faces to learn from.
        validation: faces to tell the progress by; nothing is chosen by them.
        lesson: how.
        start: a network compressed from it before, with more channels between the halves, to begin
            with; None: the smaller one begins with the network itself.
        say: takes one line of progress.

    Returns:
        The smaller network, as it takes faces of 48 pixels.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    order = np.random.default_rng(lesson.seed)
    fitted_on = order.permutation(len(training))[:FITTED_ON]
    small = build_network("small")
    take_over(small, source if start is None else start, training.faces[fitted_on])
    say(f"compressed: {_measured(small, validation)}")
    keras.config.set_dtype_policy(lesson.precision)
    try:
        teacher, pupil = build_network(kind), build_network("small")
        teacher.set_weights(source.get_weights())
        pupil.set_weights(small.get_weights())
        learner = _Learner(teacher, pupil, training, lesson)
    finally:
        keras.config.set_dtype_policy("float32")
    whole = max(len(training) // lesson.batch, 1)
    left = lesson.steps or whole * lesson.epochs
    for epoch in range(lesson.epochs):
        steps = min(whole, left)
        rows = order.permutation(len(training))[: steps * lesson.batch].astype("int32")
        logs = learner.fit(rows, batch_size=lesson.batch, shuffle=False, verbose=0).history
        if not np.isfinite(logs["loss"][-1]):
            raise TrainingError("The loss is not a number; a lower learning rate may help.")
        small.set_weights(pupil.get_weights())
        say(f"epoch {epoch + 1}: loss {logs['loss'][-1]:.4f}, {_measured(small, validation)}")
        left -= steps
        if not left:
            break
    return small


class _Learner(keras.Model):
    """Both networks in one step: takes row numbers, gives what each says of the same views."""

    def __init__(
        self, teacher: keras.Model, pupil: keras.Model, faces: FaceSet, lesson: Lesson
    ) -> None:
        super().__init__(name="learner")
        teacher.trainable = False
        self.teacher, self.pupil = teacher, pupil
        self.seeds = keras.random.SeedGenerator(lesson.seed)
        votes = np.zeros((len(faces), pupil.output["ferplus"].shape[-1]), np.float32)
        if faces.votes is not None:
            votes = vote_shares(faces.votes)
        labels = np.eye(pupil.output["fer2013"].shape[-1], dtype=np.float32)[faces.labels]
        self.faces, self.labels, self.votes = (
            constant(self, value) for value in (faces.faces, labels, votes)
        )
        features = teacher.predict(faces.faces[:_SPREAD_OF, ..., None], verbose=0)["features"]
        self.variance = constant(self, features.var(axis=0) + np.float32(1e-6))
        steps = max(len(faces) // lesson.batch, 1) * lesson.epochs
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=max(steps - _WARMUP_STEPS, 1),
            warmup_target=lesson.learning_rate,
            warmup_steps=_WARMUP_STEPS,
        )
        optimizer = keras.optimizers.AdamW(
            schedule, weight_decay=lesson.weight_decay, beta_2=0.99, name="adamw"
        )
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.compile(optimizer)

    def call(self, rows: Any, training: bool = False) -> dict[str, Any]:
        faces = ops.take(self.faces, rows, axis=0)
        views = ops.cast(ops.round(vary(faces, FACE_SIDE, Augmentation(), self.seeds)), "uint8")
        labels, votes = (ops.take(of, rows, axis=0) for of in (self.labels, self.votes))
        taught = self.teacher(views[..., None], training=False)
        voted = LABELS_SHARE * ops.sum(votes, axis=-1, keepdims=True)  # 0 where no voter named one
        wanted = {
            "fer2013": (1 - LABELS_SHARE) * taught["fer2013"] + LABELS_SHARE * labels,
            "ferplus": (1 - voted) * taught["ferplus"] + LABELS_SHARE * votes,
            "features": taught["features"],
        }
        said = self.pupil(views[..., None], training=training)
        return {**said, **{f"{name} wanted": ops.stop_gradient(of) for name, of in wanted.items()}}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        del x, y, sample_weight, training
        apart = y_pred["features"] - y_pred["features wanted"]
        answers = [
            cross_entropy(y_pred[f"{head} wanted"], y_pred[head]) for head in ("fer2013", "ferplus")
        ]
        return sum(answers) / 2 + ops.mean(ops.square(apart) / self.variance)


def _measured(network: keras.Model, validation: FaceSet) -> str:
    return ", ".join(f"{name} {of:.4g}" for name, of in validate(network, validation).items())
