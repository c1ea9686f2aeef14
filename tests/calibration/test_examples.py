"""A person's examples: learned in numbers, checked, kept, and refused where they do not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from emorec.calibration import examples
from emorec.calibration.examples import Corrector, Examples, learn, learn_checked
from emorec.emotions import EMOTIONS
from emorec.errors import DataError, ModelError
from emorec.model import spread
from emorec.model.evaluation import Weights
from emorec.model.store import EmotionModel, load, path_of
from emorec.recognizer import EmotionRecognizer

RANDOM = np.random.default_rng(5)


@cache
def unwhitening(file: Path) -> np.ndarray:
    return np.linalg.inv(spread.read(file, load(file).contract).whitening)


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return load()


def neutral_rows(model: EmotionModel, labels: list[str], noise: float = 0.3) -> np.ndarray:
    """Rows of a person whose every expression the network calls neutral.

    The expressions lie apart in the features, in a direction of the network's spread each.
    """
    own = spread.read(model.file, model.contract)
    back = unwhitening(model.file)
    probs = np.array([0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.88], np.float32)
    rows = []
    for label in labels:
        white = np.zeros(len(own.centre))
        white[10 * EMOTIONS.index(label)] = 5
        white += RANDOM.normal(0, noise, len(white))
        rows.append(np.concatenate([probs, own.centre + white @ back]))
    return np.array(rows, np.float32)


def index(labels: list[str]) -> list[int]:
    return [EMOTIONS.index(label) for label in labels]


def test_examples_teach_what_the_network_misses(model: EmotionModel) -> None:
    labels = ["neutral", "sad", "happy"] * 3
    learned = learn_checked(model, neutral_rows(model, labels), labels)
    assert learned.counts == {"happy": 3, "sad": 3, "neutral": 3}
    fresh = ["sad", "happy", "neutral"] * 4
    rows = neutral_rows(model, fresh)
    probs = Corrector(learned, model)(rows)
    assert rows[:, :7].argmax(axis=1).tolist() == [6] * 12
    assert probs.argmax(axis=1).tolist() == index(fresh)
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-5)


def test_more_examples_change_more(model: EmotionModel) -> None:
    test = neutral_rows(model, ["sad"] * 8)
    sure = []
    for count in (1, 3, 9):
        labels = ["neutral", "sad"] * count
        learned = learn(model, neutral_rows(model, labels), labels)
        sure.append(float(Corrector(learned, model)(test)[:, EMOTIONS.index("sad")].mean()))
    assert sure == sorted(sure) and sure[0] > float(test[:, EMOTIONS.index("sad")].mean())


def test_a_face_unlike_all_examples_is_left_to_the_network(model: EmotionModel) -> None:
    labels = ["neutral", "sad"] * 3
    learned = learn(model, neutral_rows(model, labels), labels)
    other = neutral_rows(model, ["surprise"] * 4)
    other[:, :7] = np.eye(7, dtype=np.float32)[EMOTIONS.index("surprise")] * 0.9 + 0.1 / 7
    probs = Corrector(learned, model)(other)
    assert probs.argmax(axis=1).tolist() == [EMOTIONS.index("surprise")] * 4


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["sad", "sad", "happy"], "happy: 1 face each; 2 or more are needed"),
        (["sad", "sad"], "two emotions or more"),
        ([], "two emotions or more"),
    ],
)
def test_too_few_examples_are_refused(model: EmotionModel, labels: list[str], says: str) -> None:
    rows = neutral_rows(model, labels) if labels else np.zeros((0, 263), np.float32)
    with pytest.raises(DataError, match=says):
        learn_checked(model, rows, labels)


def test_examples_that_make_each_other_worse_are_refused(model: EmotionModel) -> None:
    # The network is right about all of them; in the features each looks like the other emotion.
    labels = ["sad", "happy"] * 3
    rows = neutral_rows(model, ["sad", "happy", "happy", "sad", "sad", "happy"], noise=0.01)
    rows[:, :7] = 0.4 * np.eye(7, dtype=np.float32)[index(labels)] + 0.6 / 7
    with pytest.raises(
        DataError, match=r"would make it worse.*of 6 faces.* \d get .* and 6 without"
    ):
        learn_checked(model, rows, labels)


@pytest.mark.parametrize("labels", [["sad"], ["sad", "glad"]])
def test_labels_that_do_not_fit_are_refused(model: EmotionModel, labels: list[str]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        learn_checked(model, neutral_rows(model, ["sad", "sad"]), labels)


def test_the_public_interface_learns_from_faces() -> None:
    recognizer = EmotionRecognizer()
    faces = np.random.default_rng(1).integers(0, 256, (4, 48, 48)).astype(np.uint8)
    said = recognizer.classify(faces)
    faces = np.concatenate([faces, faces, faces + np.uint8(1)])
    labels = ["neutral", "neutral", "sad", "sad"] * 3
    learned = recognizer.calibrate(faces, labels)
    assert learned.counts == {"sad": 6, "neutral": 6}
    probs = Corrector(learned, recognizer.model)(recognizer.model.rows(faces[:4]))
    assert probs.argmax(axis=1).tolist() == index(labels[:4])
    assert said.shape == probs.shape
    with pytest.raises(ValueError, match="uint8 faces"):
        recognizer.calibrate(faces.astype(float), labels)


def test_what_was_learned_is_kept_in_numbers_alone(model: EmotionModel, tmp_path: Path) -> None:
    labels = ["neutral", "sad"] * 2
    learned = learn(model, neutral_rows(model, labels), labels)
    file = tmp_path / "me.json"
    examples.write(learned, file)
    assert examples.read(file) == learned
    content = json.loads(file.read_text())
    assert set(content) == {"model", "counts", "network_share", "weights"}
    assert [len(row) for row in content["weights"]] == [256] * 7


def test_a_calibration_of_another_network_is_refused(model: EmotionModel) -> None:
    labels = ["neutral", "sad"] * 2
    learned = learn(model, neutral_rows(model, labels), labels)
    with pytest.raises(ModelError, match=r"belongs to another network \(elu_cnn, .* relu_cnn"):
        Corrector(learned, load(path_of("relu_cnn")))
    cut = replace(learned, weights=tuple(row[:5] for row in learned.weights))
    with pytest.raises(ModelError, match="5 numbers for each emotion"):
        Corrector(cut, model)


def as_text(**changes: object) -> str:
    good = {
        "model": {"name": "a", "sha256": "b"},
        "counts": {"sad": 2},
        "network_share": 1,
        "weights": [[0.0]] * 7,
    }
    return json.dumps(good | changes)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no json", "cannot be read as JSON"),
        ("[]", "expected an object"),
        (as_text(weights=[[0.0]] * 6), "7 rows of one length"),
        (as_text(weights=[[0.0, 1.0], *[[0.0]] * 6]), "7 rows of one length"),
        (as_text(weights=[["a"]] * 7), "expected a number"),
        (as_text(network_share=2), "number from 0 to 1"),
        (as_text(counts={"glad": 2}), "Received glad"),
        (as_text(counts={"sad": -1}), "expected a count"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "me.json"
    file.write_text(content)
    with pytest.raises(ModelError, match=says) as raised:
        examples.read(file)
    assert str(file) in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"me\.json: no such file. `emorec calibrate` writes one"):
        examples.read(tmp_path / "me.json")
    own = Examples(
        model=Weights(name="a", sha256="b"), counts={}, network_share=1.0, weights=((0.0,),) * 7
    )
    with pytest.raises(DataError, match="cannot be written"):
        examples.write(own, tmp_path / "none" / "me.json")


@pytest.mark.parametrize("name", ["elu_cnn", "relu_cnn"])
def test_each_model_that_ships_has_its_spread(name: str) -> None:
    own = load(path_of(name))
    found = spread.read(own.file, own.contract)
    vectors = found(np.random.default_rng(0).normal(size=(3, 256)).astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("damage", ["missing", "foreign", "cut", "no archive", "not finite"])
def test_a_spread_that_does_not_fit_is_refused(
    model: EmotionModel, tmp_path: Path, damage: str
) -> None:
    own = spread.read(model.file, model.contract)
    file, contract = tmp_path / "a.tflite", model.contract
    if damage == "not finite":
        own = replace(own, whitening=np.full_like(own.whitening, np.inf))
    if damage != "missing":
        spread.write(file, contract, own)
    if damage == "foreign":
        contract = load(path_of("relu_cnn")).contract
    place = spread.spread_file(file)
    if damage == "cut":
        place.write_bytes(place.read_bytes()[:500])
    if damage == "no archive":
        place.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"a\.spread\.npz: .*emorec\.training\.spread"):
        spread.read(file, contract)
