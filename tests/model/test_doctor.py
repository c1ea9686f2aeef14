"""`emorec doctor` where all is well: it loads every model, those of Keras too."""

from __future__ import annotations

import pytest

from emorec.cli import main


def test_doctor_finds_everything_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "python",
        "opencv",
        "litert",
        "streamlit",
        "cascade",
        "elu_cnn.tflite",
        "face_detection_short_range",
    ):
        assert any(line.startswith("ok ") and words in line for line in shown.splitlines()), words
    for words in ("https://", "localhost", "TURN"):
        assert any(line.startswith("note ") and words in line for line in shown.splitlines()), words
    assert "FAIL" not in shown
