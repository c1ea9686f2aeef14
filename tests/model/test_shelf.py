"""Which models stand ready, and how much of what was measured of them still holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emorec.errors import ModelError
from emorec.model import evaluation
from emorec.model.contract import Contract, read
from emorec.model.evaluation import Evaluation
from emorec.model.shelf import MEASURES, activations, calibration, crops, decision, measured, names
from emorec.paths import MODELS


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("emorec.model.store.MODELS", tmp_path)
    return tmp_path


@pytest.fixture
def own() -> Contract:
    return read(MODELS / "elu_cnn.json")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], []),
        (["elu_cnn.json"], []),
        (["elu_cnn.tflite"], []),
        (["elu_cnn.json", "elu_cnn.tflite"], ["elu_cnn"]),
        (["elu_cnn.json", "elu_cnn.keras"], []),
        (["a.json", "a.tflite", "elu_cnn.json", "elu_cnn.tflite"], ["elu_cnn", "a"]),
        (["b.json", "b.tflite", "a.json", "a.tflite"], ["a", "b"]),
        (["a.json", "a.tflite", "a.evaluation.json", "activations.json", "face.tflite"], ["a"]),
    ],
)
def test_names_are_those_of_weights_with_a_contract(
    shelf: Path, files: list[str], expected: list[str]
) -> None:
    for name in files:
        (shelf / name).touch()
    assert names() == expected


def test_the_runtime_decides_which_weights_count(shelf: Path) -> None:
    for name in ("a.json", "a.tflite", "b.json", "b.keras"):
        (shelf / name).touch()
    assert names("keras") == ["b"]


def test_the_model_that_ships_is_there() -> None:
    assert names()[0] == "elu_cnn"


def recorded(**shown: Any) -> Evaluation:
    """What is recorded of the shipped model, but for these numbers of what is shown."""
    kept = evaluation.read(MODELS / "elu_cnn.tflite")["PublicTest"]
    return replace(kept, shown=replace(kept.shown, **shown))


def test_nothing_measured_is_nothing(own: Contract, tmp_path: Path) -> None:
    assert measured(tmp_path / "elu_cnn.tflite", own) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"PublicTest": ["fer2013", "ferplus", "shown"]}),
        ({"blend": 0.123}, {"PublicTest": ["fer2013", "ferplus"]}),
        ({"prior_power": 0.123}, {"PublicTest": ["fer2013", "ferplus"]}),
        ({"unsure_below": 0.123}, {"PublicTest": ["fer2013", "ferplus"]}),
        ({"head_sha256": "0" * 64}, {"PublicTest": ["fer2013", "ferplus"]}),
    ],
    ids=["as measured", "other blend", "other prior", "other threshold", "other head"],
)
def test_only_what_still_holds_is_told(
    own: Contract, tmp_path: Path, change: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    file = tmp_path / "elu_cnn.tflite"
    evaluation.write(file, {"PublicTest": recorded(**change)})
    told = {split: list(kept.answers()) for split, kept in measured(file, own).items()}
    assert told == expected


def test_what_other_weights_reached_is_not_told(own: Contract, tmp_path: Path) -> None:
    file = tmp_path / "elu_cnn.tflite"
    evaluation.write(file, {"PublicTest": recorded()})
    files = {kind: {**of, "sha256": "0" * 64} for kind, of in own.files.items()}
    assert measured(file, replace(own, files=files)) == {}


def test_no_comparison_is_none(tmp_path: Path) -> None:
    assert activations(tmp_path) is None


def test_what_ships_is_read(own: Contract) -> None:
    compared, framed, decided = activations(MODELS), crops(MODELS, own), decision(MODELS)
    assert compared is not None and framed is not None and decided is not None
    assert compared.measures == MEASURES and set(compared.networks) == {"elu", "relu"}
    assert 0 < framed.found <= framed.faces
    assert {rule.model.name for rule in decided.rules if rule.ships} == set(names())
    worth = calibration(MODELS)
    assert worth is not None and [each.model.name for each in worth.models] == names()
    for each in worth.models:
        accuracies = [line.accuracy for line in each.few_shot]
        assert accuracies == sorted(accuracies)


@pytest.mark.parametrize(
    ("file", "writer"),
    [
        ("activations.json", "emorec.training.compare"),
        ("crops.json", "emorec.training.framing"),
        ("decision.json", "benchmarks.decision"),
        ("calibration.json", "benchmarks.baseline"),
    ],
)
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"split": 3}', '{"runs": []}'])
def test_what_is_no_such_record_is_a_line(
    own: Contract, tmp_path: Path, file: str, writer: str, content: str
) -> None:
    read_it = {
        "activations.json": activations,
        "crops.json": lambda folder: crops(folder, own),
        "decision.json": decision,
        "calibration.json": calibration,
    }[file]
    assert read_it(tmp_path) is None
    (tmp_path / file).write_text(content)
    with pytest.raises(ModelError) as raised:
        read_it(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / file}: ") and "\n" not in str(raised.value)
    assert not content or f"`python -m {writer}` writes this file" in str(raised.value)


def test_a_comparison_of_no_runs_is_refused(tmp_path: Path) -> None:
    content = json.loads((MODELS / "activations.json").read_text()) | {"runs": []}
    (tmp_path / "activations.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match="expected at least one run"):
        activations(tmp_path)


def test_the_crops_of_other_weights_are_not_told(own: Contract) -> None:
    files = {kind: {**of, "sha256": "0" * 64} for kind, of in own.files.items()}
    assert crops(MODELS, replace(own, files=files)) is None
