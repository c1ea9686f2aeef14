"""The model card: ``models/README.md``, written from what was measured and from nothing else.

``python -m emorec.training.card`` writes it and its pictures. Its layout follows M. Mitchell et
al., "Model Cards for Model Reporting" (FAT* 2019).
"""

from __future__ import annotations

import math
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS, UNSURE
from emorec.errors import EmorecError, ModelError
from emorec.model import contract, shelf, store
from emorec.model.contract import FORMATS, Contract
from emorec.model.evaluation import evaluation_file
from emorec.model.network import FACE_SIDE
from emorec.model.runtime import start_keras
from emorec.model.shown import in_words
from emorec.training.calibrate import AGREEMENT, LEAST_COVERAGE
from emorec.training.card import tables, words
from emorec.training.card.tables import ACTIVATIONS

if TYPE_CHECKING:
    import keras

_SPLITS = ("PrivateTest", "PublicTest")
_IMAGES = "images"


def main() -> int:
    """Write the card and its pictures; return the exit code."""
    from emorec.training.card.pictures import draw

    folder = store.path_of().parent
    try:
        for name in shelf.names():
            own, measured = _read(folder, name)
            if measured:
                draw(measured[latest(measured)], folder / _IMAGES, own.name)
        (folder / "README.md").write_text(card(), encoding="utf-8")
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
    models = {name: _read(folder, name) for name in shelf.names()}
    parts = [words.HEAD, _files(folder, {name: own for name, (own, _) in models.items()})]
    for own, measured in models.values():
        parts += _model(folder, own, measured)
        parts += _framed(shelf.crops(folder, own))
    decided = shelf.decision(folder)
    if decided is not None:
        parts += _decided(decided)
    compared = shelf.activations(folder)
    if compared is not None:
        parts += _compared(compared)
    tail = words.TAIL.format(agreement=AGREEMENT, coverage=LEAST_COVERAGE)
    return "\n\n".join([*parts, tail]) + "\n"


def latest(measured: Mapping[str, Any]) -> str:
    """Return the split that says most: the one that nothing was chosen by, where it was run."""
    return next(split for split in (*_SPLITS, *measured) if split in measured)


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


def _read(folder: Path, name: str) -> tuple[Contract, dict[str, Any]]:
    own = contract.read(folder / f"{name}.json")
    return own, shelf.measured(folder / f"{name}.tflite", own)


def _files(folder: Path, contracts: Mapping[str, Contract]) -> str:
    rows = []
    for name, own in contracts.items():
        weights = own.files["tflite"]["weights"]
        runs = (
            "what the app and the command line run"
            if name == store.DEFAULT_NAME
            else "to choose on the Model page"
        )
        uses = {
            "tflite": f"the {ACTIVATIONS[own.network]} network on LiteRT, its weights as {weights}:"
            f" {runs}",
            "keras": "the same on Keras, to go on training from (`EMOREC_RUNTIME=keras` runs it)",
        }
        for suffix in reversed(FORMATS):
            of = own.files[suffix]
            rows.append((f"`{of['file']}`", uses[suffix], "MIT", _megabytes(of["bytes"])))
        rows.append((f"`{name}.json`", "their contract: input, labels, checksums", "MIT", ""))
        if evaluation_file(folder / f"{name}.tflite").is_file():
            rows.append((f"`{name}.evaluation.json`", "all that was measured of it", "MIT", ""))
    if (folder / shelf.ACTIVATIONS).is_file():
        rows.append((f"`{shelf.ACTIVATIONS}`", "ELU beside ReLU over seeds", "MIT", ""))
    if (folder / shelf.CROPS).is_file():
        rows.append((f"`{shelf.CROPS}`", "how the pipeline's crops are read", "MIT", ""))
    if (folder / shelf.DECISION).is_file():
        rows.append((f"`{shelf.DECISION}`", "what each decision rule is worth", "MIT", ""))
    for detector in words.DETECTORS:
        file = folder / detector.file
        if file.is_file():
            size_mb = _megabytes(file.stat().st_size)
            rows.append((f"`{detector.file}`", detector.what, detector.licence, size_mb))
    return tables.table(("file", "what it is", "licence", "size"), rows, words=3)


def _model(folder: Path, own: Contract, measured: Mapping[str, Any]) -> list[str]:
    parameters, work = size(_network(folder / own.files["keras"]["file"]))
    what = _filled(
        words.MODEL,
        name=own.name,
        activation=ACTIVATIONS[own.network],
        side=FACE_SIDE,
        parameters=parameters / 1e6,
        work=work / 1e6,
        labels=len(EMOTIONS),
        votes=len(FERPLUS_EMOTIONS),
        data=own.data["name"],
        protocol=own.data["protocol"],
        licence=own.licence,
        created=own.created,
        command=own.command,
    )
    return [what, *(_quality(own, measured) if measured else _promised(own))]


def _quality(own: Contract, measured: Mapping[str, Any]) -> list[str]:
    split = latest(measured)
    kinds = measured[split]
    votes = " --ferplus fer2013new.csv" if "ferplus" in kinds else ""
    data = f"--data fer2013.csv{votes} --split {split} --model models/{own.name}.tflite"
    parts = [
        "### How often it is right",
        tables.quality(measured),
        words.MEASURED,
        f"```\nemorec evaluate {data}\n```",
        f"![What is taken for what, on {split}]({_IMAGES}/{own.name}-confusion.png)",
        f"Emotion by emotion, on {split}:",
        tables.emotions(kinds),
        f"![Recall and precision of each emotion]({_IMAGES}/{own.name}-emotions.png)",
        *_corrupted(own, kinds["fer2013"]),
        "### What is shown",
        _shown(own),
    ]
    return [*parts, tables.labelled(measured)] if "shown" in kinds else parts


def _corrupted(own: Contract, measured: Mapping[str, Any]) -> list[str]:
    if "corrupted" not in measured:
        return []
    return [
        _filled(words.CORRUPTED, name=own.name, split=measured["split"]),
        tables.corrupted(measured),
    ]


def _framed(crops: Mapping[str, Any] | None) -> list[str]:
    if crops is None:
        return []
    low, high = crops["sides_px"]
    right = crops["accuracy"]
    picture = f"{_IMAGES}/crops.png"
    return [_filled(words.CROPS, **{**crops, **right}, low=low, high=high, picture=picture)]


def _promised(own: Contract) -> list[str]:
    """Return what the contract alone says, where no evaluation stands beside it."""
    if not own.metrics:
        known = "How often it is right is unknown."
        return [_filled(words.NOT_MEASURED, known=known), _shown(own)]
    known = "The contract says, of the FER2013 head against FER2013's labels:"
    return [_filled(words.NOT_MEASURED, known=known), tables.short(own.metrics), _shown(own)]


def _network(file: Path) -> keras.Model:
    start_keras()
    import keras

    try:
        return keras.saving.load_model(file, compile=False)
    except (ValueError, OSError) as error:
        why = str(error).strip().partition("\n")[0]
        raise ModelError(f"{file}: is no model that can be read ({why}).") from error


def _shown(own: Contract) -> str:
    temperatures = ", ".join(f"{t:.2f} for {head}" for head, t in own.temperatures.items())
    return _filled(
        words.SHOWN,
        what=in_words(own.blend, own.prior_power),
        temperatures=temperatures,
        unsure_below=own.unsure_below,
        unsure=UNSURE,
    )


def _decided(decided: Mapping[str, Any]) -> list[str]:
    return [
        _filled(words.DECISION, split=decided["split"], **decided["counts"]),
        tables.decision(decided),
        f"```\n{decided['command']}\n```",
    ]


def _compared(compared: Mapping[str, Any]) -> list[str]:
    epochs, split = compared["runs"][0]["epochs"], compared["split"]
    return [
        _filled(words.COMPARED, epochs=epochs, split=split),
        tables.runs(compared),
        f"```\n{compared['command']}\n```",
    ]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _filled(text: str, **values: Any) -> str:
    """Return paragraphs with their values, prose in lines of 100; code and headings as they are."""
    return "\n\n".join(
        part
        if part.startswith(("#", "```"))
        else textwrap.fill(part, 100, break_long_words=False, break_on_hyphens=False)
        for part in text.format_map(values).split("\n\n")
    )
