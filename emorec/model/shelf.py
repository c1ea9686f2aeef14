"""The models that stand ready in ``models/``, and what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from emorec.deployment import RUNTIMES
from emorec.model import evaluation, store, typed_json
from emorec.model.contract import Contract
from emorec.model.evaluation import Evaluation, Weights
from emorec.model.typed_json import Share
from emorec.model.worth import CalibrationWorth
from emorec.words import N_

ACTIVATIONS = "activations.json"
"""ELU beside ReLU over several seeds, a `Comparison`."""
CROPS = "crops.json"
"""How well the pipeline's crops are read, a `Crops`."""
DECISION = "decision.json"
"""How good each decision rule is, a `Decision`."""
CALIBRATION = "calibration.json"
"""What a person's own examples and resting face are worth, a `CalibrationWorth`."""

_WRITERS = {
    ACTIVATIONS: "python -m emorec.training.compare",
    CROPS: "python -m emorec.training.framing",
    DECISION: "python -m benchmarks.decision",
    CALIBRATION: "python -m benchmarks.baseline",
}

MEASURES = MappingProxyType(
    {"accuracy": N_("accuracy"), "macro_f1": N_("macro-F1"), "ferplus": N_("FER+ accuracy")}
)
"""What is measured of a training run after each epoch, by its column in ``history.csv``: accuracy
and macro-F1 of the FER2013 head; with votes, the FER+ head's agreement with most voters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training run, at the epoch with the best accuracy; a measure for each of `MEASURES`."""

    network: str
    seed: int
    epochs: int
    best_epoch: int
    accuracy: Share
    macro_f1: Share
    ferplus: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Mean and standard deviation of a measure over the seeds (n - 1; 0 of one run)."""

    mean: Share
    sd: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What several runs of one recipe reached; `emorec.training.compare` writes it.

    Attributes:
        date: year first.
        command: that compared them.
        split: faces by which each run chose its best epoch.
        recipe: of all of them, without network and seed.
        runs: by network and seed.
        networks: for each network, the spread of each of ``MEASURES``.
    """

    date: str
    command: str
    split: str
    recipe: Mapping[str, Any]
    runs: tuple[Run, ...]
    networks: Mapping[str, Mapping[str, Spread]]

    def __post_init__(self) -> None:
        if not self.runs:
            raise ValueError("expected at least one run. Received none.")

    @property
    def measures(self) -> dict[str, str]:
        """Those of ``MEASURES`` that were measured of every network, with their titles."""
        return {
            name: title
            for name, title in MEASURES.items()
            if all(name in spreads for spreads in self.networks.values())
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """How well a model reads the pipeline's crops; `emorec.training.framing` writes it.

    Attributes:
        date: year first.
        command: that measured it.
        model: that read the faces.
        split: the faces.
        sides_px: the smallest and the largest side at which faces were pasted into pictures.
        detector: that looked for them, one of `emorec.settings.DETECTORS`.
        faces: pasted.
        found: of them, by the detector.
        side: median of the detector's sides over the faces' own.
        offset_xy: median way from the faces' centres to the detector's, in sides of a face.
        accuracy: of the FER2013 head on the faces that were found: ``original`` as FER2013 has
            them, ``given`` cut out where they were pasted, ``pipeline`` as the pipeline cuts them
            out, ``upright`` the same but never turned.
        by_scale: accuracy of crops that are not turned, by their side over the detector's.
    """

    date: str
    command: str
    model: Weights
    split: str
    sides_px: tuple[int, ...]
    detector: str
    faces: int
    found: int
    side: float
    offset_xy: tuple[float, ...]
    accuracy: Mapping[str, Share]
    by_scale: Mapping[str, Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule that makes a label of both heads, and how good it is.

    Attributes:
        model: whose heads.
        blend: share of the votes' answer.
        prior_power: power of the emotions' shares that is divided out.
        refitted: whether the contract's head gives the votes' answer, not the FER+ head.
        ships: whether the model's contract has this rule.
        people: ``accuracy`` and ``macro_f1`` against most of FER+'s voters.
        posed: ``accuracy``, mean ``recall`` and share called ``neutral`` of posed expressions.
        photos: shares of the ``neutral`` and of the ``happy`` photographs that are read rightly.
    """

    model: Weights
    blend: Share
    prior_power: Share
    ships: bool
    people: Mapping[str, Share]
    posed: Mapping[str, Share]
    photos: Mapping[str, Share]
    refitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How good each rule is; ``benchmarks/decision.py`` writes it.

    Attributes:
        command: that measured it.
        split: faces that FER+'s voters judged.
        counts: of ``posed`` expressions, and of ``neutral`` and ``happy`` photographs.
        rules: of every model.
    """

    command: str
    split: str
    counts: Mapping[str, int]
    rules: tuple[Rule, ...]


def names(runtime: str = RUNTIMES[0]) -> list[str]:
    """Return the names of the models that a runtime can load, the default one first.

    Such a model has a contract, and weights of the kind that the runtime takes.
    """
    file = store.path_of(runtime=runtime)
    folder, suffix = file.parent, file.suffix
    found = sorted(
        file.stem for file in folder.glob("*.json") if file.with_suffix(suffix).is_file()
    )
    return sorted(found, key=lambda name: name != store.DEFAULT_NAME)


def measured(model_file: Path, contract: Contract) -> dict[str, Evaluation]:
    """Return the evaluation of each split of a model, as far as it still holds.

    A split that was measured with other weights is left out; so is ``shown`` where the contract has
    another head, blend, prior or threshold by now.

    Raises:
        ModelError: the file is there, but is no evaluation.
    """
    weights = {file["sha256"] for file in contract.files.values()}
    return {
        split: kept if _decides_alike(kept, contract) else replace(kept, shown=None)
        for split, kept in evaluation.read(model_file).items()
        if kept.fer2013.model.sha256 in weights
    }


def _decides_alike(kept: Evaluation, contract: Contract) -> bool:
    return kept.shown is None or all(
        getattr(kept.shown, name) == getattr(contract, name) for name in evaluation.SETTINGS
    )


def activations(folder: Path) -> Comparison | None:
    """Return what several runs of the ELU and the ReLU network reached; None where none is kept.

    Raises:
        ModelError: the file is there, but is no such comparison.
    """
    kept: Comparison | None = typed_json.read(
        Comparison, folder / ACTIVATIONS, _WRITERS[ACTIVATIONS]
    )
    return kept


def crops(folder: Path, contract: Contract) -> Crops | None:
    """Return how a model reads the pipeline's crops; None where that was not measured of it.

    Raises:
        ModelError: the file is there, but is no such record.
    """
    kept: Crops | None = typed_json.read(Crops, folder / CROPS, _WRITERS[CROPS])
    weights = {file["sha256"] for file in contract.files.values()}
    return kept if kept and kept.model.sha256 in weights else None


def decision(folder: Path) -> Decision | None:
    """Return how good the rules are that make one label of both heads; None where not measured.

    Raises:
        ModelError: the file is there, but is no such record.
    """
    kept: Decision | None = typed_json.read(Decision, folder / DECISION, _WRITERS[DECISION])
    return kept


def calibration(folder: Path) -> CalibrationWorth | None:
    """Return what a person's calibration is worth; None where it was not measured.

    Raises:
        ModelError: the file is there, but is no such record.
    """
    kept: CalibrationWorth | None = typed_json.read(
        CalibrationWorth, folder / CALIBRATION, _WRITERS[CALIBRATION]
    )
    return kept
