"""Records of what a person's calibration is worth: kept in ``models/``, shown on the model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emorec.model.evaluation import Weights
from emorec.model.typed_json import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShot:
    """How good the shown label is with examples from people who are not tested.

    Attributes:
        count: examples of each emotion; 0: without any.
        accuracy: mean over the draws.
        accuracy_sd: standard deviation over the draws.
        recall: mean recall of the emotions that are there, mean over the draws.
    """

    count: int
    accuracy: Share
    accuracy_sd: Share
    recall: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """How one emotion of known people is read, without and with their own resting face.

    Attributes:
        emotion: its name.
        n: faces of it with another, resting face of the same person beside them.
        without: of them called so without the baseline.
        with_baseline: the same with it: each resting face in turn is the baseline of the person's
            other faces, and the mean over these choices counts.
    """

    emotion: str
    n: int
    without: float
    with_baseline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a person's calibration is worth with one model.

    Attributes:
        model: that was measured.
        few_shot: by the number of examples.
        resting: by emotion.
        held: accuracy on posed faces ``without`` the baseline, and after each was held for a
            minute ``with_baseline``.
    """

    model: Weights
    few_shot: tuple[FewShot, ...]
    resting: tuple[Resting, ...]
    held: Mapping[str, Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationWorth:
    """What a person's calibration is worth; ``benchmarks/baseline.py`` writes it.

    Attributes:
        command: that measured it.
        posed_people: people in the posed faces, and ``posed_faces`` their faces.
        resting_people: people whose resting faces were read.
        draws: of examples, each with ``folds`` parts of the people.
        models: of every model.
        films: by emotion, how many pictures of films got that label, ``without`` the baseline and
            ``with_baseline``; by the model that ships.
    """

    command: str
    posed_people: int
    posed_faces: int
    resting_people: int
    draws: int
    folds: int
    models: tuple[Calibrated, ...]
    films: Mapping[str, Mapping[str, Mapping[str, int]]]
