"""A model is measured against the labels that were asked for, and all of it is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emorec.cli import main
from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.errors import DataError
from emorec.model.contract import read
from emorec.model.evaluation import read as read_evaluation
from emorec.model.shown import shown, tempered
from emorec.model.store import EmotionModel, load
from emorec.model.typed_json import as_json
from emorec.paths import MODELS
from emorec.training.corruptions import CORRUPTIONS
from emorec.training.data import FaceSet
from emorec.training.evaluate import evaluate, readable

N = 30


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return load()


def some_faces() -> FaceSet:
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (N, 48, 48)).astype(np.uint8)
    votes = np.zeros((N, 10), np.int64)
    votes[range(N), np.arange(N) % 10] = 9  # three a class, three unknown, three no face
    return FaceSet(faces, np.arange(N) % 7, votes)


def test_each_head_is_measured_against_its_own_labels(model: EmotionModel) -> None:
    faces, settings = some_faces(), model.contract
    measured = evaluate(model, faces, "PublicTest")
    answers = measured.answers()
    assert list(answers) == [of.what for of in answers.values()] == ["fer2013", "ferplus", "shown"]
    assert [of.n for of in answers.values()] == [30, 24, 21]
    assert [of.labels for of in answers.values()] == [EMOTIONS, FERPLUS_EMOTIONS, EMOTIONS]
    outputs = model.outputs(faces.faces)
    top = tempered(outputs["fer2013"], settings.temperatures["fer2013"]).argmax(axis=1)
    assert measured.fer2013.accuracy == pytest.approx((top == faces.labels).mean())
    assert measured.fer2013.said_neutral == pytest.approx((top == 6).mean())
    assert measured.fer2013.true_neutral == pytest.approx(4 / 30)
    assert measured.ferplus.true_neutral == pytest.approx(3 / 24)
    assert measured.shown.true_neutral == pytest.approx(3 / 21)
    rule = (settings.temperatures, settings.blend, settings.prior_power, settings.linear)
    probs = shown(outputs, *rule)
    named = np.arange(N) % 10 < 7
    sure = probs.max(axis=1)[named] >= settings.unsure_below
    assert measured.shown.coverage == pytest.approx(sure.mean())


def test_a_mirrored_face_measures_the_same_with_flip(model: EmotionModel) -> None:
    faces = some_faces()
    mirrored = FaceSet(faces.faces[:, :, ::-1], faces.labels, faces.votes)
    one, other = (evaluate(model, each, "PublicTest", flip=True) for each in (faces, mirrored))
    plain = evaluate(model, faces, "PublicTest")
    every = (each.answers().values() for each in (one, other, plain))
    for flipped, mirrored_too, once in zip(*every, strict=True):
        assert flipped.confusion == mirrored_too.confusion
        assert flipped.ece == pytest.approx(mirrored_too.ece, abs=1e-5)
        assert flipped.ece != pytest.approx(once.ece, abs=1e-5)
        assert (flipped.flip, once.flip) == (True, False)


def test_without_votes_there_is_one_measurement(model: EmotionModel) -> None:
    faces = some_faces()
    measured = evaluate(model, FaceSet(faces.faces, faces.labels), "Training")
    assert list(measured.answers()) == ["fer2013"]


def test_votes_that_name_nothing_are_refused(model: EmotionModel) -> None:
    faces = some_faces().take(np.arange(N) % 10 >= 7)
    with pytest.raises(DataError, match="On no face of PublicTest do most people name"):
        evaluate(model, faces, "PublicTest")


def test_the_table_is_aligned(model: EmotionModel) -> None:
    for measured in evaluate(model, some_faces(), "PublicTest").answers().values():
        classes, lines = len(measured.labels), readable(measured).split("\n")
        (blank, head, columns), rows = lines[-classes - 3 : -classes], lines[-classes:]
        assert blank == "" and len({len(line) for line in (columns, *rows)}) == 1
        for row, label in zip(rows, measured.labels, strict=True):
            quality = measured.per_class[label]
            assert row[: head.index("F1") + 2].split() == [
                label,
                str(quality.n),
                *(f"{value:.3f}" for value in (quality.precision, quality.recall, quality.f1)),
            ]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A model to write beside, and faces with votes as people have them."""
    for suffix in ("tflite", "keras", "json"):
        shutil.copy(MODELS / f"elu_cnn.{suffix}", tmp_path)
    faces = some_faces().take(np.arange(10))
    rows = [
        f"{label},{' '.join(map(str, face.ravel()))},PublicTest"
        for face, label in zip(faces.faces, faces.labels, strict=True)
    ]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    head = f"Usage,Image name,{','.join(FERPLUS_EMOTIONS)},unknown,NF"
    votes = [f"PublicTest,a.png,{','.join(map(str, row))}" for row in faces.votes]
    (tmp_path / "fer2013new.csv").write_text("\n".join([head, *votes]) + "\n")
    return {
        "data": tmp_path / "fer2013.csv",
        "ferplus": tmp_path / "fer2013new.csv",
        "model": tmp_path / "elu_cnn.tflite",
    }


def test_all_that_is_recorded_is_kept_beside_the_model(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["evaluate", "--data", str(files["data"]), "--model", str(files["model"])]
    base += ["--split", "PublicTest", "--json"]
    votes = ["--ferplus", str(files["ferplus"])]
    before = read(files["model"].with_suffix(".json"))

    assert main([*base, *votes, "--labels", "ferplus"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["what"] == "ferplus" and printed["shown"]["what"] == "shown"
    assert read_evaluation(files["model"]) == {}

    assert main([*base, *votes, "--record", "--flip"]) == 0
    flipped = json.loads(capsys.readouterr().out)
    kept = read_evaluation(files["model"])
    assert list(kept) == ["PublicTest"]
    recorded = kept["PublicTest"]
    assert list(recorded.answers()) == ["fer2013", "ferplus", "shown"]
    assert flipped["what"] == "fer2013" and flipped["flip"]
    fer2013 = recorded.fer2013
    assert list(fer2013.corrupted) == list(CORRUPTIONS)
    assert recorded.ferplus.corrupted is None and recorded.ferplus.with_flip is not None
    assert not fer2013.flip
    assert as_json(fer2013.with_flip) == {k: flipped[k] for k in ("accuracy", "macro_f1", "ece")}
    contract = read(files["model"].with_suffix(".json"))
    assert contract.metrics == {
        **before.metrics,
        "PublicTest": {k: getattr(fer2013, k) for k in ("n", "accuracy", "macro_f1", "ece")},
    }
    assert recorded.ferplus.accuracy == printed["accuracy"]


def test_a_keras_file_measures_as_its_litert_file(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for model in (files["model"], files["model"].with_suffix(".keras")):
        arguments = ["--data", str(files["data"]), "--split", "PublicTest", "--model", str(model)]
        assert main(["evaluate", *arguments, "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0]["model"]["sha256"] != said[1]["model"]["sha256"]
    assert said[0]["ece"] == pytest.approx(said[1]["ece"], abs=0.05)


def test_what_the_app_shows_can_be_asked_for(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["evaluate", "--data", str(files["data"]), "--model", str(files["model"])]
    base += ["--split", "PublicTest", "--labels", "shown"]
    votes = ["--ferplus", str(files["ferplus"])]
    assert main([*base, *votes, "--json"]) == 0
    by_people = json.loads(capsys.readouterr().out)
    assert by_people["what"] == "shown" and "agreement" in by_people
    assert main([*base, "--json"]) == 0
    by_labels = json.loads(capsys.readouterr().out)
    assert by_labels["what"] == "shown by labels" and by_labels["n"] > by_people["n"]
    assert by_labels["prior_power"] == read(files["model"].with_suffix(".json")).prior_power
    assert main(base) == 0
    printed = capsys.readouterr().out
    assert printed.count("accuracy ") == 1
    assert "As shown against the data's own labels" in printed


def test_people_are_asked_for_by_name(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", str(files["data"]), "--labels", "ferplus"]) == 2
    message = capsys.readouterr().err
    assert message == "emorec: --labels ferplus needs the votes: pass --ferplus fer2013new.csv.\n"


def test_what_spoils_a_face_is_measured_on_request(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["evaluate", "--data", str(files["data"]), "--model", str(files["model"])]
    base += ["--split", "PublicTest", "--corruptions"]
    assert main([*base, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed["corrupted"]) == list(CORRUPTIONS)
    assert all(0 <= accuracy <= 1 for accuracy in printed["corrupted"].values())
    assert main(base) == 0
    table = capsys.readouterr().out.split("\n\n")[-1]
    assert table.startswith("as they are") and table.count("\n") == len(CORRUPTIONS) + 2
    assert read_evaluation(files["model"]) == {}
