"""How far scales go, which moments are labelled, and what the labels say."""

from __future__ import annotations

import re

import numpy as np
import pytest
import vl_convert

from emorec.clock import clock
from emorec.drawing import session_charts
from emorec.drawing.axes import LEAST, moments, reach
from emorec.drawing.charts import mood_line
from emorec.percent import percent
from emorec.words import speaking

CALM = np.array([0.004, np.nan, -0.006])


def labels(chart: session_charts.Chart) -> list[str]:
    """Return the texts that are drawn on a chart."""
    drawn = vl_convert.vegalite_to_svg(chart.to_dict())
    return re.findall(r">([^<>]+)</text>", drawn)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ([], LEAST),
        ([[]], LEAST),
        ([[np.nan]], LEAST),
        ([CALM], LEAST),
        ([[LEAST]], LEAST),
        ([[0.1], [-0.31]], 0.4),
        ([[1.0]], 1.0),
    ],
)
def test_a_scale_holds_its_values_and_is_never_narrow(values: list, most: float) -> None:
    assert reach(*map(np.array, values)) == most


@pytest.mark.parametrize(
    ("first_s", "last_s", "step_s"),
    [
        (0, 5, 1),
        (0, 60, 10),
        (13.4, 73.4, 10),
        (-90, 600, 120),
        (0, 2700, 600),
        (0, 7200, 1200),
        (0, 36_000, 7200),
        (0, 200_000, 7 * 3600),
    ],
)
def test_whole_steps_of_the_clock_are_labelled(first_s: float, last_s: float, step_s: int) -> None:
    found = moments(first_s, last_s)
    assert 2 <= len(found) <= 8
    assert first_s <= found[0] and found[-1] <= last_s
    assert all(moment % step_s == 0 for moment in found)
    assert set(np.diff(found)) == {step_s}


def test_a_calm_mood_is_drawn_calm_in_the_report_as_on_the_live_page() -> None:
    at = np.arange(3.0)
    chart = session_charts.ribbon((at, CALM), (at, CALM - 0.01, CALM + 0.01), [], (0.0, 3.0))
    assert {"−0.3", "0.0", "0.3"} <= set(labels(chart))
    _table, spec = mood_line(at, np.stack([CALM] * 3, axis=1), (0.0, 60.0))
    assert f"[{-LEAST}, {LEAST}]" in str(spec)
    wild = session_charts.ribbon((at, CALM), (at, CALM - 0.5, CALM), [], (0.0, 3.0))
    assert "−0.6" in labels(wild), "the band is held too"


@pytest.mark.parametrize(
    ("values", "first", "last"),
    [(CALM, "−0.3", "0.3"), (np.abs(CALM), "0.00", "0.30"), (np.array([0.2, 1.0]), "0.0", "1.0")],
)
def test_sessions_are_compared_on_a_scale_that_is_never_narrow(
    values: np.ndarray, first: str, last: str
) -> None:
    lines = {"a": (np.arange(float(len(values))), values)}
    found = labels(session_charts.compared(lines, "mood", (0.0, 3.0)))
    numbers = [each for each in found if re.fullmatch(r"−?\d\.\d+", each)]
    assert (numbers[0], numbers[-1]) == (first, last)


def test_moments_are_written_as_everywhere_also_before_zero_and_after_an_hour() -> None:
    lines = {"a": (np.array([-1200.0, 7200.0]), np.zeros(2))}
    with speaking("de"):
        found = labels(session_charts.compared(lines, "Stimmung", (-1200.0, 7200.0)))
    assert [each for each in found if ":" in each] == [
        f"−{clock(1200)}",
        *(clock(1200 * step) for step in range(0, 7)),
    ]


def test_shares_are_written_as_everywhere() -> None:
    chart = session_charts.shares(np.arange(3.0), np.full((3, 7), 0.1), (0.0, 3.0))
    assert [percent(0), percent(0.5), "100\N{NO-BREAK SPACE}%"] == [
        each for each in labels(chart) if "%" in each
    ]
