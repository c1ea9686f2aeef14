"""The charts' specifications: order, domain, colours, gaps, and nothing that a theme hides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from emorec.drawing.charts import bars, mood
from emorec.emotions import COLORS, EMOTIONS
from emorec.records import Box, Face, unclassified

PROBS = np.array([0.02, 0.03, 0.05, 0.6, 0.1, 0.15, 0.05], dtype=np.float32)


def face(probs: np.ndarray) -> Face:
    return Face(1, Box(0, 0, 10, 10), 0.9, 0.0, 0.0, probs, probs, None)


def row(seconds: float, emotion: str, track_id: int = 1) -> dict[str, Any]:
    probs = dict.fromkeys(EMOTIONS, 0.05) | {emotion: 0.7}
    return {"seconds": seconds, "track_id": track_id, **probs, "emotion": emotion}


def data(spec: dict[str, Any]) -> pd.DataFrame:
    (values,) = spec["datasets"].values()
    return pd.DataFrame(values)


def encodings(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer["encoding"] for layer in spec.get("layer", [spec])]


@pytest.mark.parametrize(
    "chart", [bars(face(PROBS.copy())), mood([row(0.0, "happy")]), mood([])], ids=str
)
def test_colours_in_order_and_nothing_a_theme_hides(chart: Any) -> None:
    spec = chart.to_dict()
    scales = [e["color"]["scale"] for e in encodings(spec) if "color" in e]
    assert scales == [
        {"domain": list(EMOTIONS), "range": [COLORS[emotion] for emotion in EMOTIONS]}
    ]
    assert spec["background"] == "transparent"
    assert spec["width"] == "container"
    assert "#000" not in str(spec)
    assert "white" not in str(spec)


def test_bars_show_the_seven_in_order_on_a_fixed_scale() -> None:
    spec = bars(face(PROBS.copy())).to_dict()
    for encoding in encodings(spec):
        assert encoding["y"]["sort"] == list(EMOTIONS)
        assert encoding["x"]["scale"]["domain"] == [0, 1]
    table = data(spec)
    assert list(table["emotion"]) == list(EMOTIONS)
    np.testing.assert_allclose(table["probability"], PROBS)
    assert list(table["text"]) == ["2 %", "3 %", "5 %", "60 %", "10 %", "15 %", "5 %"]
    assert spec["height"] <= 200


def test_bars_of_a_face_that_is_not_classified_are_empty() -> None:
    table = data(bars(face(unclassified())).to_dict())
    assert list(table["probability"]) == [0.0] * 7
    assert list(table["text"]) == [""] * 7


@pytest.mark.parametrize("rows", [[], pd.DataFrame()], ids=["records", "table"])
def test_mood_of_nobody_is_an_empty_minute(rows: Any) -> None:
    spec = mood(rows).to_dict()
    assert spec["encoding"]["x"]["scale"]["domain"] == [0, 60]
    assert spec["encoding"]["color"]["legend"]["orient"] == "bottom"


def test_mood_window_is_shown_whole() -> None:
    spec = mood([row(70.0, "sad")], window_s=(20.0, 80.0)).to_dict()
    assert spec["encoding"]["x"]["scale"]["domain"] == [20, 80]
    assert mood([], window_s=(0.0, 60.0)).to_dict()["encoding"]["x"]["scale"]["domain"] == [0, 60]


def test_mood_is_the_mean_of_everyone_in_view_and_fills_the_height() -> None:
    rows = [row(1.0, "happy", 1), row(1.1, "sad", 2), row(1.6, "happy", 1)]
    table = data(mood(pd.DataFrame(rows)).to_dict())
    table["share"] = table["high"] - table["low"]
    both = table[table["seconds"] == 1.0].set_index("emotion")["share"]
    assert both["happy"] == pytest.approx(0.375)
    assert both["sad"] == pytest.approx(0.375)
    assert both["angry"] == pytest.approx(0.05)
    for _, moment in table.groupby("seconds"):
        assert moment["share"].sum() == pytest.approx(1.0)
        assert list(moment["emotion"]) == list(EMOTIONS)
        np.testing.assert_allclose(moment["high"].iloc[1:], moment["low"].iloc[:-1])
        assert moment["high"].iloc[0] == pytest.approx(1.0)


def test_mood_has_a_gap_where_nobody_was_in_view() -> None:
    rows = [row(t / 5, "happy") for t in range(25)] + [row(10 + t / 5, "sad") for t in range(25)]
    spec = mood(rows).to_dict()
    table = data(spec)
    assert spec["encoding"]["detail"]["field"] == "spell"
    spans = table.groupby("spell")["seconds"].agg(["min", "max"]).to_numpy().tolist()
    assert spans == [[0.0, 5.0], [10.0, 15.0]]


def test_mood_leaves_out_who_could_not_be_read() -> None:
    blank = {"seconds": 1.0, "track_id": 2, **dict.fromkeys(EMOTIONS), "emotion": None}
    read = row(1.0, "happy")
    assert data(mood([read, blank]).to_dict()).equals(data(mood([read]).to_dict()))
    assert mood([blank]).to_dict()["encoding"]["x"]["scale"]["domain"] == [0, 60]


def test_mood_of_one_moment_has_width() -> None:
    table = data(mood([row(3.0, "happy")]).to_dict())
    assert table["seconds"].nunique() == 2


def test_mood_of_a_long_session_stays_small() -> None:
    rows = [row(float(t), "happy") for t in range(3600)]
    table = data(mood(rows).to_dict())
    assert len(table) <= 7 * 152
    assert table["spell"].nunique() == 1
