"""The evaluation beside a model: nothing where none was recorded, and no half-read file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emorec.errors import ModelError
from emorec.model import shelf
from emorec.model.contract import read as read_contract
from emorec.model.evaluation import ANSWERS, Evaluation, evaluation_file, read, write
from emorec.paths import MODELS


@pytest.fixture
def recorded() -> Evaluation:
    return read(MODELS / "elu_cnn.tflite")["PublicTest"]


def test_nothing_recorded_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "a.tflite") == {}


@pytest.mark.parametrize("suffix", ["tflite", "keras"])
def test_what_is_written_is_read_whatever_the_file(
    tmp_path: Path, recorded: Evaluation, suffix: str
) -> None:
    alone = Evaluation(fer2013=replace(recorded.fer2013, with_flip=None, corrupted=None))
    write(tmp_path / f"a.{suffix}", {"PublicTest": recorded, "PrivateTest": alone})
    assert evaluation_file(tmp_path / "a.tflite") == tmp_path / "a.evaluation.json"
    assert read(tmp_path / "a.tflite") == {"PublicTest": recorded, "PrivateTest": alone}
    assert "null" not in (tmp_path / "a.evaluation.json").read_text()


@pytest.mark.parametrize("name", shelf.names())
def test_what_ships_is_recorded_whole_and_still_holds(name: str) -> None:
    file = MODELS / f"{name}.tflite"
    content = json.loads(evaluation_file(file).read_text())
    kept = shelf.measured(file, read_contract(MODELS / f"{name}.json"))
    assert list(kept) == list(content) == ["PublicTest", "PrivateTest"]
    for split, evaluation in kept.items():
        answers = evaluation.answers()
        assert list(answers) == ["fer2013", "ferplus", "shown"] == list(content[split])
        for what, measured in answers.items():
            assert measured.what == what and measured.split == split and not measured.flip
            assert sum(map(sum, measured.confusion)) == measured.n
            assert str(measured.answer) == f"{ANSWERS[what].title} against {ANSWERS[what].labels}"


def changed(content: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """Return a copy of JSON with another value at a place; ... takes the value away."""
    copy = json.loads(json.dumps(content))
    *way, last = place.split(".")
    inside = copy
    for step in way:
        inside = inside[step]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return copy


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("PublicTest", 3, "PublicTest: expected an object. Received 3."),
        ("PublicTest", {}, "expected PublicTest.fer2013. Received {}."),
        ("PublicTest.fer2013", None, "PublicTest.fer2013: expected an object. Received null."),
        ("PublicTest.shown.n", ..., "expected PublicTest.shown.n. Received {"),
        ("PublicTest.ferplus.n", 3.5, "PublicTest.ferplus.n: expected a count. Received 3.5."),
        ("PublicTest.fer2013.accuracy", 1.2, "accuracy: expected a number from 0 to 1. Received"),
        ("PublicTest.fer2013.ece", float("nan"), "ece: expected a number from 0 to 1. Received N"),
        ("PublicTest.fer2013.flip", 0, "fer2013.flip: expected true or false. Received 0."),
        ("PublicTest.fer2013.what", "all", "fer2013: expected what to be fer2013 or ferplus or"),
        ("PublicTest.fer2013.labels", "angry", "fer2013.labels: expected a list. Received "),
        ("PublicTest.fer2013.labels", ["sad"], "expected per_class of sad. Received angry, "),
        ("PublicTest.fer2013.confusion", [[1]], "expected confusion to have 7 rows of 7 counts."),
        ("PublicTest.fer2013.corrupted", {"dark": "?"}, "corrupted.dark: expected a number from"),
        ("PublicTest.fer2013.model.sha256", ..., "expected PublicTest.fer2013.model.sha256. Rec"),
        ("PublicTest.fer2013.with_flip", {"ece": 0}, "expected PublicTest.fer2013.with_flip.acc"),
        ("PublicTest.fer2013.per_class.sad", {}, "fer2013.per_class.sad.precision. Received {}."),
    ],
)
def test_a_damaged_part_is_named(tmp_path: Path, place: str, value: Any, words: str) -> None:
    content = json.loads(evaluation_file(MODELS / "elu_cnn.tflite").read_text())
    path = tmp_path / "a.evaluation.json"
    path.write_text(json.dumps(changed(content, place, value)))
    with pytest.raises(ModelError) as raised:
        read(tmp_path / "a.tflite")
    assert str(raised.value).startswith(f"{path}: ") and words in str(raised.value)
    assert "\n" not in str(raised.value) and "emorec evaluate --record" in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_what_is_no_evaluation_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.evaluation.json"
    path.write_text(text)
    with pytest.raises(ModelError) as raised:
        read(tmp_path / "a.tflite")
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_what_cannot_be_read_is_not_written(tmp_path: Path, recorded: Evaluation) -> None:
    wrong = replace(recorded, fer2013=replace(recorded.fer2013, ece=float("nan")))
    with pytest.raises(ModelError, match=r"fer2013\.ece: .* The file was not written"):
        write(tmp_path / "a.tflite", {"PublicTest": wrong})
    assert read(tmp_path / "a.tflite") == {}


def test_a_record_without_the_power_of_the_prior_had_none(tmp_path: Path) -> None:
    content = json.loads(evaluation_file(MODELS / "elu_cnn.tflite").read_text())
    older = changed(content, "PublicTest.shown.prior_power", ...)
    (tmp_path / "a.evaluation.json").write_text(json.dumps(older))
    shown = read(tmp_path / "a.tflite")["PublicTest"].shown
    assert shown is not None and shown.prior_power == 0
