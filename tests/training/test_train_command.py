"""`emorec train` and `emorec evaluate`, from a CSV file to a model that loads and its numbers."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from emorec.cli import main
from emorec.emotions import EMOTIONS
from emorec.errors import DataError
from emorec.model.contract import read
from emorec.model.network import build_network
from emorec.model.store import load
from emorec.paths import MODELS
from emorec.training import finish, fit, run, trainee
from emorec.training.data import FaceSet
from emorec.training.recipe import Recipe
from emorec.training.run import prepare
from testkit.labelled import as_csv, as_votes, some_faces


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same networks with few channels, to train in seconds."""
    for module in (finish, fit, run, trainee):
        tiny = partial(build_network, widths=(4,), depths=(1,))
        monkeypatch.setattr(module, "build_network", tiny)


ONE_STEP = ["--steps", "1", "--seed", "3", "--batch", "16"]


@pytest.mark.long
@pytest.mark.usefixtures("small")
def test_from_faces_to_a_measured_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training, chosen_on, test = some_faces(150), some_faces(20), some_faces(14)
    training = FaceSet(
        np.concatenate([training.faces, test.faces[:3]]), np.append(training.labels, [0, 0, 0])
    )
    splits = {"Training": training, "PublicTest": chosen_on, "PrivateTest": test}
    data, out = as_csv(tmp_path / "fer2013.csv", splits), tmp_path / "run"
    given = ["--data", str(data), "--ferplus", str(as_votes(tmp_path / "votes.csv", splits))]

    assert main(["train", *given, "--out", str(out), *ONE_STEP]) == 0
    said = capsys.readouterr().out
    assert "Refitted the votes' head on the features of 150 faces: 35 numbers." in said
    assert "3 of 153 Training faces stand in a test too: left out." in said
    model = out / "elu_cnn.tflite"
    contract = load(model).contract
    assert contract.command == (
        "emorec train --data fer2013.csv --network elu --ferplus votes.csv --steps 1 --batch 16"
        " --seed 3"
    )
    assert contract.linear is not None and contract.linear.weights.shape == (4, 7)
    assert (contract.blend, contract.prior_power) == (1, 0)
    assert {file.name for file in out.iterdir()} == {
        "settings.json", "history.csv", "curves.png", "confusion.png", "last.npz", "best.npz",
        "elu_cnn.keras", "elu_cnn.tflite", "elu_cnn.json", "elu_cnn.evaluation.json",
        "elu_cnn.spread.npz",
    }  # fmt: skip
    for picture in ("curves.png", "confusion.png"):
        with Image.open(out / picture) as image:
            assert image.format == "PNG" and min(image.size) >= 480
    assert contract.metrics["PublicTest"]["n"] == 20
    assert str(tmp_path) not in model.with_suffix(".json").read_text()

    arguments = ["evaluate", "--data", str(data), "--model", str(model)]
    assert main([*arguments, "--json", "--record"]) == 0
    evaluation = json.loads(capsys.readouterr().out)
    assert evaluation.keys() == {
        "what", "split", "flip", "n", "accuracy", "macro_f1", "ece", "said_neutral",
        "true_neutral", "labels", "per_class", "confusion", "ms_per_face", "model",
    }  # fmt: skip
    assert evaluation["n"] == 14 and evaluation["labels"] == list(EMOTIONS)
    assert np.sum(evaluation["confusion"], axis=1).tolist() == [2] * 7
    assert evaluation["accuracy"] == pytest.approx(np.trace(evaluation["confusion"]) / 14)
    assert evaluation["per_class"]["happy"].keys() == {"precision", "recall", "f1", "n"}
    assert evaluation["model"] == {
        "name": "elu_cnn",
        "sha256": contract.files["tflite"]["sha256"],
    }
    recorded = read(model.with_suffix(".json")).metrics
    assert recorded["PrivateTest"]["accuracy"] == evaluation["accuracy"]
    assert recorded["PublicTest"] == contract.metrics["PublicTest"]

    assert main(arguments) == 0
    table = capsys.readouterr().out
    assert "on 14 faces of PrivateTest" in table and all(label in table for label in EMOTIONS)

    assert main([*arguments, "--split", "Holidays"]) == 2
    assert "no Holidays faces in it; --split takes Training or" in capsys.readouterr().err
    for split, faces in (("val", 20), ("all", 187)):
        assert main([*arguments, "--split", split, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["n"] == faces

    assert main(["train", "--data", str(data), "--out", str(out)]) == 2
    assert "holds a run already" in capsys.readouterr().err
    again = ["train", "--data", str(data), "--out", str(out), "--resume"]
    assert main([*again, "--epochs", "3", "--seed", "2"]) == 2
    assert "leave out --epochs, --seed.\n" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.usefixtures("small")
def test_a_run_goes_on_from_the_weights_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = {"Training": some_faces(150), "PublicTest": some_faces(20)}
    data, out = as_csv(tmp_path / "fer2013.csv", splits), tmp_path / "run"
    assert main(["train", "--data", str(data), "--out", str(out), *ONE_STEP]) == 0
    model = out / "elu_cnn.tflite"
    start, more = out / "elu_cnn.keras", tmp_path / "more"
    again = ["train", "--data", str(data), "--out", str(more), "--start", str(start)]
    assert main([*again, "--network", "relu"]) == 2
    assert f"{start}: is of the network elu, not relu." in capsys.readouterr().err
    assert main([*again[:-1], str(model)]) == 2
    assert "expected a .keras file" in capsys.readouterr().err
    options = [
        "--epochs",
        "1",
        "--batch",
        "75",
        "--learning-rate",
        "1e-9",
        "--weight-decay",
        "0.01",
    ]
    assert main([*again, *options]) == 0
    assert read(more / "elu_cnn.json").command == (
        "emorec train --data fer2013.csv --network elu --steps 1 --batch 16 --seed 3 --out START1;"
        " emorec train --data fer2013.csv --network elu --epochs 1 --batch 75 --learning-rate 1e-09"
        " --weight-decay 0.01"
        " --start START1/elu_cnn.keras"
    )
    begun, gone_on = (
        keras.saving.load_model(folder / "elu_cnn.keras").get_layer("stem_conv").get_weights()
        for folder in (out, more)
    )
    np.testing.assert_allclose(begun, gone_on, atol=1e-6)


def test_a_run_from_one_that_went_on_from_another_has_a_folder_of_its_own() -> None:
    before = (
        "emorec train --data fer2013.csv --network elu --out START1;"
        " emorec train --data fer2013.csv --network elu --start START1/elu_cnn.keras"
    )
    recipe = Recipe(start=before, steps=1).lasting(None)
    assert run._command(Path("fer2013.csv"), None, recipe) == (
        f"{before} --out START2; emorec train --data fer2013.csv --network elu --steps 1"
        " --start START2/elu_cnn.keras"
    )


def test_a_compressed_network_is_not_trained_as_if_it_had_normalisations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = as_csv(tmp_path / "fer2013.csv", {"Training": some_faces(20)})
    start = ["--start", str(MODELS / "small_cnn.keras")]
    assert main(["train", "--data", str(data), *start, "--out", str(tmp_path / "run")]) == 2
    assert "`emorec compress` makes it" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["evaluate"],
        ["train", "--data", "x", "--network", "vgg"],
        ["train", "--data", "x", "--network", "small"],
        ["compress", "--data", "x"],
        ["train", "--data", "x", "--steps", "0"],
        ["train", "--data", "x", "--epochs", "-1"],
        ["train", "--data", "x", "--precision", "float8"],
        ["train", "--data", "x", "--learning-rate", "fast"],
        ["train", "--data", "x", "--teaching", "1.5"],
        ["evaluate", "--data", "x", "--labels", "people"],
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_data_that_are_not_there_are_named(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--data", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err == f"emorec: {tmp_path / 'none.csv'}: no such file or folder.\n"


def test_without_public_test_a_tenth_is_set_apart() -> None:
    said: list[str] = []
    splits = {"Training": some_faces(50)}
    training, validation, name = prepare(splits, said.append)
    assert (len(training), len(validation), name) == (45, 5, "a tenth of Training")
    assert said == ["No PublicTest faces: 5 of Training are set apart to choose by."]
    together = {face.tobytes() for face in np.concatenate([training.faces, validation.faces])}
    assert together == {face.tobytes() for face in splits["Training"].faces}
    again = prepare(splits, said.append)[1]
    np.testing.assert_array_equal(again.faces, validation.faces)


@pytest.mark.parametrize(
    ("splits", "says"),
    [
        ({"PublicTest": some_faces(2)}, "no Training faces; only PublicTest"),
        ({"Training": some_faces(9)}, "too few"),
        (dict.fromkeys(("Training", "PublicTest"), some_faces(3)), "No Training face is left"),
    ],
)
def test_data_that_cannot_be_trained_on_are_refused(splits: dict[str, FaceSet], says: str) -> None:
    with pytest.raises(DataError, match=says):
        prepare(splits, lambda line: None)


def test_a_folder_that_cannot_be_written_is_told_before_the_data_are_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "run"
    assert main(["train", "--data", str(tmp_path / "none.csv"), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"emorec: {out}: cannot be written to") and said.count("\n") == 1
    assert "resume" not in said
    # Where the data cannot be used, no empty folder stays.
    out = tmp_path / "run"
    assert main(["train", "--data", str(tmp_path / "none.csv"), "--out", str(out)]) == 2
    assert not out.exists()
