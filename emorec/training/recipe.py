"""Everything that shapes a training run, and how it is read back from the run's folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from emorec.errors import TrainingError
from emorec.model.network import SHAPES, trunk_side
from emorec.training.augment import Augmentation


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
        ema: momentum of the averaged weights, which are the ones evaluated and kept; lower in a
            run so short that they would lag behind.
        precision: Keras's dtype policy.
        seed: of the initial weights, the order of the faces and every random variation.
        start: the command that made the weights which the run begins with; None: random ones.
        steps: stop after so many steps (a trial of the machinery); None trains to the end.
        teachers: the command that asked the teachers; None: there are none.
        teaching: share of what the teachers say in what is learned; the rest are labels and votes.
    """

    network: str = "elu"
    stages: tuple[tuple[int, int], ...] = ((32, 20), (SHAPES["elu"].side, 34))
    batch: int = 128
    learning_rate: float = 0.1
    warmup_epochs: float = 1.0
    weight_decay: float = 1e-3
    label_smoothing: float = 0.1
    ema: float = 0.998
    precision: str = "float32"
    seed: int = 1
    start: str | None = None
    steps: int | None = None
    teachers: str | None = None
    teaching: float = 0.5
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def epochs(self) -> int:
        return sum(epochs for _, epochs in self.stages)

    @property
    def sides(self) -> list[int]:
        """The side in pixels at which each epoch trains."""
        return [side for side, epochs in self.stages for _ in range(epochs)]

    def lasting(self, epochs: int | None) -> Recipe:
        """Return this recipe spread over so many epochs; None leaves it as it is."""
        full = trunk_side(self.network)
        stages = tuple((min(side, full), epochs) for side, epochs in self.stages)
        # The seed network takes faces of one size alone, and a run that begins with trained weights
        # has no stages at small sides.
        if self.network == "seed" or self.start:
            stages = ((full, self.epochs),)
        if epochs is not None:
            ends = np.cumsum([count for _, count in stages]) * epochs / self.epochs
            counts = np.diff(np.rint(ends).astype(int), prepend=0)
            stages = tuple((side, int(n)) for (side, _), n in zip(stages, counts, strict=True))
        return replace(self, stages=stages)


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
