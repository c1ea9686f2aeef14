"""The evaluation beside a model: nothing where none was recorded, and no half-read file."""

from __future__ import annotations

from pathlib import Path

import pytest

from emorec.errors import ModelError
from emorec.model.evaluation import evaluation_file, read, write


def test_nothing_recorded_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "a.tflite") == {}


@pytest.mark.parametrize("suffix", ["tflite", "keras"])
def test_what_is_written_is_read_whatever_the_file(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a.{suffix}", {"PublicTest": {"fer2013": {"n": 3}}})
    assert evaluation_file(tmp_path / "a.tflite") == tmp_path / "a.evaluation.json"
    assert read(tmp_path / "a.tflite") == {"PublicTest": {"fer2013": {"n": 3}}}


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"PublicTest": 3}', '{"PublicTest": {}}'])
def test_what_is_no_evaluation_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.evaluation.json"
    path.write_text(text)
    with pytest.raises(ModelError) as raised:
        read(tmp_path / "a.tflite")
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_no_number_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write(tmp_path / "a.tflite", {"PublicTest": {"fer2013": {"ece": float("nan")}}})
    assert read(tmp_path / "a.tflite") == {}
