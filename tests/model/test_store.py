"""A model is loaded only if file, contract and program fit; and it takes only what it promises."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from emorec.emotions import EMOTIONS
from emorec.errors import ModelError
from emorec.model import store
from emorec.model.runtime import Runtime
from emorec.model.shown import shown
from emorec.model.store import EmotionModel, load
from emorec.paths import MODELS


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the model that ships, to be broken."""
    for suffix in ("tflite", "json"):
        shutil.copy(MODELS / f"elu_cnn.{suffix}", tmp_path)
    return tmp_path / "elu_cnn.tflite"


def some_faces(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 33, 70])
def test_any_number_of_faces_is_read_as_one_by_one(model: EmotionModel, n: int) -> None:
    faces = some_faces(n)
    probs = model.classify(faces)
    assert probs.shape == (n, len(EMOTIONS)) and probs.dtype == np.float32
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    for face, row in zip(faces, probs, strict=True):
        np.testing.assert_allclose(model.classify(face[None])[0], row, atol=1e-5)


def test_what_is_shown_is_both_heads_as_the_contract_says(copy: Path) -> None:
    temperatures = {"fer2013": 0.5, "ferplus": 2, "shown": 0.8}
    rewrite_contract(copy, temperatures=temperatures, blend=0.25, prior_power=0.5, head=None)
    model, faces = load(copy), some_faces(5)
    outputs = model.outputs(faces)
    assert [outputs[head].shape for head in ("fer2013", "ferplus")] == [(5, 7), (5, 8)]
    expected = shown(outputs, temperatures, 0.25, 0.5)
    np.testing.assert_array_equal(model.classify(faces), expected)
    assert np.abs(expected - outputs["fer2013"]).max() > 0.05


def test_a_head_of_other_features_is_refused(copy: Path) -> None:
    rewrite_contract(copy, head={"weights": [[0.5] * 9] * 7, "biases": [0.0] * 7})
    with pytest.raises(ModelError, match="output features is 256, expected 9"):
        load(copy)


@pytest.mark.parametrize(
    "faces",
    [np.zeros((1, 48, 48), np.uint8), np.full((1, 48, 48), 255, np.uint8)],
    ids=["black", "white"],
)
def test_a_flat_face_gives_numbers(model: EmotionModel, faces: np.ndarray) -> None:
    assert np.isfinite(model.classify(faces)).all()


def test_a_face_is_read_wherever_it_lies_in_memory(model: EmotionModel) -> None:
    faces = some_faces(3)
    mirrored = faces[:, :, ::-1]
    np.testing.assert_array_equal(model.classify(mirrored), model.classify(mirrored.copy()))


def test_several_threads_may_use_one_model(model: EmotionModel) -> None:
    stacks = [some_faces(n) for n in (1, 5, 2, 9, 40, 3) * 3]
    alone = [model.classify(faces) for faces in stacks]
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(model.classify, stacks))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    "faces",
    [
        None,
        [[0]],
        np.full((1, 48, 48), np.nan),
        np.zeros((1, 48, 48), np.float32),
        np.zeros((1, 48, 48), np.int64),
        np.zeros((48, 48), np.uint8),
        np.zeros((1, 48, 48, 1), np.uint8),
        np.zeros((1, 48, 47), np.uint8),
        np.zeros((0, 64, 64), np.uint8),
    ],
)
def test_what_is_no_stack_of_faces_is_refused(model: EmotionModel, faces: object) -> None:
    with pytest.raises(ValueError, match=r"Expected uint8 faces .* Received "):
        model.classify(faces)  # type: ignore[arg-type]


def rewrite_contract(path: Path, **parts: object) -> None:
    file = path.with_suffix(".json")
    file.write_text(json.dumps(json.loads(file.read_text()) | parts))


def promise(path: Path) -> None:
    """Let the contract promise the file as it now is."""
    files = json.loads(path.with_suffix(".json").read_text())["files"]
    files["tflite"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    rewrite_contract(path, files=files)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def empty_and_promised(path: Path) -> None:
    empty(path)
    promise(path)


def text_and_promised(path: Path) -> None:
    path.write_text("no flatbuffer at all, but long enough to have a header")
    promise(path)


def cut_and_promised(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])
    promise(path)


def renamed_contract(path: Path) -> None:
    files = json.loads(path.with_suffix(".json").read_text())["files"]
    files["tflite"]["file"] = "other.tflite"
    rewrite_contract(path, files=files)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda path: path.unlink(), "no such model"),
        (lambda path: path.with_suffix(".json").unlink(), "contract must stand beside"),
        (lambda path: path.with_suffix(".json").write_text("{"), "cannot be read as JSON"),
        (lambda path: rewrite_contract(path, labels={}), "labels: expected"),
        (renamed_contract, "contract of other.tflite"),
        (cut, "damaged"),
        (empty, "damaged"),
        (empty_and_promised, "no model that can be run"),
        (text_and_promised, "no model that can be run"),
        (cut_and_promised, "no model that can be run"),
    ],
)
def test_a_model_that_cannot_be_trusted_is_refused(
    copy: Path, harm: Callable[[Path], object], says: str
) -> None:
    assert load(copy).contract.name == "elu_cnn"
    harm(copy)
    with pytest.raises(ModelError, match=says) as raised:
        load(copy)
    assert str(copy.parent) in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected a .tflite or a .keras file"):
        load(tmp_path / "model.h5")


class OtherRuntime(Runtime):
    """Weights that differ from what every contract says in one thing."""

    input_shape = (48, 48, 1)
    input_dtype = "uint8"
    outputs = {"fer2013": 7, "ferplus": 8}  # noqa: RUF012

    def _run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("part", "value", "says"),
    [
        ("input_shape", (64, 64, 1), r"input is \[64, 64, 1\]"),
        ("input_dtype", "float32", "input is float32"),
        ("outputs", {"fer2013": 7}, "output ferplus is None"),
        ("outputs", {"fer2013": 8, "ferplus": 8}, "output fer2013 is 8"),
    ],
)
def test_weights_that_do_not_fit_the_contract_are_refused(
    monkeypatch: pytest.MonkeyPatch, part: str, value: object, says: str
) -> None:
    other = type("Other", (OtherRuntime,), {part: value})
    monkeypatch.setattr(store, "LiteRTRuntime", lambda content: other())
    with pytest.raises(ModelError, match=f"does not fit its contract: {says}, expected"):
        load()
