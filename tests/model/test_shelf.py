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
from emorec.model.evaluation import SETTINGS
from emorec.model.shelf import activations, crops, measured, names
from emorec.paths import MODELS


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("EMOREC_RUNTIME", raising=False)
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


def test_the_runtime_decides_which_weights_count(
    monkeypatch: pytest.MonkeyPatch, shelf: Path
) -> None:
    for name in ("a.json", "a.tflite", "b.json", "b.keras"):
        (shelf / name).touch()
    monkeypatch.setenv("EMOREC_RUNTIME", "keras")
    assert names() == ["b"]


def test_the_model_that_ships_is_there() -> None:
    assert names()[0] == "elu_cnn"


def kinds(own: Contract, **shown: Any) -> dict[str, Any]:
    model = {"model": {"name": own.name, "sha256": own.files["tflite"]["sha256"]}}
    settings = {name: getattr(own, name) for name in SETTINGS}
    return {"fer2013": model, "ferplus": model, "shown": model | settings | shown}


def test_nothing_measured_is_nothing(own: Contract, tmp_path: Path) -> None:
    assert measured(tmp_path / "elu_cnn.tflite", own) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"PublicTest": ["fer2013", "ferplus", "shown"]}),
        ({"blend": 0.123}, {"PublicTest": ["fer2013", "ferplus"]}),
        ({"prior_power": 0.123}, {"PublicTest": ["fer2013", "ferplus"]}),
        ({"unsure_below": 0.123}, {"PublicTest": ["fer2013", "ferplus"]}),
    ],
    ids=["as measured", "other blend", "other prior", "other threshold"],
)
def test_only_what_still_holds_is_told(
    own: Contract, tmp_path: Path, change: dict[str, float], expected: dict[str, list[str]]
) -> None:
    file = tmp_path / "elu_cnn.tflite"
    evaluation.write(file, {"PublicTest": kinds(own, **change)})
    assert {split: list(told) for split, told in measured(file, own).items()} == expected


def test_what_other_weights_reached_is_not_told(own: Contract, tmp_path: Path) -> None:
    file = tmp_path / "elu_cnn.tflite"
    evaluation.write(file, {"PublicTest": kinds(own)})
    files = {kind: {**of, "sha256": "0" * 64} for kind, of in own.files.items()}
    assert measured(file, replace(own, files=files)) == {}


@pytest.mark.parametrize(
    "content", ['{"A": {"fer2013": {}}}', '{"A": {"fer2013": 3}}', '{"A": {"fer2013": null}}']
)
def test_a_damaged_evaluation_is_a_line(own: Contract, tmp_path: Path, content: str) -> None:
    (tmp_path / "a.evaluation.json").write_text(content)
    with pytest.raises(ModelError, match=r"a\.evaluation\.json: is no evaluation") as raised:
        measured(tmp_path / "a.tflite", own)
    assert "\n" not in str(raised.value)


def test_no_comparison_is_none(tmp_path: Path) -> None:
    assert activations(tmp_path) is None


def test_a_comparison_is_read(tmp_path: Path) -> None:
    content = {"runs": [], "networks": {}, "split": "PublicTest"}
    (tmp_path / "activations.json").write_text(json.dumps(content))
    assert activations(tmp_path) == content


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"runs": []}'])
def test_what_is_no_comparison_is_a_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "activations.json").write_text(content)
    with pytest.raises(ModelError, match=r"activations\.json: ") as raised:
        activations(tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", ["", "[]", '{"split": "PublicTest"}'])
def test_what_is_no_measure_of_crops_is_a_line(own: Contract, tmp_path: Path, content: str) -> None:
    assert crops(tmp_path, own) is None
    (tmp_path / "crops.json").write_text(content)
    with pytest.raises(ModelError, match=r"crops\.json: ") as raised:
        crops(tmp_path, own)
    assert "\n" not in str(raised.value)
