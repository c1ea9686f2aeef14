"""The model card: ``models/README.md``, written from what was measured alone.

``python -m emorec.training.card`` writes it and its pictures; ``card.md.j2`` holds its words and
tables. Its layout follows M. Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019).
"""

from __future__ import annotations

import math
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS, UNSURE
from emorec.errors import EmorecError, ModelError
from emorec.model import contract, shelf, store
from emorec.model.choice import MOST_MS, SMALL_NAME
from emorec.model.contract import Contract
from emorec.model.evaluation import ANSWERS, Evaluation, Measured
from emorec.model.network import ACTIVATIONS, FACE_SIDE, TITLES, TRAINED
from emorec.model.runtime import start_keras
from emorec.model.shelf import Crops
from emorec.model.shown import in_words
from emorec.training.calibrate import AGREEMENT, LEAST_COVERAGE
from emorec.training.corruptions import kept

if TYPE_CHECKING:
    import keras

_SPLITS = ("PrivateTest", "PublicTest")
_IMAGES = "images"
_TEMPLATE = Path(__file__).with_name("card.md.j2")
_DETECTORS = (
    "face_detection_short_range.tflite",
    "face_check.tflite",
    "../haarcascade_frontalface_default.xml",
)
_NOT_PROSE = ("#", "```", "|", "!", "- ")
"""How a paragraph starts whose lines stay as they are: headings, code, tables, pictures, lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the card says of one model.

    Attributes:
        contract: of the model.
        splits: its evaluation of each split that still holds; empty where there is none.
        crops: how it reads the pipeline's crops; None where that was not measured.
        parameters: of the network.
        multiply_adds: of the network, for one face.
    """

    contract: Contract
    splits: Mapping[str, Evaluation]
    crops: Crops | None
    parameters: int
    multiply_adds: int

    @property
    def latest(self) -> Evaluation | None:
        return self.splits[latest(self.splits)] if self.splits else None

    @property
    def by_emotion(self) -> list[Measured]:
        """The answers in ``EMOTIONS``, of the split that says most."""
        answers = self.latest.answers().values() if self.latest else ()
        return [measured for measured in answers if measured.labels == EMOTIONS]


def main() -> int:
    """Write the card and its pictures; return the exit code."""
    from emorec.drawing import measures
    from emorec.training.plots import draw_answers

    folder = store.path_of().parent
    images = folder / _IMAGES
    try:
        models = _models(folder)
        for model in models:
            if model.latest is None:
                continue
            images.mkdir(exist_ok=True)
            name, answers = model.contract.name, model.latest.answers().values()
            draw_answers(measures.confusion, answers, images / f"{name}-confusion.png")
            draw_answers(measures.per_class, model.by_emotion, images / f"{name}-emotions.png")
        (folder / "README.md").write_text(_card(folder, models), encoding="utf-8")
    except EmorecError as error:
        print(f"card: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def card() -> str:
    """Return the card of the models that are there, as Markdown.

    Raises:
        ModelError: a contract, an evaluation, the comparison or a Keras file cannot be read.
    """
    folder = store.path_of().parent
    return _card(folder, _models(folder))


def latest(splits: Iterable[str]) -> str:
    """Return the split that says most: the one that nothing was chosen by, where it was run."""
    names = list(splits)
    return next(split for split in (*_SPLITS, *names) if split in names)


def size(network: keras.Model) -> tuple[int, int]:
    """Return the parameters of a network, and its multiply-adds for one face.

    Counted are convolutions and dense layers, which are nearly all of the work.
    """
    work = 0
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:  # of shape (height, width, channels in, out) or (in, out)
            work += math.prod(kernel.shape) * math.prod(layer.output.shape[1:-1])
    return network.count_params(), work


def _models(folder: Path) -> list[Model]:
    models = []
    for name in shelf.names():
        own = contract.read(folder / f"{name}.json")
        parameters, multiply_adds = size(_network(folder / own.files["keras"]["file"]))
        model = Model(
            contract=own,
            splits=shelf.measured(folder / f"{name}.tflite", own),
            crops=shelf.crops(folder, own),
            parameters=parameters,
            multiply_adds=multiply_adds,
        )
        models.append(model)
    return models


def _network(file: Path) -> keras.Model:
    start_keras()
    import keras

    try:
        return keras.saving.load_model(file, compile=False)
    except (ValueError, OSError) as error:
        why = str(error).strip().partition("\n")[0]
        raise ModelError(f"{file}: is no model that can be read ({why}).") from error


def _card(folder: Path, models: Iterable[Model]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=False,  # Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": "{:,}".format,
        "megabytes": lambda count: f"{count / 1e6:.1f} MB",
        "measure": lambda value, name: f"{value:.3f}" if name == "macro_f1" else _percent(value),
        "percent": _percent,
    }
    text = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        models=models,
        compared=shelf.activations(folder),
        decision=shelf.decision(folder),
        calibration=shelf.calibration(folder),
        bytes_of={
            name: (folder / name).stat().st_size for name in _DETECTORS if (folder / name).is_file()
        },
        in_words=in_words,
        kept=kept,
        ACTIVATIONS=ACTIVATIONS,
        AGREEMENT=AGREEMENT,
        ANSWERS=ANSWERS,
        EMOTIONS=EMOTIONS,
        FACE_SIDE=FACE_SIDE,
        FERPLUS_EMOTIONS=FERPLUS_EMOTIONS,
        IMAGES=_IMAGES,
        LEAST_COVERAGE=LEAST_COVERAGE,
        MOST_MS=MOST_MS,
        SMALL_NAME=SMALL_NAME,
        TITLES=TITLES,
        TRAINED=TRAINED,
        UNSURE=UNSURE,
    )
    return _wrapped(text)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _wrapped(text: str) -> str:
    """Return Markdown with one blank line between paragraphs, and prose in lines of 100."""
    parts = [
        part
        if part.startswith(_NOT_PROSE)
        else textwrap.fill(part, 100, break_long_words=False, break_on_hyphens=False)
        for part in re.split(r"\n{2,}", text.strip())
    ]
    return "\n\n".join(parts) + "\n"
