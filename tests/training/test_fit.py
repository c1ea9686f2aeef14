"""A run learns, keeps what it has when it is stopped, and fails loudly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from emorec.errors import TrainingError
from emorec.model.network import build_network
from emorec.training import fit, trainee
from emorec.training.augment import Augmentation, vary
from emorec.training.data import FaceSet
from emorec.training.files import replace_whole
from emorec.training.fit import train
from emorec.training.recipe import Recipe, read_recipe
from emorec.training.trainee import vote_shares

RECIPE = Recipe(stages=((24, 2), (32, 1)), batch=16, warmup_epochs=1, learning_rate=0.05)


ONE_STEP = replace(RECIPE, steps=1, augmentation=Augmentation(erase=0))


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """The same networks with few channels, step by step: to compile one takes seconds."""
    tiny = partial(build_network, widths=(4,), depths=(1,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "build_network", tiny)
        patch.setattr(trainee, "build_network", tiny)
        compiles(False)
        yield
        compiles(True)


def compiles(yes: bool) -> None:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(not yes)


def made_up(n: int, seed: int) -> FaceSet:
    """Faces of two kinds that anyone could tell apart: bright above, or bright below."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, n)
    faces = random.integers(0, 100, (n, 48, 48))
    faces[labels == 0, :24] += 120
    faces[labels == 1, 24:] += 120
    votes = np.zeros((n, 10), np.int64)
    votes[range(n), labels] = 9
    return FaceSet(faces.astype(np.uint8), labels.astype(np.int64), votes)


TRAINING, VALIDATION = made_up(64, 1), made_up(16, 2)
TWO_STEPS = TRAINING.take(np.arange(2 * RECIPE.batch))
"""An epoch of two steps."""


class Interrupted(Exception):  # noqa: N818
    """What stands for the power going off."""


def interrupt_after(epoch: int) -> object:
    def say(line: str) -> None:
        if line.startswith(f"epoch {epoch} "):
            raise Interrupted

    return say


def silent(line: str) -> None:
    del line


def state(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "last.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    """A run of `ONE_STEP` that is over: its folder, and what it returned."""
    folder = tmp_path_factory.mktemp("done")
    return folder, train(TRAINING, VALIDATION, folder, ONE_STEP, say=silent)


@pytest.fixture
def over(done: tuple[Path, keras.Model], tmp_path: Path) -> Path:
    """A copy of the folder of that run, to be spoiled."""
    return Path(shutil.copytree(done[0], tmp_path / "run"))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The state after eight epochs with the training step compiled, as it is for users."""
    folder = tmp_path_factory.mktemp("learned")
    recipe = Recipe(
        stages=((24, 8),),
        batch=16,
        warmup_epochs=1,
        augmentation=Augmentation(shift=0, scale=0, rotation_deg=0, noise=0, erase=0, mixup=0),
    )
    compiles(True)
    train(TRAINING, VALIDATION, folder, recipe, say=silent)
    compiles(False)
    return state(folder)


def test_an_epoch_leaves_the_raw_weights_apart_from_their_average(
    learned: dict[str, np.ndarray],
) -> None:
    saved = learned
    network = fit.build_network("elu", None, dtype="float32")
    network.set_weights([saved[f"network_{i}"] for i in range(len(network.weights))])
    raw = [keras.ops.convert_to_numpy(weight) for weight in network.trainable_weights]
    # The optimiser keeps the averages first, after the count of its steps.
    averages = [saved[f"optimizer_{i}"] for i in range(1, len(raw) + 1)]
    assert any(np.abs(one - other).max() > 1e-4 for one, other in zip(raw, averages, strict=True))


@pytest.mark.parametrize(
    "recipe", [Recipe("elu"), Recipe("relu"), Recipe("elu", start="emorec train").lasting(3)]
)
def test_the_last_epochs_show_faces_as_the_network_then_takes_them(recipe: Recipe) -> None:
    trained = fit.build_network(recipe.network, None, dtype="float32")
    shipped = fit.build_network(recipe.network)
    shipped.set_weights(trained.get_weights())
    left = np.random.default_rng(1).integers(0, 256, (8, 48, 24)).astype(np.uint8)
    faces = np.concatenate([left, left[:, :, ::-1]], axis=2)  # their own mirror images
    still = Augmentation(0, 0, 0, 0, 0, 0, erase=0)
    seeds = keras.random.SeedGenerator(1)
    shown = vary(keras.ops.convert_to_tensor(faces), recipe.sides[-1], still, seeds)
    learned, read = trained(shown[..., None]), shipped(faces[..., None])
    for head in ("fer2013", "ferplus"):
        np.testing.assert_allclose(learned[head], read[head], atol=1e-5)


def test_what_is_easy_is_learned(learned: dict[str, np.ndarray]) -> None:
    losses = [row["loss"] for row in json.loads(str(learned["history"]))]
    assert losses[-1] < 0.5 * losses[0]


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_one(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train(TWO_STEPS, VALIDATION, tmp_path, RECIPE, say=interrupt_after(1))
    good = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    hot = replace(RECIPE, learning_rate=1e30)
    settings = json.loads(good["settings.json"]) | {"learning_rate": 1e30}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(TrainingError, match=r"not a number at step \d"):
        train(TWO_STEPS, VALIDATION, tmp_path, hot, resume=True, say=silent)
    for name in ("last.npz", "best.npz", "history.csv", "curves.png"):
        assert (tmp_path / name).read_bytes() == good[name]


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "last.npz"
    file.write_bytes(b"before")

    def full_disk(part: Path) -> None:
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError) as raised:
        replace_whole(file, full_disk)
    message = str(raised.value)
    assert message.startswith(f"{file}: cannot be written (No space left on device)")
    assert "\n" not in message
    assert file.read_bytes() == b"before" and list(tmp_path.iterdir()) == [file]


@pytest.mark.long
def test_a_full_disk_stops_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="Windows sets no limit to a file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    recipe = replace(RECIPE, stages=((24, 2),))
    kept = {}

    def fill_the_disk(line: str) -> None:
        if line.startswith("epoch 1 "):
            kept.update({file.name: file.read_bytes() for file in tmp_path.iterdir()})
            room = len(kept["last.npz"]) // 2
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))

    try:
        with pytest.raises(TrainingError, match=r"npz: cannot be written \(.*--resume") as raised:
            train(TRAINING, VALIDATION, tmp_path, recipe, say=fill_the_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(raised.value)
    assert (tmp_path / "last.npz").read_bytes() == kept["last.npz"]
    assert kept.keys() == {file.name for file in tmp_path.iterdir()}
    train(TRAINING, VALIDATION, tmp_path, recipe, resume=True, say=silent)
    assert len(json.loads(str(state(tmp_path)["history"]))) == recipe.epochs


@pytest.mark.parametrize("name", ["last.npz", "best.npz"])
def test_a_damaged_checkpoint_is_named(over: Path, name: str) -> None:
    (over / name).write_bytes((over / name).read_bytes()[:100])
    with pytest.raises(TrainingError, match=rf"{name}: cannot be read") as raised:
        train(TRAINING, VALIDATION, over, ONE_STEP, resume=True, say=silent)
    assert "\n" not in str(raised.value)


def test_a_finished_run_resumes_to_the_same_weights(
    done: tuple[Path, keras.Model], over: Path
) -> None:
    (over / "history.csv").unlink()  # as if the power had gone off between the two files
    again = train(TRAINING, VALIDATION, over, ONE_STEP, resume=True, say=silent)
    for one, other in zip(done[1].get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (over / "history.csv").read_text().startswith("epoch,side,loss")


def test_a_trial_stops_after_its_steps(tmp_path: Path) -> None:
    train(TWO_STEPS, VALIDATION, tmp_path, replace(RECIPE, steps=3), say=silent)
    assert int(state(tmp_path)["optimizer_0"]) == 3


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to resume"):
        train(TRAINING, VALIDATION, tmp_path, RECIPE, resume=True)
    (tmp_path / "last.npz").write_bytes(b"")
    with pytest.raises(TrainingError, match="holds a run already"):
        train(TRAINING, VALIDATION, tmp_path, RECIPE)
    (tmp_path / "settings.json").write_text(json.dumps(asdict(RECIPE)))
    with pytest.raises(TrainingError, match="other settings"):
        train(TRAINING, VALIDATION, tmp_path, replace(RECIPE, seed=2), resume=True)


@pytest.mark.parametrize("text", [None, "", "{}", '{"stages": 3}', "[]"])
def test_settings_that_are_none_are_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "settings.json").write_text(text)
    with pytest.raises(TrainingError, match=r"settings\.json"):
        read_recipe(tmp_path)


def test_settings_are_read_as_they_were(over: Path) -> None:
    assert read_recipe(over) == ONE_STEP


@pytest.mark.parametrize(
    ("network", "epochs", "stages"),
    [
        ("elu", None, ((24, 6), (32, 3), (48, 1))),
        ("elu", 20, ((24, 12), (32, 6), (48, 2))),
        ("relu", 1, ((24, 1), (32, 0), (48, 0))),
        ("seed", None, ((48, 10),)),
        ("seed", 3, ((48, 3),)),
    ],
)
def test_epochs_are_spread_over_the_sides(
    network: str, epochs: int | None, stages: tuple[tuple[int, int], ...]
) -> None:
    recipe = Recipe(network=network, stages=((24, 6), (32, 3), (48, 1))).lasting(epochs)
    assert recipe.stages == stages
    assert recipe.sides == [side for side, count in stages for _ in range(count)]


@pytest.mark.parametrize(
    ("votes", "shares"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0] * 8),
        ([8, 2, 0, 0, 0, 0, 0, 0, 0, 0], [0.8, 0.2, 0, 0, 0, 0, 0, 0]),
        ([8, 1, 1, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]),  # single votes are slips
        ([4, 0, 0, 0, 0, 0, 0, 0, 6, 0], [0] * 8),  # most said "unknown"
        ([3, 0, 0, 0, 0, 0, 0, 3, 2, 2], [0.5, 0, 0, 0, 0, 0, 0, 0.5]),
    ],
)
def test_votes_become_shares(votes: list[int], shares: list[float]) -> None:
    received = vote_shares(np.array([votes]))
    assert received.dtype == np.float32
    np.testing.assert_allclose(received, [shares])
