"""The whole evaluation of a model, kept beside its contract as ``NAME.evaluation.json``.

The contract holds four numbers for each split; this file holds all that was measured, for the
model card and the Model page: one `Evaluation` for each split, by the split's name (``PublicTest``,
``PrivateTest`` or another one). In the file, a part that is None is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from emorec.model import typed_json
from emorec.model.typed_json import Share
from emorec.words import N_, _

SETTINGS = ("blend", "prior_power", "unsure_below", "head_sha256")
"""The parts of a contract that decide what is shown, beside the temperatures."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a model that can be measured.

    Attributes:
        title: what gives the answer.
        labels: what the answer is compared with.
    """

    title: str
    labels: str

    def __str__(self) -> str:
        return _("{title} against {labels}").format(title=_(self.title), labels=_(self.labels))


ANSWERS = MappingProxyType(
    {
        "fer2013": Answer(N_("FER2013 head"), N_("FER2013's labels")),
        "ferplus": Answer(N_("FER+ head"), N_("the majority of FER+'s voters")),
        "shown": Answer(N_("As shown"), N_("the majority of FER+'s voters")),
        "shown by labels": Answer(N_("As shown"), N_("the data's own labels")),
    }
)
"""The answers by name. ``ferplus`` has FER+'s 8 classes, the others have ``EMOTIONS``. For
``shown`` only those faces count whose majority is one of the seven ``EMOTIONS``. ``shown by
labels`` is for data without votes; it is printed, and not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The model that was measured: its name, and the SHA-256 of its file."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassQuality:
    """How good a model is at one class.

    Attributes:
        precision: share of the faces called so that are labelled so.
        recall: share of the faces labelled so that are called so.
        f1: their harmonic mean.
        n: faces labelled so.
    """

    precision: Share
    recall: Share
    f1: Share
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The three numbers that sum an answer up: accuracy, macro-F1 and calibration error."""

    accuracy: Share
    macro_f1: Share
    ece: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Quality):
    """One answer of a model, measured on the faces of one split.

    Attributes:
        what: which of ``ANSWERS``.
        split: name of the faces.
        flip: whether each face was averaged with its mirror image.
        ms_per_face: milliseconds in batches, on the machine that measured.
        model: that was measured.
        n: faces measured.
        accuracy: share of the faces whose likeliest class is the label.
        macro_f1: mean F1 of the classes.
        ece: expected calibration error, 15 bins.
        said_neutral: share of the faces that the model calls neutral.
        true_neutral: share of the faces that are labelled neutral.
        labels: names of the classes, in order.
        per_class: the quality of each class, by name, in the same order.
        confusion: counts of faces, rows labelled, columns said, in the same order.
        with_flip: the quality where each face is averaged with its mirror image.
        corrupted: accuracy on the faces spoiled in each way of `emorec.training.corruptions`, by
            name; of the FER2013 head alone.
    """

    what: str
    split: str
    flip: bool
    ms_per_face: float
    model: Weights
    n: int
    said_neutral: Share
    true_neutral: Share
    labels: tuple[str, ...]
    per_class: Mapping[str, ClassQuality]
    confusion: tuple[tuple[int, ...], ...]
    with_flip: Quality | None = None
    corrupted: Mapping[str, Share] | None = None

    def __post_init__(self) -> None:
        classes = len(self.labels)
        if self.what not in ANSWERS:
            raise ValueError(f"expected what to be {' or '.join(ANSWERS)}. Received {self.what}.")
        if tuple(self.per_class) != self.labels:
            raise ValueError(
                f"expected per_class of {', '.join(self.labels)}."
                f" Received {', '.join(self.per_class)}."
            )
        if [len(row) for row in self.confusion] != [classes] * classes:
            raise ValueError(
                f"expected confusion to have {classes} rows of {classes} counts."
                f" Received {len(self.confusion)} rows of {[len(row) for row in self.confusion]}."
            )

    @property
    def answer(self) -> Answer:
        return ANSWERS[self.what]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredShown(Measured):
    """What the app shows, measured.

    Attributes:
        blend: the contract's, and so are the next two and ``head_sha256``.
        coverage: share of the faces that get a label instead of "unsure".
        agreement: share of those labels that are right.
    """

    blend: Share
    prior_power: Share = 0.0
    unsure_below: Share
    coverage: Share
    agreement: Share
    head_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All that was measured of a model on one split; without votes the FER2013 head alone."""

    fer2013: Measured
    ferplus: Measured | None = None
    shown: MeasuredShown | None = None

    def answers(self) -> dict[str, Measured]:
        """Return what was measured, by the names of ``ANSWERS``."""
        every = {"fer2013": self.fer2013, "ferplus": self.ferplus, "shown": self.shown}
        return {name: measured for name, measured in every.items() if measured is not None}


def evaluation_file(model_file: Path) -> Path:
    """Return where the evaluation of this ``.tflite`` or ``.keras`` file lies."""
    return model_file.with_suffix(".evaluation.json")


def read(model_file: Path) -> dict[str, Evaluation]:
    """Return the evaluation of each split of a model; empty where none was recorded.

    Raises:
        ModelError: the file is there, but is no evaluation; says which part of it is wrong.
    """
    kept = typed_json.read(
        Mapping[str, Evaluation], evaluation_file(model_file), "emorec evaluate --record"
    )
    return dict(kept or {})


def write(model_file: Path, evaluations: Mapping[str, Evaluation]) -> None:
    """Write the evaluation of each split of a model.

    Raises:
        ModelError: a part of it is not what `read` accepts; says which.
    """
    typed_json.write(Mapping[str, Evaluation], evaluations, evaluation_file(model_file))
