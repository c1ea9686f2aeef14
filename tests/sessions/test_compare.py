"""Differences between spans, with an uncertainty that knows that seconds depend on each other."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.errors import EmorecError
from emorec.sessions.compare import Span, compare, part
from emorec.sessions.downsample import min_max
from emorec.sessions.seconds import SECOND


def seconds_of(mood: np.ndarray, first: int = 0) -> np.ndarray:
    table = np.zeros(len(mood), SECOND)
    table["second"] = first + np.arange(len(mood))
    table["mood"] = mood
    for name in ("most_at_once", "mood_faces", "in_view"):
        table[name] = 9
    return table


def slow_noise(draw: np.random.Generator, n: int, memory: float = 0.8) -> np.ndarray:
    noise = draw.normal(size=n + 50)
    for t in range(1, len(noise)):
        noise[t] += memory * noise[t - 1]
    return noise[50:]


def test_a_span_is_half_open() -> None:
    table = seconds_of(np.zeros(10), first=5)
    assert part(table, Span(6, 8))["second"].tolist() == [6, 7]
    assert len(part(table, Span())) == 10
    with pytest.raises(EmorecError, match="ends after it starts"):
        Span(5, 5)


def test_a_clear_difference() -> None:
    draw = np.random.default_rng(0)
    told = compare(
        seconds_of(0.1 * slow_noise(draw, 300)), seconds_of(0.5 + 0.1 * slow_noise(draw, 300))
    )
    assert told.clear and 0.3 < told.low < told.difference < told.high < 0.7
    assert told.difference == pytest.approx(told.second - told.first)
    assert told.seconds == (300, 300)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """A bootstrap of single seconds holds it in half of the cases here."""
    draw = np.random.default_rng(1)
    held = 0
    for seed in range(150):
        a, b = (seconds_of(slow_noise(draw, 240)) for _ in range(2))
        told = compare(a, b, seed=seed)
        held += told.low <= 0 <= told.high
    assert 0.85 <= held / 150 <= 1.0


def test_too_few_seconds_and_unknown_measures_are_one_line() -> None:
    long, short = seconds_of(np.zeros(60)), seconds_of(np.full(60, np.nan))
    with pytest.raises(EmorecError, match="the second span has 0 seconds with a value of mood"):
        compare(long, short)
    with pytest.raises(EmorecError, match="Expected one of mood"):
        compare(long, long, "engagement")


def test_fewer_points_keep_peaks_and_gaps() -> None:
    times = np.arange(10_800.0)
    values = np.zeros(10_800)
    values[5000], values[8000], values[2000:3000] = 9.0, -9.0, np.nan
    at, kept = min_max(times, values, 600)
    assert len(at) <= 600 and np.all(np.diff(at) > 0)
    assert (np.nanmax(kept), np.nanmin(kept)) == (9.0, -9.0)
    assert np.isnan(kept[(at > 2100) & (at < 2900)]).all()
    assert min_max(times[:9], values[:9], 600)[0].tolist() == times[:9].tolist()
