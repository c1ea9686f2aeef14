"""A model that reads worse than its record is told; one that rounds otherwise is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emorec.model import evaluation, shelf
from emorec.model.typed_json import as_json
from emorec.paths import MODELS
from tools import floor

NAMES = shelf.names()


def printed(folder: Path, name: str = NAMES[0], **changes: dict[str, Any]) -> Path:
    """What `emorec evaluate --json` prints of a model that reads as recorded, but for changes."""
    kept = evaluation.read(MODELS / f"{name}.tflite")["PublicTest"]
    assert kept.shown is not None
    fer2013 = replace(kept.fer2013, **changes.get("fer2013", {}))
    shown = replace(kept.shown, **changes.get("shown", {}))
    file = folder / f"{name}.json"
    file.write_text(json.dumps(as_json(fer2013) | {"shown": as_json(shown)}))
    return file


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_reads_as_recorded_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert floor.main([str(printed(tmp_path, name))]) == 0
    told = capsys.readouterr()
    assert told.out.count(f"{name}, PublicTest: ") == 6 and told.err == ""


@pytest.mark.parametrize(
    ("answer", "measure"),
    [
        ("fer2013", "accuracy"),
        ("fer2013", "macro_f1"),
        ("shown", "accuracy"),
        ("shown", "macro_f1"),
        ("shown", "agreement"),
        ("shown", "coverage"),
    ],
)
@pytest.mark.parametrize(
    ("by", "code"), [(-0.1, 0), (0.9 * floor.TOLERANCE, 0), (1.1 * floor.TOLERANCE, 1)]
)
def test_each_number_has_a_floor(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    measure: str,
    by: float,
    code: int,
) -> None:
    kept = evaluation.read(MODELS / f"{NAMES[0]}.tflite")["PublicTest"].answers()[answer]
    value = min(getattr(kept, measure) - by, 1.0)
    file = printed(tmp_path, **{answer: {measure: value}})
    assert floor.main([str(file), str(printed(tmp_path, NAMES[1]))]) == code
    assert capsys.readouterr().err.count("is under its record") == code


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fer2013": {"n": 256}}, "expected 3589 faces of PublicTest"),
        ({"shown": {"flip": True}}, "each read once"),
        ({"fer2013": {"split": "Training"}}, "no record on Training"),
        (
            {"fer2013": {"model": evaluation.Weights(name="elu_cnn", sha256="0" * 64)}},
            "by 000000000000",
        ),
        ({"fer2013": {"model": evaluation.Weights(name="gone", sha256="")}}, "gone.json: missing"),
    ],
    ids=["a sample", "mirrored", "another split", "other weights", "another model"],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], words: str
) -> None:
    assert floor.main([str(printed(tmp_path, **changes))]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"shown": {}}'])
def test_what_is_no_evaluation_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = tmp_path / "a.json"
    file.write_text(content)
    assert floor.main([str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"floor: {file}: ")


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert floor.main([]) == 2
    assert "usage: floor.py" in capsys.readouterr().err
