"""The charts of a model's worth: shares of rows, colours, order, and nothing a theme hides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from emorec.drawing.measures import confusion, corrupted, on_page, per_class, seeds
from emorec.emotions import COLORS, EMOTIONS, FERPLUS_EMOTIONS
from emorec.model.evaluation import ClassQuality, Measured, Weights
from emorec.model.shelf import Run


def measured(labels: Sequence[str], confusion: Sequence[Sequence[int]] = ()) -> Measured:
    return Measured(
        what="fer2013",
        split="PublicTest",
        flip=False,
        ms_per_face=1.0,
        model=Weights(name="a", sha256=""),
        n=9,
        accuracy=0.5,
        macro_f1=0.5,
        ece=0.1,
        said_neutral=0.1,
        true_neutral=0.1,
        labels=tuple(labels),
        per_class={
            label: ClassQuality(precision=0.25 * n / 8, recall=0.5, f1=0.1, n=n)
            for n, label in enumerate(labels)
        },
        confusion=tuple(map(tuple, confusion)) or ((1,) * len(labels),) * len(labels),
    )


RUNS = [
    Run(network=network, seed=seed, epochs=6, best_epoch=6, accuracy=0.6 + seed / 100, macro_f1=0.5)
    for network in ("elu", "relu")
    for seed in (1, 2, 3)
]
TWO = measured(["happy", "sad"], [[3, 1], [0, 0]])


def data(spec: dict[str, Any]) -> pd.DataFrame:
    (values,) = spec["datasets"].values()
    return pd.DataFrame(values)


@pytest.mark.parametrize(
    "chart",
    [
        confusion(TWO),
        per_class(measured(FERPLUS_EMOTIONS)),
        corrupted(0.5, {"dark": 0.4, "noise": 0.1}),
        seeds(RUNS, "accuracy"),
    ],
    ids=["confusion", "per class", "corrupted", "seeds"],
)
def test_a_chart_fills_its_place_on_any_ground(chart: Any) -> None:
    spec = on_page(chart).to_dict()
    assert spec["background"] == "transparent" and spec["width"] == "container"
    assert "#000" not in str(spec)


def test_a_cell_is_a_share_of_its_row_and_an_empty_row_is_nothing() -> None:
    spec = confusion(TWO).to_dict()
    table = data(spec).set_index(["true", "said"])
    assert table["share"].to_dict() == {
        ("happy", "happy"): 0.75,
        ("happy", "sad"): 0.25,
        ("sad", "happy"): 0.0,
        ("sad", "sad"): 0.0,
    }
    assert table["faces"].to_list() == [3, 1, 0, 0]
    for layer in spec["layer"]:
        assert layer["encoding"]["x"]["sort"] == layer["encoding"]["y"]["sort"] == ["happy", "sad"]
        assert layer["encoding"]["x"]["axis"]["labelOverlap"] is False  # every name on a phone


@pytest.mark.parametrize("labels", [EMOTIONS, FERPLUS_EMOTIONS], ids=["FER2013", "FER+"])
def test_an_emotion_has_its_colour_whatever_it_is_called(labels: tuple[str, ...]) -> None:
    spec = per_class(measured(labels)).to_dict()
    scale = spec["layer"][0]["encoding"]["color"]["scale"]
    colors = dict(zip(scale["domain"], scale["range"], strict=True))
    assert list(colors) == list(labels)
    called = dict(zip(EMOTIONS, EMOTIONS, strict=True))
    if labels == FERPLUS_EMOTIONS:
        called = {"angry": "anger", "happy": "happiness", "sad": "sadness", "fear": "fear"}
        assert colors["contempt"] == COLORS["unsure"]
    for emotion, label in called.items():
        assert colors[label] == COLORS[emotion]


def test_every_label_has_both_bars_in_order() -> None:
    spec = per_class(measured(FERPLUS_EMOTIONS)).to_dict()
    table = data(spec)
    assert table["emotion"].to_list() == [label for label in FERPLUS_EMOTIONS for _ in range(2)]
    assert table["measure"].to_list() == ["recall", "precision"] * len(FERPLUS_EMOTIONS)
    assert spec["layer"][0]["encoding"]["y"]["sort"] == list(FERPLUS_EMOTIONS)
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low == 0 and high > 1.1, "a full bar leaves room for its number"


def test_every_run_is_a_dot_of_its_network() -> None:
    spec = seeds(RUNS, "accuracy").to_dict()
    table = data(spec)
    assert table["network"].to_list() == ["ELU"] * 3 + ["ReLU"] * 3
    assert table["value"].to_list() == [run.accuracy for run in RUNS]
    mean, dots = spec["layer"]
    assert mean["encoding"]["x"]["aggregate"] == "mean" and "aggregate" not in dots["encoding"]["x"]
    assert len(set(dots["encoding"]["color"]["scale"]["range"])) == 2


def test_the_worst_of_the_spoiled_faces_comes_first_beside_the_clean_ones() -> None:
    spec = corrupted(0.5, {"dark": 0.4, "noise": 0.1, "blur": 0.3}).to_dict()
    assert data(spec)["faces"].to_list() == ["noise", "blur", "dark"]
    assert spec["layer"][0]["encoding"]["y"]["sort"] == ["noise", "blur", "dark"]
    assert set(data(spec)["clean"]) == {0.5}
    scales = [layer["encoding"]["x"]["scale"] for layer in spec["layer"]]
    assert all(scale == scales[0] for scale in scales), "or the line would lie elsewhere"
