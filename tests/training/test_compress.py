"""`emorec compress`: from a trained network to a smaller one that says nearly the same."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from emorec.cli import main
from emorec.errors import TrainingError
from emorec.model.contract import read
from emorec.model.network import build_network
from emorec.model.store import load
from emorec.paths import MODELS
from emorec.training import compress, finish, fit, halves, run, trainee
from emorec.training.compress import Lesson
from testkit.labelled import as_csv, as_votes, some_faces

SIZES = {"widths": (4, 4, 4, 4), "depths": (1, 1, 1, 1)}
RANKS = (2,) * 8


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of few channels, to learn in seconds."""

    def build(name: str = "elu", *args: object, **kwargs: object) -> keras.Model:
        ranks = {"ranks": RANKS} if name == "small" else {}
        return build_network(name, *args, **(SIZES | ranks | kwargs))

    for module in (compress, finish, fit, run, trainee):
        monkeypatch.setattr(module, "build_network", build)


def lesson(**changes: object) -> Lesson:
    return Lesson(**({"epochs": 1, "batch": 16} | changes))


@pytest.mark.usefixtures("tiny")
def test_the_pupil_comes_nearer_to_its_teacher() -> None:
    keras.utils.set_random_seed(1)
    source = compress.build_network("elu")
    training, validation = some_faces(256), some_faces(64)
    said: list[str] = []

    def apart(network: keras.Model) -> float:
        faces = validation.faces[..., None]
        own, other = (of.predict(faces, verbose=0)["features"] for of in (network, source))
        return float(np.square(own - other).mean())

    whole = lesson(epochs=30, learning_rate=3e-3)
    learned = compress.compress(source, "elu", training, validation, whole, say=said.append)
    begun = compress.build_network("small")
    halves.take_over(begun, source, training.faces)
    assert apart(learned) < apart(begun)
    assert said[0].startswith("compressed: accuracy") and said[30].startswith("epoch 30: loss")


@pytest.mark.usefixtures("tiny")
def test_a_loss_that_is_no_number_ends_it() -> None:
    source = compress.build_network("elu")
    broken = source.get_layer("features").input
    assert broken is not None
    dense = source.get_layer("fer2013")
    dense.set_weights([np.full_like(w, np.nan) for w in dense.get_weights()])
    with pytest.raises(TrainingError, match="not a number"):
        compress.compress(source, "elu", some_faces(32), some_faces(8), lesson())


@pytest.mark.long
@pytest.mark.usefixtures("tiny")
def test_from_a_trained_network_to_a_measured_smaller_one(tmp_path: Path) -> None:
    splits = {"Training": some_faces(150), "PublicTest": some_faces(20)}
    data, votes = as_csv(tmp_path / "fer2013.csv", splits), as_votes(tmp_path / "votes.csv", splits)
    given = ["--data", str(data), "--ferplus", str(votes), "--batch", "16"]
    assert main(["train", *given, "--steps", "1", "--out", str(tmp_path / "large")]) == 0
    model, out = tmp_path / "large" / "elu_cnn.keras", tmp_path / "small"
    asked = ["compress", *given, "--model", str(model), "--out", str(out)]
    assert main([*asked, "--steps", "2"]) == 0
    contract = read(out / "small_cnn.json")
    assert contract.network == "small" and contract.head is not None
    assert contract.metrics.keys() == {"PublicTest"}
    assert contract.files["tflite"]["weights"] in ("float16", "float32")
    assert contract.command == (
        "emorec compress --data fer2013.csv --ferplus votes.csv --batch 16 --steps 2"
        " --model elu_cnn.keras"
    )
    assert load(out / "small_cnn.tflite").classify(splits["PublicTest"].faces).shape == (20, 7)
    start = str(out / "small_cnn.keras")
    again = [*asked[:-1], str(tmp_path / "again"), "--start", start]
    assert main([*again, "--steps", "1"]) == 0
    assert read(tmp_path / "again" / "small_cnn.json").command == (
        f"{contract.command} --out START1; emorec compress --data fer2013.csv --ferplus votes.csv"
        " --batch 16 --steps 1 --model elu_cnn.keras --start START1/small_cnn.keras"
    )


def test_only_the_network_that_it_is_made_for_is_compressed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = as_csv(
        tmp_path / "fer2013.csv", {"Training": some_faces(20), "PublicTest": some_faces(7)}
    )
    asked = ["compress", "--data", str(data), "--out", str(tmp_path / "out"), "--model"]
    for model, why in (
        (MODELS / "relu_cnn.keras", "expected the network elu. Received relu."),
        (MODELS / "elu_cnn.tflite", "expected a .keras file"),
    ):
        assert main([*asked, str(model)]) == 2
        assert why in capsys.readouterr().err
    start = ["--start", str(MODELS / "relu_cnn.keras")]
    assert main([*asked, str(MODELS / "elu_cnn.keras"), *start]) == 2
    assert "expected the network small. Received relu." in capsys.readouterr().err
