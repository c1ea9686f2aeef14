from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from emorec.emotions import UNSURE
from emorec.model import choice, evaluation, store, typed_json
from emorec.model.shelf import Comparison, Run, Spread
from emorec.pages.parts import engine
from emorec.pages.parts.visit import Visit
from emorec.percent import percent
from emorec.training.data import FaceSet
from emorec.training.evaluate import evaluate

SHOWN, LABELS, VOTES = "As shown", "FER2013 head", "FER+ head"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Other tests' engines were loaded from other folders."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    rng = np.random.default_rng(0)
    votes = np.zeros((60, 10), np.int64)
    votes[np.arange(60), np.arange(60) % 8] = 10
    pixels = rng.integers(0, 256, (60, 48, 48)).astype(np.uint8)
    return FaceSet(pixels, np.arange(60) % 7, votes)


def said_of_faces(at: AppTest) -> list[str]:
    (component,) = at.get("bidi_component")
    return [face["says"] for face in json.loads(component.proto.json)["faces"]]


def page(which: str = "model", model: str | None = None) -> AppTest:
    """Open a page, as a visitor who has chosen this model, if any."""

    def script(which: str) -> None:
        import importlib

        importlib.import_module(f"emorec.pages.{which}").render()

    at = AppTest.from_function(script, args=(which,), default_timeout=30)
    if model is not None:
        visit = at.session_state["visit"] = Visit()
        visit.state(engine.ChosenModel).name = model
    at.run()
    assert not at.exception
    return at


def spaced(share: float, digits: int = 0) -> str:
    """Return a share as `text` has it, with a usual space."""
    return percent(share, digits).replace("\N{NO-BREAK SPACE}", " ")


def text(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.header]
    return " ".join(" ".join(element.value for element in shown).split())


def charts(at: AppTest) -> int:
    return len(at.get("vega_lite_chart"))


def write_activations(folder: Path, *networks: str) -> None:
    reached = {"accuracy": 0.61, "macro_f1": 0.55, "ferplus": 0.77}
    spreads = {name: Spread(mean=value, sd=0.004) for name, value in reached.items()}
    compared = Comparison(
        date="2026-11-28",
        command="python -m emorec.training.compare runs/a",
        split="PublicTest",
        recipe={},
        runs=tuple(Run(network=n, seed=1, epochs=12, best_epoch=11, **reached) for n in networks),
        networks=dict.fromkeys(networks, spreads),
    )
    typed_json.write(Comparison, compared, folder / "activations.json")


def test_it_says_what_it_is_and_is_not(two_models: Path) -> None:
    said = text(page())
    for words in (
        "apparent expression",
        "not inner feeling",
        "which is not what a person feels",
        "never recorded",
        "at work or in education",
        "labels are noisy",
        UNSURE,
    ):
        assert words in said


def test_one_model_alone_leaves_no_choice_and_says_what_is_not_measured(two_models: Path) -> None:
    (two_models / "other.json").unlink()
    at = page()
    assert not at.radio and not at.metric and not charts(at)
    assert "**elu_cnn** is right has not been recorded" in at.info[0].value
    assert "ELU beside ReLU" not in text(at)


def test_what_was_measured_is_shown_whole(two_models: Path, faces: FaceSet) -> None:
    model = store.load()
    told = evaluate(model, faces, "PrivateTest")
    evaluation.write(model.file, {"PrivateTest": told})
    assert charts(page()) == 2, "faces that nobody spoiled have no chart"
    spoiled = replace(told.fer2013, corrupted={"dark": 0.5, "noise": 0.25})
    told = replace(told, fer2013=spoiled)
    evaluation.write(model.file, {"PrivateTest": told})
    write_activations(two_models, "elu", "relu")
    at = page()
    assert not at.info
    assert [(metric.label, metric.value) for metric in at.metric] == [
        ("Accuracy", percent(told.fer2013.accuracy, 1)),
        ("Macro-F1", percent(told.fer2013.macro_f1, 1)),
        ("Calibration error", percent(told.fer2013.ece, 1)),
        ("Agrees with people", percent(told.shown.accuracy, 1)),
    ]
    # What for what, emotion by emotion, poor pictures, and three measures of the seeds.
    assert charts(at) == 6
    shown = text(at)
    assert f"Right {round(100 * told.shown.accuracy)} times out of 100, as people judge" in shown
    assert f"{spaced(told.shown.coverage)} of the faces get a label" in shown
    assert f"confidence of {spaced(model.contract.unsure_below)} a face is **{UNSURE}**" in shown
    assert "ELU 61.0 % ± 0.4 %, ReLU 61.0 % ± 0.4 %" in shown
    assert "12 epochs" in shown


@pytest.mark.parametrize("kind", [LABELS, VOTES])
def test_each_head_has_its_own_numbers(two_models: Path, faces: FaceSet, kind: str) -> None:
    model = store.load()
    told = evaluate(model, faces, "PublicTest")
    evaluation.write(model.file, {"PublicTest": told})
    at = page()
    (which,) = at.segmented_control
    assert list(which.options) == [SHOWN, LABELS, VOTES]
    before = text(at)
    which.set_value({LABELS: "fer2013", VOTES: "ferplus"}[kind]).run()
    assert not at.exception
    measured = told.answers()[{LABELS: "fer2013", VOTES: "ferplus"}[kind]]
    line = f"{measured.answer}. {measured.n:,} faces: {spaced(measured.accuracy, 1)} right"
    assert line in text(at) and line not in before


def test_without_votes_only_the_labels_are_measured(two_models: Path, faces: FaceSet) -> None:
    model = store.load()
    alone = FaceSet(faces.faces, faces.labels)
    evaluation.write(model.file, {"PublicTest": evaluate(model, alone, "PublicTest")})
    at = page()
    assert [metric.label for metric in at.metric] == ["Accuracy", "Macro-F1", "Calibration error"]
    assert charts(at) == 2 and not at.segmented_control
    assert "chosen by these faces" in text(at)


def test_the_faces_that_chose_nothing_come_first(two_models: Path, faces: FaceSet) -> None:
    model = store.load()
    splits = {"PublicTest": faces.take(np.arange(40)), "PrivateTest": faces}
    told = {split: evaluate(model, of, split) for split, of in splits.items()}
    evaluation.write(model.file, told)
    at = page()
    assert "60 faces. These faces were kept for the end" in text(at)
    at.segmented_control[0].set_value("PublicTest").run()
    assert "40 faces. The model was chosen by these faces" in text(at)


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"head": None, "blend": 0.0}, "is the head that learned FER2013's labels"),
        (
            {"head": None, "blend": 0.4},
            "is a blend: 40% of the head that learned the votes of FER+, 60% of the one",
        ),
        ({"head": None, "blend": 1.0}, "is the head that learned the votes of FER+"),
        ({}, "is the head that was refitted to the votes of FER+"),
    ],
)
def test_what_is_shown_is_told(two_models: Path, decision: dict[str, object], words: str) -> None:
    file = two_models / "elu_cnn.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | decision))
    assert words in text(page())


def test_choosing_a_model_changes_every_page_and_stays(two_models: Path) -> None:
    at = page()
    assert at.radio[0].options == ["elu_cnn", "other"] and at.radio[0].value == "elu_cnn"
    at.radio[0].set_value("other").run()
    assert not at.exception
    assert "How good other is" in text(at)
    chosen = at.session_state["visit"].state(engine.ChosenModel).name
    assert page(model=chosen).radio[0].value == "other"
    assert "**other**" in text(page("about", model=chosen))
    assert "**elu_cnn**" in text(page("about"))  # another visitor's page


@pytest.mark.parametrize(
    ("chosen", "live"), [("elu_cnn", "small_cnn"), ("elu_cnn", "elu_cnn"), ("other", "other")]
)
def test_it_says_what_reads_live_pictures_where_that_is_another_model(
    two_models: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, live: str
) -> None:
    fast = live == chosen == "elu_cnn"
    monkeypatch.setattr(choice, "ms_per_face", lambda model: 0.5 if fast else 5.0)
    monkeypatch.setattr(choice, "_chosen", {})
    said = text(page(model=chosen))
    assert (f"Live pictures are read by **{live}**" in said) is (live != chosen)


def test_a_photo_is_read_by_the_chosen_model(two_models: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).save(stream, "PNG")
    upload = [("me.png", stream.getvalue(), "image/png")]
    at = page("photo.page")
    at.file_uploader[0].set_value(upload).run()
    assert said_of_faces(at) == ["happy"]
    at = page("photo.page", model="other")
    at.file_uploader[0].set_value(upload).run()
    assert not at.exception
    assert said_of_faces(at) == [UNSURE]


def test_one_engine_serves_every_visitor_of_a_model(two_models: Path) -> None:
    first, second = (str(store.path_of(name)) for name in ("elu_cnn", "other"))
    assert engine._engine(first) is engine._engine(first)
    assert engine._engine(first) is not engine._engine(second)


@pytest.mark.parametrize(
    ("damaged", "words"),
    [("other.tflite", "damaged"), ("other.json", "cannot be read as JSON")],
)
def test_a_model_that_cannot_be_used_leaves_the_choice(
    two_models: Path, damaged: str, words: str
) -> None:
    (two_models / damaged).write_bytes(b"{")
    at = page(model="other")
    assert words in at.error[0].value
    at.radio[0].set_value("elu_cnn").run()
    assert not at.exception and not at.error


def test_a_choice_that_is_gone_is_told_and_another_can_be_made(two_models: Path) -> None:
    at = page(model="gone")
    assert "no such model" in at.error[0].value
    assert at.radio[0].value is None


@pytest.mark.parametrize("file", ["elu_cnn.evaluation.json", "activations.json"])
def test_a_damaged_result_is_a_line_not_a_traceback(two_models: Path, file: str) -> None:
    (two_models / file).write_text("{")
    assert file in page().error[0].value
