"""The end of a run: a trained network in, a measured model with its contract out."""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from emorec.errors import TrainingError
from emorec.model.contract import WEIGHTS
from emorec.model.network import FACE_SIDE, build_network
from emorec.model.store import EmotionModel
from emorec.model.store import load as load_model
from emorec.training.corruptions import evaluate_corrupted
from emorec.training.data import FaceSet
from emorec.training.evaluate import evaluate, readable, record
from emorec.training.plots import draw_answers

if TYPE_CHECKING:
    import keras

# Packages that a run needs at its end, and their modules.
_NEEDED = {"matplotlib": "matplotlib", "scipy": "scipy", "vl-convert-python": "vl_convert"}

_FLOATS = ("float16", "float32")
"""Weights of the network for processors that have no instructions for int8: with AVX2 alone eight
faces at once take a sixth less time than with int8, on processors that have them twice as long."""


def check_folder(folder: Path) -> None:
    """Check that a run can end: that its folder can be written to, and what it needs is there.

    Raises:
        TrainingError: it cannot.
    """
    with writing(folder, begun=False):
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if made:
            folder.rmdir()  # of data that cannot be read nothing stays
    for package, module in _NEEDED.items():
        if importlib.util.find_spec(module) is None:
            raise TrainingError(f"A run needs {package} at its end: pip install {package}.")


def finish(
    best: keras.Model,
    folder: Path,
    *,
    kind: str,
    data: Path,
    command: str,
    splits: tuple[FaceSet, FaceSet, str],
    resumable: bool,
    say: Callable[[str], None],
) -> EmotionModel:
    """Export a network, calibrate it and measure it on the faces it was chosen by.

    Args:
        best: has the weights.
        folder: receives ``KIND_cnn.keras``, ``.tflite``, their contract, their evaluation and
            ``confusion.png``.
        kind: which of `emorec.model.network.NETWORKS` it is.
        data: what it learned from.
        command: that repeats it.
        splits: faces that it learned from, faces that it was chosen by, and the latter's name.
        resumable: whether the folder keeps the weights already.
        say: takes one line of progress.

    Raises:
        TrainingError: it cannot be exported.
    """
    from emorec.drawing.measures import confusion
    from emorec.training.calibrate import calibrate
    from emorec.training.export import export
    from emorec.training.head import refit
    from emorec.training.spread import measure as measure_spread

    training, validation, chosen_on = splits
    name = f"{kind}_cnn"
    say("Exporting …")
    shipped = build_network(kind, FACE_SIDE)
    shipped.set_weights(best.get_weights())
    with writing(folder, begun=resumable):
        export(
            shipped,
            folder,
            name,
            kind=kind,
            data={
                "name": data.name if data.is_dir() else "FER2013",
                "protocol": "learned from Training without the faces that stand pixel for pixel in"
                f" a test too, chosen on {chosen_on}",
            },
            command=command,
            validation=validation,
            weights=_FLOATS if kind == "small" else tuple(WEIGHTS),
            say=say,
        )
        model = refit(load_model(folder / f"{name}.tflite"), training, say)
        measure_spread(model, training)
        model = calibrate(model, validation, say)
        plain, flipped = (evaluate(model, validation, chosen_on, flip) for flip in (False, True))
        record(model, chosen_on, plain, flipped, evaluate_corrupted(model, validation))
        draw_answers(confusion, plain.answers().values(), folder / "confusion.png")
    for measured in plain.answers().values():
        say(readable(measured) + "\n")
    return model


@contextlib.contextmanager
def writing(folder: Path, begun: bool = True) -> Iterator[None]:
    """Turn an error of writing into one line; ``begun``: there are trained weights already."""
    kept = "; the trained weights are kept, and --resume exports them" if begun else ""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{folder}: cannot be written to ({error.strerror or error}){kept}."
        ) from error
