"""The whole of `emorec train`: faces in, a measured model with its contract out."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emorec.errors import DataError, TrainingError
from emorec.model.network import FACE_SIDE, SHAPES, build_network
from emorec.model.runtime import start_keras
from emorec.model.store import EmotionModel
from emorec.model.store import load as load_model
from emorec.training.corruptions import evaluate_corrupted
from emorec.training.data import FaceSet, load, without_faces_of
from emorec.training.distill import learn_from, teach
from emorec.training.evaluate import evaluate, readable, record
from emorec.training.plots import draw_answers

if TYPE_CHECKING:
    import keras

    from emorec.training.recipe import Recipe

_TEACHERS = "teachers.npz"
# Packages that a run needs at its end, and their modules.
_NEEDED = {"matplotlib": "matplotlib", "scipy": "scipy", "vl-convert-python": "vl_convert"}

VALIDATION_SHARE = 0.1
"""Of Training, where the data name no faces to choose by."""


def run(
    data: Path,
    folder: Path,
    *,
    ferplus: Path | None = None,
    epochs: int | None = None,
    start: Path | None = None,
    teachers: Path | None = None,
    resume: bool = False,
    say: Callable[[str], None] = print,
    **changes: Any,
) -> EmotionModel:
    """Train a network, export it, calibrate it and measure it on the faces it was chosen by.

    Args:
        data: as in `emorec.training.data.load`.
        folder: of the run; receives ``NAME.keras``, ``NAME.tflite``, their contract, their
            evaluation and ``confusion.png`` too.
        ferplus: FER+'s votes on the same faces.
        epochs: spread over the recipe's sides in its own proportions; None takes the recipe's.
        start: a ``.keras`` file with its contract beside it, whose weights the run begins with;
            it trains at full size from the first epoch on.
        teachers: a file of `emorec teach` on the same data; a copy stays in the folder.
        resume: go on with the run that is in the folder, under its own settings.
        say: takes one line of progress.
        **changes: to fields of `emorec.training.recipe.Recipe`; None leaves one as it is.

    Raises:
        DataError: the data cannot be used.
        TrainingError: the run cannot go on or be exported.
        ModelError: Keras is not installed, or ``start`` cannot be used.
    """
    changes = {name: value for name, value in changes.items() if value is not None}
    named = {"epochs": epochs, "start": start, "teachers": teachers}
    apart = {name: value for name, value in named.items() if value}
    given = [f"--{name.replace('_', '-')}" for name in apart | changes]
    if resume and given:
        raise TrainingError(
            f"{folder}: --resume goes on with the settings the run was begun with;"
            f" leave out {', '.join(given)}."
        )
    with _writing(folder, begun=False):
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if made:
            folder.rmdir()  # of data that cannot be read nothing stays
    for package, module in _NEEDED.items():
        if importlib.util.find_spec(module) is None:
            raise TrainingError(f"A run needs {package} at its end: pip install {package}.")
    training, validation, chosen_on = prepare(load(data, ferplus, say), say)

    backend = start_keras()
    from emorec.drawing.measures import confusion
    from emorec.training.calibrate import calibrate
    from emorec.training.export import export
    from emorec.training.fit import train
    from emorec.training.head import refit
    from emorec.training.recipe import Recipe, read_recipe
    from emorec.training.spread import measure as measure_spread

    first = None
    if start is not None:
        first, changes = _begin_with(start, changes)
    recipe = read_recipe(folder) if resume else Recipe(**changes).lasting(epochs)
    if teachers is not None or recipe.teachers:
        lesson = teachers or folder / _TEACHERS
        training, asked = learn_from(lesson, training)
        recipe = replace(recipe, teachers=asked)
    name = f"{recipe.network}_cnn"
    say(
        f"{recipe.network}: {recipe.epochs} epochs of {len(training)} faces, Keras on {backend},"
        f" into {folder}"
    )
    if teachers is not None:
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(teachers, folder / _TEACHERS)
    best = train(training, validation, folder, recipe, resume, say, first)

    say("Exporting …")
    shipped = build_network(recipe.network, FACE_SIDE)
    shipped.set_weights(best.get_weights())
    with _writing(folder):
        export(
            shipped,
            folder,
            name,
            kind=recipe.network,
            data={
                "name": data.name if data.is_dir() else "FER2013",
                "protocol": "learned from Training without the faces that stand pixel for pixel in"
                f" a test too, chosen on {chosen_on}",
            },
            command=_command(data, ferplus, recipe),
            validation=validation,
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


def run_teachers(
    data: Path, models: Sequence[Path], file: Path, say: Callable[[str], None] = print
) -> None:
    """Ask trained networks about the faces that `run` learns from, and keep what they say.

    Args:
        data: as in `emorec.training.data.load`.
        models: ``.tflite`` or ``.keras`` files with their contracts beside them.
        file: receives it.
        say: takes one line of progress.

    Raises:
        DataError: the data cannot be used.
        ModelError: a model is missing or damaged.
        TrainingError: the file cannot be written.
    """
    teachers = [load_model(model) for model in models]
    faces, _, _ = prepare(load(data, None, say), say)
    names = " ".join(model.name for model in models)
    with _writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
    teach(teachers, faces, file, f"emorec teach --data {data.name} {names}", say)


def _begin_with(start: Path, changes: dict[str, Any]) -> tuple[keras.Model, dict[str, Any]]:
    """Return the network to begin with, and what follows from it for the recipe."""
    import keras

    if start.suffix != ".keras":
        raise TrainingError(f"{start}: expected a .keras file to begin with.")
    contract = load_model(start).contract
    wanted = changes.get("network", contract.network)
    if wanted != contract.network and not _differ_in_size(wanted, contract.network):
        raise TrainingError(f"{start}: is of the network {contract.network}, not {wanted}.")
    network = keras.saving.load_model(start, compile=False)
    expected = build_network(contract.network, FACE_SIDE).get_weights()
    if [w.shape for w in network.get_weights()] != [w.shape for w in expected]:
        raise TrainingError(
            f"{start}: its layers are not those that the network {contract.network} has now."
        )
    return network, changes | {"network": wanted, "start": contract.command}


def _differ_in_size(one: str, other: str) -> bool:
    """Return whether two networks differ in size alone, so that layers of one fit the other."""
    return {one, other} <= SHAPES.keys() and SHAPES[one].activation == SHAPES[other].activation


def _command(data: Path, ferplus: Path | None, recipe: Recipe) -> str:
    """Return the command that repeats a run, also one that was resumed."""
    usual = type(recipe)()
    options = [f"--data {data.name}", f"--network {recipe.network}"]
    options += [f"--ferplus {ferplus.name}"] if ferplus else []
    options += [f"--epochs {recipe.epochs}"] if recipe.epochs != usual.epochs else []
    names = ("steps", "batch", "seed", "precision", "learning_rate", "weight_decay", "teaching")
    said = {name: getattr(recipe, name) for name in names}
    options += [
        f"--{name.replace('_', '-')} {value}"
        for name, value in said.items()
        if value != getattr(usual, name)
    ]
    command = " ".join(["emorec train", *options])
    if recipe.teachers:
        command = f"{recipe.teachers} --out {_TEACHERS}; {command} --teachers {_TEACHERS}"
    if recipe.start:
        # Each run that this one continues has a folder of its own.
        start = f"START{recipe.start.count(' --out START') + 1}"
        network = re.findall(r"--network (\S+)", recipe.start)[-1]
        model = f"{start}/{network}_cnn.keras"
        command = f"{recipe.start} --out {start}; {command} --start {model}"
    said |= {key: getattr(recipe, key) for key in ("network", "start", "teachers")}
    repeated = replace(usual, **said).lasting(recipe.epochs)
    return command if repeated == recipe else f"{command}, its settings changed by hand"


@contextlib.contextmanager
def _writing(folder: Path, begun: bool = True) -> Iterator[None]:
    """Turn an error of writing into one line; ``begun``: there are trained weights already."""
    kept = "; the trained weights are kept, and --resume exports them" if begun else ""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{folder}: cannot be written to ({error.strerror or error}){kept}."
        ) from error


def prepare(splits: dict[str, FaceSet], say: Callable[[str], None]) -> tuple[FaceSet, FaceSet, str]:
    """Return the faces to learn from, the faces to choose by, and the name of the latter."""
    if "Training" not in splits:
        raise DataError(f"There are no Training faces; only {', '.join(splits)}.")
    training = splits["Training"]
    if "PublicTest" in splits:
        validation, name = splits["PublicTest"], "PublicTest"
    else:
        order = np.random.default_rng(0).permutation(len(training))
        cut = int(len(training) * VALIDATION_SHARE)
        if not cut:
            raise DataError(f"{len(training)} Training faces are too few to set some apart.")
        validation, name = training.take(order[:cut]), "a tenth of Training"
        training = training.take(np.sort(order[cut:]))
        say(f"No PublicTest faces: {cut} of Training are set apart to choose by.")
    tests = [splits[test] for test in ("PrivateTest",) if test in splits]
    kept = without_faces_of(training, validation, *tests)
    if len(kept) < len(training):
        say(
            f"{len(training) - len(kept)} of {len(training)} Training faces stand in a test too:"
            " left out."
        )
    if not len(kept):
        raise DataError("No Training face is left that does not stand in a test too.")
    return kept, validation, name
