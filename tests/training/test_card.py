"""The model card: whole, from the files alone, and the one that is committed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from emorec.drawing import measures
from emorec.emotions import EMOTIONS
from emorec.model import contract, evaluation, shelf, store, typed_json
from emorec.model.evaluation import Evaluation, Weights
from emorec.model.shelf import Comparison, Crops, Run, Spread
from emorec.paths import MODELS
from emorec.training.card import card as card_module
from emorec.training.card.card import card, latest, main, size
from emorec.training.data import FaceSet
from emorec.training.evaluate import evaluate
from emorec.training.plots import draw_answers

NAME = "elu_cnn"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The shipped model alone, not measured."""
    for suffix in ("json", "keras", "tflite"):
        shutil.copy(MODELS / f"{NAME}.{suffix}", tmp_path)
    own = contract.read(tmp_path / f"{NAME}.json")
    contract.write(replace(own, metrics={}), tmp_path / f"{NAME}.json")
    monkeypatch.setattr("emorec.model.store.MODELS", tmp_path)
    return tmp_path


@pytest.fixture(autouse=True, scope="module")
def networks_loaded_once() -> Iterator[None]:
    """Loading a network by Keras takes a second, and most tests have the same one."""
    known: dict[bytes, keras.Model] = {}
    load = card_module._network

    def once(file: Path) -> keras.Model:
        content = file.read_bytes()
        if content not in known:
            known[content] = load(file)
        return known[content]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(card_module, "_network", once)
        yield


@pytest.fixture(scope="module")
def measured() -> Evaluation:
    rng = np.random.default_rng(0)
    votes = np.zeros((70, 10), np.int64)
    votes[np.arange(70), np.arange(70) % 8] = 10
    pixels = rng.integers(0, 256, (70, 48, 48)).astype(np.uint8)
    faces = FaceSet(pixels, np.arange(70) % 7, votes)
    return evaluate(store.load(MODELS / f"{NAME}.tflite"), faces, "PrivateTest")


def test_the_committed_card_is_what_the_files_say() -> None:
    text = (MODELS / "README.md").read_text(encoding="utf-8")
    assert text == card(), "run python -m emorec.training.card"
    for link in re.findall(r"\]\((?!https:)(.*?)\)", text):
        assert (MODELS / link).is_file(), link


def test_an_empty_folder_has_a_card_without_models(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("emorec.model.store.MODELS", tmp_path)
    text = card()
    assert "## `" not in text and "## ELU beside ReLU" not in text
    for words in ("apparent expression", "FER2013", "Barsoum", "5(1)(f)", "audit", "PrivateTest"):
        assert words in text


def test_what_was_not_measured_is_said_and_the_contract_counts(folder: Path) -> None:
    text = card()
    assert "How often it is right is unknown." in " ".join(text.split())
    own = contract.read(folder / f"{NAME}.json")
    measured = {"PublicTest": {"n": 1234, "accuracy": 0.5432, "macro_f1": 0.4321, "ece": 0.0123}}
    contract.write(replace(own, metrics=measured), folder / f"{NAME}.json")
    assert "| PublicTest | 1,234 | 54.3 % | 0.432 | 0.012 |" in card()


def test_a_measured_model_is_described_by_its_numbers(folder: Path, measured: Evaluation) -> None:
    other = replace(measured, fer2013=replace(measured.fer2013, n=7))
    poor = replace(measured.fer2013, accuracy=0.6, corrupted={"dark": 0.3, "noise": 0.12})
    splits = {"PublicTest": other, "PrivateTest": replace(measured, fer2013=poor)}
    evaluation.write(folder / f"{NAME}.tflite", splits)
    reached = {"accuracy": 0.61, "macro_f1": 0.55, "ferplus": 0.77}
    compared = Comparison(
        date="2026-11-28",
        command="python -m emorec.training.compare runs/a",
        split="PublicTest",
        recipe={},
        runs=(Run(network="relu", seed=4, epochs=12, best_epoch=11, **reached),),
        networks={"relu": {name: Spread(mean=of, sd=0.004) for name, of in reached.items()}},
    )
    typed_json.write(Comparison, compared, folder / "activations.json")
    text = card()
    own = contract.read(folder / f"{NAME}.json")
    shown = measured.shown
    for line in (
        f"| `{NAME}.evaluation.json` |",
        own.command,
        f"| {measured.fer2013.n} | 60.0 % |",
        "| as they are | 60.0 % | 100.0 % |\n| dark | 30.0 % | 50.0 % |",
        "| mean of the 2 | 21.0 % | 35.0 % |",
        f"| PrivateTest | {100 * shown.coverage:.1f} % | {100 * shown.agreement:.1f} % |",
        "Emotion by emotion, on PrivateTest:\n\n| emotion | FER2013 head: faces |",
        f"images/{NAME}-confusion.png",
        "| ReLU, seed 4 | 61.0 % | 0.550 | 77.0 % |",
        "| **ReLU, mean ± standard deviation** | 61.0 % ± 0.4 % | 0.550 ± 0.004 | 77.0 % ± 0.4 % |",
        "recipe of 12 epochs",
    ):
        assert line in text


def test_the_crops_of_these_weights_are_told(folder: Path) -> None:
    crops = shelf.crops(MODELS, contract.read(folder / f"{NAME}.json"))
    assert crops is not None
    framed = replace(crops, found=2057, accuracy={"original": 0.69, "pipeline": 0.68})
    typed_json.write(Crops, framed, folder / "crops.json")
    text = card()
    assert "images/crops.png" in text and crops.command in text
    words = " ".join(text.split())
    assert "found 2,057 of them" in words and "names 69.0 % of them" in words
    other = replace(framed, model=Weights(name=NAME, sha256="of other weights"))
    typed_json.write(Crops, other, folder / "crops.json")
    assert "images/crops.png" not in card()


def test_without_votes_nothing_is_said_of_people(folder: Path, measured: Evaluation) -> None:
    alone = Evaluation(fer2013=measured.fer2013)
    evaluation.write(folder / f"{NAME}.tflite", {"PublicTest": alone})
    text = card()
    assert "As shown: faces" not in text and "FER2013 head: faces" in text
    assert "--ferplus fer2013new.csv --split" not in text


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (["PublicTest"], "PublicTest"),
        (["PublicTest", "PrivateTest"], "PrivateTest"),
        (["a tenth of Training"], "a tenth of Training"),
    ],
)
def test_the_split_that_says_most(splits: list[str], expected: str) -> None:
    assert latest(dict.fromkeys(splits)) == expected


def test_multiply_adds_are_counted() -> None:
    network = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, strides=2, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(5),
        ]
    )
    assert size(network) == (9 * 4 + 4 + 16 + 4 * 5 + 5, 4 * 4 * 9 * 4 + 4 * 5)


@pytest.mark.parametrize("votes", [True, False], ids=["with votes", "without"])
def test_pictures_are_small_and_readable(tmp_path: Path, measured: Evaluation, votes: bool) -> None:
    told = measured if votes else Evaluation(fer2013=measured.fer2013)
    for draw in (measures.confusion, measures.per_class):
        file = tmp_path / "a.png"
        draw_answers(draw, told.answers().values(), file)
        with Image.open(file) as picture:
            assert picture.format == "PNG" and picture.width >= 500 and picture.height >= 400
            colors = picture.convert("RGB").getcolors(1 << 16)
        assert colors is not None and len(colors) > 2 * len(EMOTIONS)
        assert file.stat().st_size < 150_000


@pytest.mark.long
def test_the_program_writes_card_and_pictures(folder: Path, measured: Evaluation) -> None:
    evaluation.write(folder / f"{NAME}.tflite", {"PrivateTest": measured})
    assert main() == 0
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text == card()
    assert all((folder / picture).is_file() for picture in re.findall(r"!\[.*?\]\((.*?)\)", text))


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (f"{NAME}.json", "cannot be read as JSON"),
        (f"{NAME}.keras", "no model that can be read"),
        ("activations.json", "cannot be read as JSON"),
    ],
)
def test_a_damaged_file_is_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, words: str
) -> None:
    (folder / file).write_text("{")
    assert main() == 2
    error = capsys.readouterr().err
    assert file in error and words in error and error.count("\n") == 1
    assert not (folder / "README.md").exists()
