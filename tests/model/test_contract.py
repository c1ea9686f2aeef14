"""The contract beside the weights: what is written can be read, and every mismatch is named."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from emorec.errors import ModelError
from emorec.model.contract import INPUT, LABELS, Contract, read, write

FILE = {"file": "a.tflite", "sha256": "0" * 64, "bytes": 9}
LITE = FILE | {"weights": "float32"}
MEASURED = {"n": 2, "accuracy": 0.5, "macro_f1": 0.4, "ece": 0.1}
CONTRACT = Contract(
    name="a",
    network="elu",
    created="2026-01-31",
    files={"keras": FILE | {"file": "a.keras"}, "tflite": LITE},
    data={"name": "FER2013", "protocol": "as it came"},
    metrics={"PublicTest": MEASURED},
    licence="MIT",
    command="emorec train",
    temperatures={"fer2013": 0.9, "ferplus": 1.2, "shown": 0.8},
    blend=0.5,
    unsure_below=0.4,
    input=INPUT,
    labels=LABELS,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(CONTRACT, tmp_path / "a.json")
    assert read(tmp_path / "a.json") == CONTRACT


def test_nothing_measured_yet_is_allowed(tmp_path: Path) -> None:
    content = asdict(CONTRACT) | {"metrics": {}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read(tmp_path / "a.json").metrics == {}


def test_a_contract_of_before_divides_no_prior_out(tmp_path: Path) -> None:
    content = asdict(CONTRACT)
    del content["prior_power"]
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read(tmp_path / "a.json").prior_power == 0


HEAD = {"weights": [[0.5, -2e-05, 1]] * 7, "biases": [0.1] * 7}


def test_a_head_is_kept_and_computes(tmp_path: Path) -> None:
    contract = replace(CONTRACT, head=HEAD)
    write(contract, tmp_path / "a.json")
    kept = read(tmp_path / "a.json")
    assert kept == contract and kept.head_sha256 == contract.head_sha256 != CONTRACT.head_sha256
    assert kept.linear is not None and kept.linear.weights.shape == (3, 7)
    np.testing.assert_allclose(kept.linear(np.zeros((2, 3), np.float32)), 1 / 7, atol=1e-6)
    assert "  [0.5, -2e-05, 1]" in (tmp_path / "a.json").read_text(), "a list of numbers is a line"


def test_a_contract_of_before_has_no_head(tmp_path: Path) -> None:
    content = asdict(CONTRACT)
    del content["head"]
    (tmp_path / "a.json").write_text(json.dumps(content))
    kept = read(tmp_path / "a.json")
    assert kept.head is None and kept.linear is None and kept.head_sha256 == ""


@pytest.mark.parametrize("part", sorted(asdict(CONTRACT).keys() - {"prior_power", "head"}))
def test_a_missing_part_is_named(tmp_path: Path, part: str) -> None:
    content = asdict(CONTRACT)
    del content[part]
    complaint_about(tmp_path / "a.json", json.dumps(content), f"{part} missing")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read as JSON"),
        ("{", "cannot be read as JSON"),
        ("[]", "expected a JSON object"),
        (json.dumps(asdict(CONTRACT) | {"colour": 1}), "colour not known here"),
    ],
)
def test_what_is_no_contract_is_refused(tmp_path: Path, text: str, says: str) -> None:
    complaint_about(tmp_path / "a.json", text, says)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", ""),
        ("name", "../a"),
        ("network", "vgg"),
        ("network", ["elu"]),
        ("created", "yesterday"),
        ("created", 20260131),
        ("files", {}),
        ("files", {"keras": FILE}),
        ("files", {"keras": FILE, "tflite": FILE}),
        ("files", {"keras": LITE, "tflite": LITE}),
        ("files", {"keras": FILE, "tflite": LITE | {"sha256": "0" * 63}}),
        ("files", {"keras": FILE, "tflite": LITE | {"sha256": "G" * 64}}),
        ("files", {"keras": FILE, "tflite": LITE | {"file": "../a.tflite"}}),
        ("files", {"keras": FILE, "tflite": LITE | {"bytes": 0}}),
        ("files", {"keras": FILE, "tflite": LITE | {"weights": "int4"}}),
        ("files", {"keras": FILE, "tflite": LITE | {"weights": []}}),
        ("input", {"shape": [64, 64, 1], "dtype": "uint8", "color": "gray"}),
        ("input", {"shape": [48, 48, 1], "dtype": "float32", "color": "gray"}),
        ("input", {"shape": [48, 48, 3], "dtype": "uint8", "color": "rgb"}),
        ("labels", {}),
        ("labels", LABELS | {"fer2013": sorted(LABELS["fer2013"])}),
        ("labels", LABELS | {"ferplus": LABELS["ferplus"][:7]}),
        ("temperatures", 1.0),
        ("temperatures", {"fer2013": 1.0, "ferplus": 1.0}),
        ("temperatures", {"fer2013": 0, "ferplus": 1.0, "shown": 1.0}),
        ("temperatures", {"fer2013": -1.0, "ferplus": 1.0, "shown": 1.0}),
        ("temperatures", {"fer2013": 1.0, "ferplus": float("nan"), "shown": 1.0}),
        ("temperatures", {"fer2013": "1", "ferplus": 1.0, "shown": 1.0}),
        ("temperatures", {"fer2013": True, "ferplus": 1.0, "shown": 1.0}),
        ("blend", -0.1),
        ("blend", 1.1),
        ("blend", None),
        ("prior_power", -0.1),
        ("prior_power", 1.1),
        ("prior_power", None),
        ("head", 1),
        ("head", {}),
        ("head", {"weights": HEAD["weights"]}),
        ("head", HEAD | {"weights": [[0.5]] * 6}),
        ("head", HEAD | {"weights": [[]] * 7}),
        ("head", HEAD | {"weights": [[0.5]] * 6 + [[0.5, 1]]}),
        ("head", HEAD | {"weights": [["0.5"]] * 7}),
        ("head", HEAD | {"biases": [0.1] * 6}),
        ("head", HEAD | {"biases": [float("nan")] * 7}),
        ("head", HEAD | {"more": 1}),
        ("unsure_below", 1.5),
        ("unsure_below", float("nan")),
        ("unsure_below", None),
        ("data", "FER2013"),
        ("data", {"name": "FER2013"}),
        ("metrics", []),
        ("metrics", {"PublicTest": {"n": 1}}),
        ("metrics", {"PublicTest": MEASURED | {"accuracy": 61.0}}),
        ("metrics", {"PublicTest": MEASURED | {"n": 0}}),
        ("licence", ""),
        ("command", "two\nlines"),
    ],
)
def test_a_part_that_does_not_fit_is_named(tmp_path: Path, part: str, value: object) -> None:
    text = json.dumps(asdict(CONTRACT) | {part: value})
    complaint_about(tmp_path / "a.json", text, f"{part}: expected ")


def test_a_contract_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unsure_below"):
        write(Contract(**asdict(CONTRACT) | {"unsure_below": 2.0}), tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()


def test_a_missing_contract_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="must stand beside"):
        read(tmp_path / "a.json")


def complaint_about(path: Path, text: str, says: str) -> None:
    """Hold that reading this is one line that names the file and says this."""
    path.write_text(text)
    with pytest.raises(ModelError) as raised:
        read(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ") and says in message and "\n" not in message
