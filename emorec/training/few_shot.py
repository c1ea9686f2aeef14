"""What a few examples, or a resting face, are worth: measured on people who are known apart.

`emorec evaluate --few-shot` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from emorec.calibration import baseline, examples
from emorec.calibration.baseline import logarithms, shift_of
from emorec.emotions import EMOTIONS
from emorec.errors import DataError
from emorec.model.store import EmotionModel
from emorec.model.worth import FewShot, Resting
from emorec.training import metrics
from emorec.training.data import FaceSet

COUNTS = (0, 1, 3, 5, 10)
FOLDS, DRAWS = 5, 10

_NEUTRAL = EMOTIONS.index("neutral")
_WHOLE = round(baseline.FULL_S / baseline.SAMPLE_S)
"""Calm readings after which a resting state is moved by all that it ever is."""


def few_shot(
    model: EmotionModel, faces: FaceSet, counts: Sequence[int] = COUNTS, draws: int = DRAWS
) -> list[FewShot]:
    """Measure what examples from other people are worth.

    In each draw the people are divided by chance into ``FOLDS`` parts; the faces of each part are
    read with examples drawn from the others.

    Raises:
        DataError: it is not known whose faces they are, or there are fewer than two people.
        ModelError: the network's spread cannot be read.
    """
    people = _people(faces)
    rows, parts = model.rows(faces.faces), min(FOLDS, len(set(people)))
    measured = []
    for count in counts:
        tops = [
            _read(model, rows, faces.labels, people, count, parts, np.random.default_rng(draw))
            for draw in range(draws if count else 1)
        ]
        accuracies = [metrics.accuracy(top, faces.labels) for top in tops]
        recalls = [_recall(top, faces.labels) for top in tops]
        measured.append(
            FewShot(
                count=count,
                accuracy=float(np.mean(accuracies)),
                accuracy_sd=float(np.std(accuracies)),
                recall=float(np.mean(recalls)),
            )
        )
    return measured


def resting(model: EmotionModel, faces: FaceSet) -> list[Resting]:
    """Measure what a person's own resting face is worth; empty where no person has one.

    Raises:
        DataError: as `few_shot`.
    """
    people = _people(faces)
    logs = logarithms(model.classify(faces.faces))
    right: dict[int, list[tuple[float, float]]] = {label: [] for label in range(len(EMOTIONS))}
    for face, (own, label, person) in enumerate(zip(logs, faces.labels, people, strict=True)):
        rest = np.flatnonzero((people == person) & (faces.labels == _NEUTRAL))
        rest = rest[rest != face]
        if not len(rest):
            continue
        moved = [own + shift_of(np.repeat(logs[[one]], _WHOLE, axis=0)) for one in rest]
        share = np.mean([line.argmax() == label for line in moved])
        right[int(label)].append((float(own.argmax() == label), float(share)))
    return [
        Resting(
            emotion=EMOTIONS[label],
            n=len(found),
            without=sum(plain for plain, _ in found),
            with_baseline=sum(share for _, share in found),
        )
        for label, found in right.items()
        if found
    ]


def readable(measured: Sequence[FewShot], rested: Sequence[Resting]) -> str:
    """Return both as lines of text."""
    lines = [
        "examples of each emotion, from people who are not tested:",
        f"{'examples':>8}{'accuracy':>10}{'±':>7}{'mean recall':>13}",
    ]
    lines += [
        f"{one.count:>8}{one.accuracy:>10.1%}{one.accuracy_sd:>7.1%}{one.recall:>13.1%}"
        for one in measured
    ]
    if rested:
        lines += ["", "one resting face of the same person as baseline:"]
        lines += [f"{'':<10}{'faces':>6}{'without':>9}{'with':>7}"]
        lines += [
            f"{one.emotion:<10}{one.n:>6}{one.without:>9.0f}{one.with_baseline:>7.1f}"
            for one in rested
        ]
    return "\n".join(lines)


def _people(faces: FaceSet) -> npt.NDArray[np.str_]:
    if faces.people is None:
        raise DataError(
            "It is not known whose faces these are: give a CSV file with a column person, or"
            " folders PERSON/EMOTION/picture."
        )
    if len(set(faces.people)) < 2:
        raise DataError(f"Faces of two people or more are needed; all are of {faces.people[0]}.")
    return faces.people


def _read(
    model: EmotionModel,
    rows: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    people: npt.NDArray[np.str_],
    count: int,
    parts: int,
    random: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Return the label of each face, read with examples of people from the other parts."""
    top = rows[:, : len(EMOTIONS)].argmax(axis=1)
    if not count:
        return top
    for tested in _folds(people, parts, random):
        chosen = _draw(np.flatnonzero(~tested), labels, count, random)
        if len(chosen):
            learned = examples.learn(model, rows[chosen], [EMOTIONS[i] for i in labels[chosen]])
            top[tested] = examples.Corrector(learned, model)(rows[tested]).argmax(axis=1)
    return top


def _folds(
    people: npt.NDArray[np.str_], parts: int, random: np.random.Generator
) -> Iterator[npt.NDArray[np.bool_]]:
    names = np.unique(people)
    random.shuffle(names)
    for part in np.array_split(names, parts):
        yield np.isin(people, part)


def _draw(
    among: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    count: int,
    random: np.random.Generator,
) -> npt.NDArray[np.int64]:
    chosen = [
        random.choice(own, min(count, len(own)), replace=False)
        for label in range(len(EMOTIONS))
        if len(own := among[labels[among] == label])
    ]
    return np.concatenate(chosen) if chosen else np.zeros(0, np.int64)


def _recall(top: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> float:
    return float(np.mean([(top[labels == label] == label).mean() for label in np.unique(labels)]))
