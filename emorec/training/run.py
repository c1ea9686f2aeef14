"""The whole of `emorec train`: faces in, a measured model with its contract out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emorec.errors import DataError, TrainingError
from emorec.model.network import FACE_SIDE
from emorec.model.runtime import start_keras
from emorec.model.store import EmotionModel
from emorec.model.store import load as load_model
from emorec.training.data import FaceSet, load, without_faces_of
from emorec.training.evaluate import evaluate, readable, record

VALIDATION_SHARE = 0.1
"""Of Training, where the data name no faces to choose by."""


def run(
    data: Path,
    folder: Path,
    *,
    ferplus: Path | None = None,
    network: str | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> EmotionModel:
    """Train a network, export it and measure it on the faces that it was chosen by.

    Args:
        data: as in `emorec.training.data.load`.
        folder: of the run; receives ``NAME.keras``, ``NAME.tflite`` and ``NAME.json`` too.
        ferplus: FER+'s votes on the same faces.
        network: one of `emorec.model.network.NETWORKS`; None is ``elu``.
        epochs: spread over the recipe's sides in its own proportions; None takes the recipe's.
        steps: stop after so many (a trial of the machinery); None trains to the end.
        resume: go on with the run that is in the folder, under its own settings.
        say: takes one line of progress.

    Raises:
        DataError: the data cannot be used.
        TrainingError: the run cannot go on or be exported.
        ModelError: Keras is not installed.
    """
    if resume and (network, epochs, steps) != (None, None, None):
        raise TrainingError(
            f"{folder}: --resume goes on with the settings the run was begun with;"
            " leave out --network, --epochs and --steps."
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        splits = load(data, ferplus)
    for warning in caught:
        say(f"warning: {warning.message}")
    training, validation, chosen_on = prepare(splits, say)

    backend = start_keras()
    from emorec.training.calibrate import calibrate
    from emorec.training.export import export
    from emorec.training.fit import build_network, train
    from emorec.training.recipe import Recipe, read_recipe

    if resume:
        recipe = read_recipe(folder)
    else:
        recipe = Recipe(network=network or "elu", steps=steps).lasting(epochs)
    name = f"{recipe.network}_cnn"
    say(
        f"{recipe.network}: {recipe.epochs} epochs of {len(training)} faces, Keras on {backend},"
        f" into {folder}"
    )
    best = train(training, validation, folder, recipe, resume, say)

    say("Exporting …")
    shipped = build_network(recipe.network, FACE_SIDE)
    shipped.set_weights(best.get_weights())
    options = [f"--network {recipe.network}"]
    options += [f"--ferplus {ferplus.name}"] if ferplus else []
    options += [f"--epochs {recipe.epochs}"] if recipe.epochs != Recipe().epochs else []
    export(
        shipped,
        folder,
        name,
        kind=recipe.network,
        data={
            "name": data.name if data.is_dir() else "FER2013",
            "protocol": "learned from Training without the faces that stand pixel for pixel in a"
            f" test too, chosen on {chosen_on}",
        },
        command=" ".join(["emorec train", f"--data {data.name}", *options]),
        validation=validation,
        say=say,
    )
    model = calibrate(load_model(folder / f"{name}.tflite"), validation, say)
    plain, flipped = (evaluate(model, validation, chosen_on, flip) for flip in (False, True))
    record(model, chosen_on, plain, flipped)
    for measured in plain.values():
        say(readable(measured) + "\n")
    return model


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
