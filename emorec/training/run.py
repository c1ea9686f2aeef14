"""The whole of `emorec train` and `compress`: faces in, a measured model with its contract out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emorec.errors import DataError, TrainingError
from emorec.model.contract import Contract
from emorec.model.network import COMPRESSED_FROM, FACE_SIDE, TRAINED, build_network
from emorec.model.runtime import start_keras
from emorec.model.store import EmotionModel
from emorec.model.store import load as load_model
from emorec.training.data import FaceSet, load, without_faces_of
from emorec.training.distill import learn_from, teach
from emorec.training.finish import check_folder, finish, writing

if TYPE_CHECKING:
    import keras

    from emorec.training.compress import Lesson
    from emorec.training.recipe import Recipe

_TEACHERS = "teachers.npz"

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
    check_folder(folder)
    training, validation, chosen_on = prepare(load(data, ferplus, say), say)

    backend = start_keras()
    from emorec.training.fit import train
    from emorec.training.recipe import Recipe, read_recipe

    first = None
    if start is not None:
        first, changes = _begin_with(start, changes)
    recipe = read_recipe(folder) if resume else Recipe(**changes).lasting(epochs)
    if teachers is not None or recipe.teachers:
        lesson = teachers or folder / _TEACHERS
        training, asked = learn_from(lesson, training)
        recipe = replace(recipe, teachers=asked)
    say(
        f"{recipe.network}: {recipe.epochs} epochs of {len(training)} faces, Keras on {backend},"
        f" into {folder}"
    )
    if teachers is not None:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(teachers, folder / _TEACHERS)
    best = train(training, validation, folder, recipe, resume, say, first)

    return finish(
        best,
        folder,
        kind=recipe.network,
        data=data,
        command=_command(data, ferplus, recipe),
        splits=(training, validation, chosen_on),
        resumable=True,
        say=say,
    )


def run_compress(
    data: Path,
    folder: Path,
    model: Path,
    *,
    ferplus: Path | None = None,
    start: Path | None = None,
    say: Callable[[str], None] = print,
    **changes: Any,
) -> EmotionModel:
    """Compress a trained network, then export, calibrate and measure the smaller one.

    Args:
        data: as in `emorec.training.data.load`.
        folder: receives the files of a model, as with `run`.
        model: the ``.keras`` file of the network, with its contract beside it.
        ferplus: FER+'s votes on the same faces.
        start: the ``.keras`` file of a network compressed from it before, perhaps with other ranks,
            to begin with.
        say: takes one line of progress.
        **changes: to fields of `emorec.training.compress.Lesson`; None leaves one as it is.

    Raises:
        DataError: the data cannot be used.
        TrainingError: the network cannot be compressed, or the result not be exported.
        ModelError: Keras is not installed, or ``model`` cannot be used.
    """
    check_folder(folder)
    training, validation, chosen_on = prepare(load(data, ferplus, say), say)
    backend = start_keras()
    from emorec.training.compress import Lesson, compress

    lesson = Lesson(**{name: value for name, value in changes.items() if value is not None})
    source, contract = _network_of(model)
    if contract.network != COMPRESSED_FROM:
        raise TrainingError(
            f"{model}: expected the network {COMPRESSED_FROM}. Received {contract.network}."
        )
    begin_with, earlier = _loaded(start) if start else (None, None)
    if earlier is not None and earlier.network != "small":
        raise TrainingError(f"{start}: expected the network small. Received {earlier.network}.")
    say(f"{contract.name}: {lesson.epochs} epochs of {len(training)} faces, Keras on {backend}")
    small = compress(source, contract.network, training, validation, lesson, begin_with, say)
    return finish(
        small,
        folder,
        kind="small",
        data=data,
        command=_compress_command(data, ferplus, model, earlier, lesson),
        splits=(training, validation, chosen_on),
        resumable=False,
        say=say,
    )


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
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
    teach(teachers, faces, file, f"emorec teach --data {data.name} {names}", say)


def _begin_with(start: Path, changes: dict[str, Any]) -> tuple[keras.Model, dict[str, Any]]:
    """Return the network to begin with, and what follows from it for the recipe."""
    network, contract = _network_of(start)
    if contract.network not in TRAINED:
        raise TrainingError(
            f"{start}: is of the network {contract.network}: `emorec compress` makes it."
        )
    wanted = changes.get("network", contract.network)
    if wanted != contract.network:
        raise TrainingError(f"{start}: is of the network {contract.network}, not {wanted}.")
    return network, changes | {"network": wanted, "start": contract.command}


def _network_of(file: Path) -> tuple[keras.Model, Contract]:
    """Return a network and its contract, its layers being those that its kind has now."""
    network, contract = _loaded(file)
    expected = build_network(contract.network, FACE_SIDE).get_weights()
    if [w.shape for w in network.get_weights()] != [w.shape for w in expected]:
        raise TrainingError(
            f"{file}: its layers are not those that the network {contract.network} has now."
        )
    return network, contract


def _loaded(file: Path) -> tuple[keras.Model, Contract]:
    """Return a network and its contract."""
    import keras

    if file.suffix != ".keras":
        raise TrainingError(f"{file}: expected a .keras file to begin with.")
    contract = load_model(file).contract
    return keras.saving.load_model(file, compile=False), contract


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
        command = _continued(recipe.start, command, recipe.network)
    said |= {key: getattr(recipe, key) for key in ("network", "start", "teachers")}
    repeated = replace(usual, **said).lasting(recipe.epochs)
    return command if repeated == recipe else f"{command}, its settings changed by hand"


def _continued(before: str, command: str, network: str) -> str:
    """Return the command of a run that begins with what another one made, and of that one first."""
    # Each run that this one continues has a folder of its own.
    start = f"START{before.count(' --out START') + 1}"
    return f"{before} --out {start}; {command} --start {start}/{network}_cnn.keras"


def _compress_command(
    data: Path, ferplus: Path | None, model: Path, earlier: Contract | None, lesson: Lesson
) -> str:
    """Return the command that repeats a compression."""
    usual = type(lesson)()
    options = [f"--data {data.name}", *([f"--ferplus {ferplus.name}"] if ferplus else [])]
    options += [
        f"--{name.replace('_', '-')} {getattr(lesson, name)}"
        for name in asdict(lesson)
        if getattr(lesson, name) != getattr(usual, name)
    ]
    command = " ".join(["emorec compress", *options, f"--model {model.name}"])
    return _continued(earlier.command, command, earlier.network) if earlier else command


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
