from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emorec.model.store import load
from emorec.pages.parts.engine import recognizer
from emorec.version import __version__

MEASURED = {"n": 3589, "accuracy": 0.6534, "macro_f1": 0.6123, "ece": 0.0312}


def page() -> AppTest:
    def script() -> None:
        from emorec.pages import about

        about.render()

    at = AppTest.from_function(script, default_timeout=30).run()
    assert not at.exception
    return at


def text(at: AppTest) -> str:
    return " ".join(" ".join(element.value for element in at.markdown).split())


@pytest.mark.parametrize(
    "words",
    [
        "apparent expression",
        "not inner feeling",
        "none is written to disk",
        "lies on the server's disk while it is read, and is deleted then",
        "numbers stay in memory until you discard them, or until this tab is closed",
        "must be **told**",
        "at work or in education is prohibited** since 2 February 2025",
        "Regulation (EU) 2024/1689",
        "Art. 5(1)(f)",
        "save for medical or safety reasons",
        "consent",
        "Do not decide about people",
    ],
)
def test_it_says(words: str) -> None:
    assert words in text(page())


def test_the_law_is_four_lines() -> None:
    law = next(m.value for m in page().markdown if "prohibited" in m.value)
    assert [line[:2] for line in law.splitlines() if line[:1].isdigit()] == ["1.", "2.", "3.", "4."]


def test_it_names_the_model_in_use() -> None:
    model = load()
    at = page()
    shown = text(at)
    assert at.caption[0].value == f"Version {__version__}. Licence: MIT."
    assert f"**{model.contract.name}**" in shown
    assert model.contract.created in shown
    assert f"`{model.contract.files['tflite']['sha256'][:12]}…`" in shown
    assert model.contract.data["protocol"] in shown


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({}, []),
        (
            {"PrivateTest": MEASURED},
            [
                ("Accuracy on PrivateTest", "65.3\u00a0%"),
                ("Macro F1", "61.2\u00a0%"),
                ("Calibration error", "3.1\u00a0%"),
                ("Faces measured", "3,589"),
            ],
        ),
    ],
    ids=["not measured", "measured"],
)
def test_accuracy_is_the_contracts(
    monkeypatch: pytest.MonkeyPatch, metrics: dict, expected: list
) -> None:
    model = recognizer().model
    monkeypatch.setattr(model, "contract", replace(model.contract, metrics=metrics))
    at = page()
    assert [(metric.label, metric.value) for metric in at.metric] == expected
    assert bool(at.info) is not bool(expected)


def test_without_a_model_the_rest_still_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    st.cache_resource.clear()
    monkeypatch.setattr("emorec.model.store.MODELS", tmp_path)
    at = page()
    assert "no such model" in at.error[0].value
    assert "prohibited" in text(at)
