"""The charts' specifications: order, domain, colours, gaps, and nothing that a theme hides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emorec.drawing.charts import Chart, bars, minute, mood, mood_line
from emorec.emotions import COLORS, EMOTIONS
from emorec.percent import percent
from emorec.records import Box, Face, unclassified

PROBS = np.array([0.02, 0.03, 0.05, 0.6, 0.1, 0.15, 0.05], dtype=np.float32)


def face(probs: np.ndarray) -> Face:
    return Face(1, Box(0, 0, 10, 10), 0.9, 0.0, 0.0, probs, probs, None)


def moods(*read: tuple[float, str], window_s: tuple[float, float] | None = None) -> Chart:
    """The chart of faces that were read as an emotion at a second."""
    probs = [[0.7 if name == emotion else 0.05 for name in EMOTIONS] for _, emotion in read]
    seconds = np.array([second for second, _ in read], dtype=float)
    return mood(seconds, np.array(probs, dtype=np.float32).reshape(-1, 7), window_s)


def minutes(*read: tuple[float, str], window_s: tuple[float, float] = (0.0, 60.0)) -> Chart:
    """The last minute of faces that were read as an emotion at a second."""
    probs = [[0.7 if name == emotion else 0.05 for name in EMOTIONS] for _, emotion in read]
    seconds = np.array([second for second, _ in read], dtype=float)
    return minute(seconds, np.array(probs, dtype=np.float32).reshape(-1, 7), window_s)


def encodings(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer["encoding"] for layer in spec.get("layer", [spec])]


@pytest.mark.parametrize(
    "chart",
    [bars(face(PROBS.copy())), moods((0.0, "happy")), moods(), minutes((0.0, "happy")), minutes()],
    ids=["bars", "mood", "empty", "minute", "empty minute"],
)
def test_colours_in_order_and_nothing_a_theme_hides(chart: Chart) -> None:
    _, spec = chart
    scales = [e["color"]["scale"] for e in encodings(spec) if "color" in e]
    assert scales == [
        {"domain": list(EMOTIONS), "range": [COLORS[emotion] for emotion in EMOTIONS]}
    ]
    assert spec["background"] == "transparent"
    assert spec["width"] == "container"
    assert "#000" not in str(spec)
    assert "white" not in str(spec)


def test_bars_show_the_seven_in_order_on_a_fixed_scale() -> None:
    data, spec = bars(face(PROBS.copy()))
    for encoding in encodings(spec):
        assert encoding["y"]["sort"] == list(EMOTIONS)
        assert encoding["x"]["scale"]["domain"] == [0, 1]
    table = data.to_pandas()
    assert list(table["emotion"]) == list(EMOTIONS)
    np.testing.assert_allclose(table["probability"], PROBS)
    assert list(table["text"]) == [percent(p) for p in PROBS.tolist()]
    assert spec["height"] <= 200


def test_bars_of_a_face_that_is_not_classified_are_empty() -> None:
    table = bars(face(unclassified()))[0].to_pandas()
    assert list(table["probability"]) == [0.0] * 7
    assert list(table["text"]) == [""] * 7


def test_mood_of_nobody_is_an_empty_minute() -> None:
    data, spec = moods()
    assert len(data) == 0 and {"seconds", "low", "high"} <= set(data.column_names)
    assert spec["encoding"]["x"]["scale"]["domain"] == [0, 60]
    assert spec["encoding"]["color"]["legend"]["orient"] == "bottom"


def test_mood_window_is_shown_whole() -> None:
    for read in ([(70.0, "sad")], []):
        _, spec = moods(*read, window_s=(20.0, 80.0))
        assert spec["encoding"]["x"]["scale"]["domain"] == [20, 80]


def test_a_chart_changes_no_other_that_was_made_before() -> None:
    _, first = moods((70.0, "sad"), window_s=(20.0, 80.0))
    moods((70.0, "sad"), window_s=(30.0, 90.0))
    assert first["encoding"]["x"]["scale"]["domain"] == [20, 80]


def test_the_mood_line_is_drawn_with_its_gaps_on_a_scale_that_holds_it() -> None:
    values = np.array([[0.1, np.nan, np.nan], [np.nan] * 3, [-0.42, -0.61, 0.2]])
    data, spec = mood_line(np.arange(3.0), values, (0.0, 60.0))
    assert data["mood"].to_pylist() == [0.1, None, -0.42]
    assert data["low"].to_pylist() == [None, None, -0.61]
    assert [e["y"]["scale"]["domain"] for e in encodings(spec) if "field" in e["y"]] == [
        [-0.7, 0.7]
    ] * 2
    nothing, spec = mood_line(np.zeros(0), np.zeros((0, 3)), (0.0, 60.0))
    assert len(nothing) == 0 and "[-0.3, 0.3]" in str(spec), "a calm room is no drama"


def test_markers_of_the_minute_are_drawn_and_older_ones_left_out() -> None:
    markers = [(10.0, "question 1"), (70.0, "question 2")]
    probs = np.full((1, 7), 1 / 7, np.float32)
    _, spec = minute(np.array([70.0]), probs, (20.0, 80.0), markers)
    own = [layer for layer in spec["layer"] if "data" in layer]
    assert [layer["mark"]["type"] for layer in own] == ["rule", "text"]
    assert own[0]["data"]["values"] == [{"seconds": 70.0, "label": "question 2"}]
    assert "data" not in str(minute(np.array([70.0]), probs, (20.0, 80.0), markers[:1])[1]["layer"])


def test_mood_is_the_mean_of_everyone_in_view_and_fills_the_height() -> None:
    table = moods((1.0, "happy"), (1.1, "sad"), (1.6, "happy"))[0].to_pandas()
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
    data, spec = moods(
        *((t / 5, "happy") for t in range(25)), *((10 + t / 5, "sad") for t in range(25))
    )
    assert spec["encoding"]["detail"]["field"] == "spell"
    spans = data.to_pandas().groupby("spell")["seconds"].agg(["min", "max"]).to_numpy().tolist()
    assert spans == [[0.0, 5.0], [10.0, 15.0]]


def test_mood_of_one_moment_has_width() -> None:
    data, spec = moods((3.0, "happy"))
    assert data["seconds"].unique().to_pylist() == [3.0, 3.5]
    assert spec["encoding"]["x"]["scale"]["domain"] == [3.0, 3.5]


def test_mood_of_a_long_session_stays_small() -> None:
    table = moods(*((float(t), "happy") for t in range(3600)))[0].to_pandas()
    assert len(table) <= 7 * 152
    assert table["spell"].nunique() == 1


def test_a_minute_is_labelled_where_an_area_is_high_enough() -> None:
    data, spec = minutes(
        *((t / 2, "sad") for t in range(40)), *((20 + t / 2, "happy") for t in range(40))
    )
    table = data.to_pandas()
    beside = table[table["label"] != ""]
    assert list(beside["label"]) == ["happy"], "the others have no room for a letter"
    assert beside["seconds"].iloc[0] == table["seconds"].max()
    inside = table[table["inside"] != ""]
    assert list(inside["inside"]) == ["sad"] and inside["seconds"].iloc[0] < 20
    for _, row in table[(table["label"] != "") | (table["inside"] != "")].iterrows():
        assert row["low"] < row["middle"] < row["high"]
    for encoding in encodings(spec):
        assert encoding["x"]["scale"]["domain"] == [0.0, 60.0]
    assert all(e["color"]["legend"] is None for e in encodings(spec) if "color" in e)


def test_a_minute_is_as_high_with_faces_as_without() -> None:
    assert minutes()[1]["height"] == minutes((3.0, "happy"))[1]["height"]
