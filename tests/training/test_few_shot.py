"""`emorec calibrate`, `evaluate --calibration` and `evaluate --few-shot`, on real folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emorec.calibration import examples
from emorec.cli import main
from emorec.emotions import EMOTIONS
from emorec.errors import DataError
from emorec.model.store import EmotionModel, load
from emorec.training.data import FaceSet
from emorec.training.few_shot import few_shot, resting

RANDOM = np.random.default_rng(3)
MARKS = {
    emotion: RANDOM.integers(0, 256, (48, 48)) for emotion in ("happy", "sad", "neutral", "fear")
}


def face(emotion: str) -> np.ndarray:
    """Return a pattern that stands for an emotion, a little different each time."""
    return np.clip(MARKS[emotion] + RANDOM.normal(0, 12, (48, 48)), 0, 255).astype(np.uint8)


def folder(path: Path, emotions: list[str], count: int) -> Path:
    for emotion in emotions:
        (path / emotion).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(face(emotion)).save(path / emotion / f"{number}.png")
    return path


def people(path: Path, names: list[str]) -> Path:
    for name in names:
        folder(path / name, ["happy", "sad", "neutral"], 3)
    return path


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return load()


@pytest.fixture(scope="module")
def known() -> FaceSet:
    emotions = ["happy", "sad", "neutral"] * 12
    return FaceSet(
        np.array([face(emotion) for emotion in emotions]),
        np.array([EMOTIONS.index(emotion) for emotion in emotions]),
        people=np.array([f"p{number // 6}" for number in range(36)]),
    )


def test_more_examples_of_other_people_are_worth_more(model: EmotionModel, known: FaceSet) -> None:
    none, one, five = few_shot(model, known, (0, 1, 5), draws=2)
    assert (none.count, one.count, five.count) == (0, 1, 5)
    assert none.accuracy < one.accuracy <= five.accuracy and five.accuracy > 0.9
    assert none.accuracy_sd == 0 and five.recall > 0.9


def test_the_examples_never_come_from_the_people_tested(
    model: EmotionModel, known: FaceSet
) -> None:
    # Each person's faces are labelled by a rule of that person: others' examples cannot help.
    turned = np.array(
        [(label + int(who[1:])) % 7 for label, who in zip(known.labels, known.people, strict=True)]
    )
    strange = FaceSet(known.faces, turned, people=known.people)
    (five,) = few_shot(model, strange, (5,), draws=2)
    assert five.accuracy < 0.3


def test_a_resting_face_of_the_same_person_is_the_baseline(
    model: EmotionModel, known: FaceSet
) -> None:
    lines = {line.emotion: line for line in resting(model, known)}
    assert {name: line.n for name, line in lines.items()} == {"happy": 12, "sad": 12, "neutral": 12}
    assert all(0 <= line.with_baseline <= line.n for line in lines.values())
    alone = known.take(known.labels != EMOTIONS.index("neutral"))
    assert resting(model, alone) == []


@pytest.mark.parametrize("measure", [few_shot, resting])
def test_faces_of_unknown_people_are_refused(
    model: EmotionModel, known: FaceSet, measure: object
) -> None:
    unknown = FaceSet(known.faces, known.labels)
    with pytest.raises(DataError, match="column person, or"):
        measure(model, unknown)  # type: ignore[operator]
    with pytest.raises(DataError, match="two people or more"):
        measure(model, known.take(known.people == "p0"))  # type: ignore[operator]


def test_the_command_measures_few_shot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = people(tmp_path, ["ada", "bob", "eve"])
    base = ["evaluate", "--data", str(data), "--few-shot", "0", "2", "--group-by", "person"]
    assert main([*base, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["n"], printed["people"], printed["split"]) == (27, 3, "all")
    assert [one["count"] for one in printed["few_shot"]] == [0, 2]
    assert {one["emotion"] for one in printed["resting"]} == {"happy", "sad", "neutral"}
    assert main(base) == 0
    caught = capsys.readouterr()
    assert "27 faces of 3 people" in caught.out and "as baseline" in caught.out
    assert "no face of angry, disgust, fear, surprise among those measured" in caught.err


def test_a_person_is_calibrated_and_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = folder(tmp_path / "shown", ["happy", "sad", "neutral"], 4)
    later = folder(tmp_path / "later", ["happy", "sad", "neutral"], 5)
    out = tmp_path / "me.json"
    assert main(["calibrate", "--data", str(shown), "--out", str(out)]) == 0
    assert "learned from 12 faces: 4 happy, 4 sad, 4 neutral" in capsys.readouterr().out
    assert examples.read(out).counts == {"happy": 4, "sad": 4, "neutral": 4}

    base = ["evaluate", "--data", str(later), "--labels", "shown", "--json"]
    accuracies = []
    for more in ([], ["--calibration", str(out)]):
        assert main([*base, *more]) == 0
        printed = json.loads(capsys.readouterr().out)
        assert printed["what"] == "shown by labels" and printed["n"] == 15
        accuracies.append(printed["accuracy"])
    assert accuracies[0] < 0.9 < accuracies[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["calibrate", "--data", "{people}", "--out", "x.json"], "name the folder that holds this"),
        (["calibrate", "--data", "{file}", "--out", "x.json"], "one sub-folder an emotion"),
        (["calibrate", "--data", "{one}", "--out", "x.json"], "happy, sad: 1 face each"),
        (["calibrate", "--data", "{good}", "--out", "{good}/no/x.json"], "cannot be written"),
        (["evaluate", "--data", "{good}", "--calibration", "none.json"], "no such file"),
        (
            ["evaluate", "--data", "{good}", "--few-shot", "1", "--group-by", "person"],
            "column person, or folders",
        ),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    tmp_path: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    places = {
        "people": people(tmp_path / "people", ["ada", "bob"]),
        "file": tmp_path / "file",
        "one": folder(tmp_path / "one", ["happy", "sad"], 1),
        "good": folder(tmp_path / "good", ["happy", "sad"], 2),
    }
    assert main([argument.format(**places) for argument in arguments]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if "among those" not in line]
    assert len(told) == 1 and told[0].startswith("emorec: ") and says in told[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--few-shot", "1"],
        ["--group-by", "person"],
        ["--few-shot", "one", "--group-by", "person"],
        ["--few-shot", "1", "--group-by", "person", "--record"],
        ["--few-shot", "1", "--group-by", "person", "--calibration", "x"],
        ["--calibration", "x", "--flip"],
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--data", "x", *arguments])
    assert ended.value.code == 2 and "usage:" in capsys.readouterr().err
