"""A person's examples: the network's answer, moved as far as a few labelled faces demand.

The network itself stays as it is. A linear layer on its features is fitted to the examples by
logistic regression that starts from the network's own answer, so that a few examples change little.
Features are compared in directions in which faces of one emotion vary alike
(`emorec.model.spread`). Why this rule: ``benchmarks/training-log.md``, 2026-11-28.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.calibration.baseline import logarithms
from emorec.emotions import EMOTIONS
from emorec.errors import DataError, ModelError, WorseError
from emorec.model import spread, typed_json
from emorec.model.evaluation import Weights
from emorec.model.shown import softmax
from emorec.model.store import EmotionModel
from emorec.model.typed_json import Share
from emorec.words import N_, _

L2 = 0.01
"""Strength of the penalty on the layer's weights, for features of length 1."""

LEAST_SHARE = 0.5
"""Share of the network's own answer where all six expressions have examples; with fewer it counts
more, and in full where one emotion alone has: what has no example is left to it."""

LEAST_EXAMPLES = 2
"""Faces of an emotion that are needed, so that one can be held out to check the others."""

WRITER = "emorec calibrate"
_STEPS = 300
_DECIMALS = 4
_EXPRESSIONS = len(EMOTIONS) - 1  # without neutral


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What examples of one person change, for one network; numbers only, no picture.

    Attributes:
        model: the network that they belong to.
        counts: examples of each emotion that has some.
        network_share: weight of the network's own answer.
        weights: for each of ``EMOTIONS`` as many numbers as the network has features.
    """

    model: Weights
    counts: Mapping[str, int]
    network_share: Share
    weights: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if len(self.weights) != len(EMOTIONS) or len({len(row) for row in self.weights}) != 1:
            raise ValueError(f"expected weights to be {len(EMOTIONS)} rows of one length.")
        unknown = sorted(set(self.counts) - set(EMOTIONS))
        if unknown:
            raise ValueError(f"expected counts of {', '.join(EMOTIONS)}. Received {unknown[0]}.")

    def belongs_to(self, model: EmotionModel) -> bool:
        """Return whether this network read them."""
        return self.model.sha256 in {file["sha256"] for file in model.contract.files.values()}


class Corrector:
    """Corrects rows of one network by a person's examples.

    Raises:
        ModelError: the examples belong to another network, or its spread cannot be read.
    """

    def __init__(self, examples: Examples, model: EmotionModel) -> None:
        self.examples = examples
        if not examples.belongs_to(model):
            raise ModelError(
                f"This calibration belongs to another network ({examples.model.name}, sha256"
                f" {examples.model.sha256[:12]}…), not to {model.contract.name}: calibrate again."
            )
        self._spread = spread.read(model.file, model.contract)
        self._weights = np.array(examples.weights, np.float32).T
        if len(self._weights) != len(self._spread.centre):
            raise ModelError(
                f"This calibration is damaged: {len(self._weights)} numbers for each emotion, but"
                f" {model.contract.name} has {len(self._spread.centre)} features."
            )

    def __call__(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return corrected probabilities, float32 of shape (n, 7).

        Args:
            rows: probabilities and features, as `EmotionModel.rows` returns them.
        """
        logs, features = np.split(rows, [len(EMOTIONS)], axis=1)
        own = self.examples.network_share * logarithms(logs)
        return softmax(own + self._spread(features) @ self._weights)


def learn(model: EmotionModel, rows: npt.NDArray[np.float32], labels: Sequence[str]) -> Examples:
    """Learn from labelled faces, without checking whether it helps.

    Args:
        model: the network that read them.
        rows: what `EmotionModel.rows` returned, at least one.
        labels: as many, each one of ``EMOTIONS``.

    Raises:
        ModelError: the network's spread cannot be read.
    """
    counts = {emotion: labels.count(emotion) for emotion in EMOTIONS if emotion in labels}
    share = _network_share(len(counts))
    logs, features = np.split(rows, [len(EMOTIONS)], axis=1)
    x = spread.read(model.file, model.contract)(features)
    weights = x.T @ _fit(x @ x.T, share * logarithms(logs), _targets(labels))
    own = model.contract.files[model.file.suffix.removeprefix(".")]
    return Examples(
        model=Weights(name=model.contract.name, sha256=own["sha256"]),
        counts=counts,
        network_share=share,
        weights=tuple(map(tuple, weights.T.astype(float).round(_DECIMALS).tolist())),
    )


def calibrate(
    model: EmotionModel, faces_gray: npt.NDArray[np.uint8], labels: Sequence[str]
) -> Examples:
    """Learn from labelled faces of one person, and check that it helps this person.

    Args:
        model: reads them.
        faces_gray: uint8 of shape (n, 48, 48).
        labels: as many, each one of ``EMOTIONS``; two faces or more of each emotion named, and two
            emotions or more.

    Raises:
        DataError: there are too few, or the examples make the reading of each other worse.
        ModelError: the network's spread cannot be read.
        ValueError: the faces have another shape or dtype, or a label is none of ``EMOTIONS``.
    """
    return learn_checked(model, model.rows(faces_gray), list(labels))


def learn_checked(
    model: EmotionModel, rows: npt.NDArray[np.float32], labels: Sequence[str]
) -> Examples:
    """Do what `calibrate` does, for faces that were read already."""
    if len(rows) != len(labels):
        raise ValueError(f"Expected {len(rows)} labels. Received {len(labels)}.")
    wrong = [label for label in labels if label not in EMOTIONS]
    if wrong:
        raise ValueError(f"Expected labels among {', '.join(EMOTIONS)}. Received {wrong[0]!r}.")
    labels = list(labels)
    few = [name for name in EMOTIONS if 0 < labels.count(name) < LEAST_EXAMPLES]
    if few:
        raise DataError(
            N_(
                "{emotions}: 1 face each; {least} or more are needed, so that each can be checked"
                " by the others."
            ),
            emotions=", ".join(map(_, few)),
            least=LEAST_EXAMPLES,
        )
    if len(set(labels)) < 2:
        raise DataError(
            N_("Examples of two emotions or more are needed, neutral being one of them.")
        )
    before, after = held_out(model, rows, labels)
    if after < before:
        raise WorseError(
            N_(
                "These examples would make it worse, so they are not used: of {n} faces, each read"
                " with the help of the others alone, {after} get the right label, and {before}"
                " without any help."
            ),
            n=len(labels),
            after=after,
            before=before,
        )
    return learn(model, rows, labels)


def held_out(
    model: EmotionModel, rows: npt.NDArray[np.float32], labels: Sequence[str]
) -> tuple[int, int]:
    """Return how many examples are right without help, and with that of the other examples."""
    truth = np.array([EMOTIONS.index(label) for label in labels])
    logs, features = np.split(rows, [len(EMOTIONS)], axis=1)
    x, own = spread.read(model.file, model.contract)(features), logarithms(logs)
    likeness, targets = x @ x.T, _targets(labels)
    right = 0
    for left_out in range(len(rows)):
        rest = np.arange(len(rows)) != left_out
        share = _network_share(len({label for label, k in zip(labels, rest, strict=True) if k}))
        found = _fit(likeness[np.ix_(rest, rest)], share * own[rest], targets[rest])
        said = share * own[left_out] + likeness[left_out, rest] @ found
        right += int(said.argmax() == truth[left_out])
    return int((own.argmax(axis=1) == truth).sum()), right


def read(path: Path) -> Examples:
    """Read a file of `emorec calibrate`.

    Raises:
        ModelError: it is missing, or is no such file; says which part is wrong.
    """
    found: Examples | None = typed_json.read(Examples, path, WRITER)
    if found is None:
        raise ModelError(f"{path}: no such file. `{WRITER}` writes one.")
    return found


def write(examples: Examples, path: Path) -> None:
    """Write a file that `read` accepts.

    Raises:
        DataError: it cannot be written.
    """
    try:
        typed_json.write(Examples, examples, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}).") from None


def _network_share(emotions: int) -> float:
    spared = (1 - LEAST_SHARE) * (min(emotions, _EXPRESSIONS) - 1) / (_EXPRESSIONS - 1)
    return 1 - max(spared, 0.0)


def _targets(labels: Sequence[str]) -> npt.NDArray[np.float32]:
    one = np.eye(len(EMOTIONS), dtype=np.float32)
    return one[[EMOTIONS.index(label) for label in labels]]


def _fit(
    likeness: npt.NDArray[np.float32],
    start: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Return how much each example counts for each emotion, float32 of shape (n, 7).

    Kernel logistic regression by accelerated gradient descent (Y. Nesterov, 1983).

    Args:
        likeness: of each example to each, of shape (n, n).
        start: what is known of them before, logarithms of shape (n, 7).
        targets: what is true of them, of shape (n, 7).
    """
    step = 1 / (float(np.linalg.eigvalsh(likeness)[-1]) / 2 + L2)
    found: npt.NDArray[np.floating] = np.zeros(targets.shape)
    ahead, momentum = found, 1.0
    for _step in range(_STEPS):
        wrong = softmax(start + likeness @ ahead) - targets
        new = ahead - step * (wrong + L2 * ahead)
        grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / grown * (new - found)
        found, momentum = new, grown
    return found.astype(np.float32)
