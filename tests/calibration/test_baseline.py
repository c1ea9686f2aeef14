"""A face's own resting state is learned from calm moments alone, for that face alone."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.calibration.baseline import FULL_S, KEPT_S, LEAST_S, SAMPLE_S, Baselines
from emorec.emotions import EMOTIONS

REST = np.array([[0.02, 0.01, 0.01, 0.02, 0.36, 0.01, 0.57]], np.float32)  # looks a little sad
TYPICAL_REST = np.array([[0.002, 0.002, 0.0005, 0.001, 0.01, 0.001, 0.9835]], np.float32)
HAPPY = np.array([[0.01, 0.01, 0.01, 0.9, 0.02, 0.01, 0.04]], np.float32)
SAD = EMOTIONS.index("sad")


def play(
    baselines: Baselines, row: np.ndarray, seconds: float, start_s: float = 0.0, track_id: int = 1
) -> np.ndarray:
    """Read the same face for some seconds, and return what is made of the last reading."""
    probs = row
    for time_s in np.arange(start_s, start_s + seconds, SAMPLE_S):
        probs = baselines([track_id], row, float(time_s))
    return probs


def test_nobody_has_no_baseline() -> None:
    assert Baselines()([], np.empty((0, 7), np.float32), 0.0).shape == (0, 7)


@pytest.mark.parametrize("seconds", [SAMPLE_S, LEAST_S - SAMPLE_S])
def test_it_is_off_for_the_first_seconds(seconds: float) -> None:
    np.testing.assert_allclose(play(Baselines(), REST, seconds), REST, rtol=1e-4)


def test_a_resting_face_that_looks_sad_comes_to_look_neutral_step_by_step() -> None:
    sad = [float(play(Baselines(), REST, seconds)[0, SAD]) for seconds in (1, 5, 10, FULL_S)]
    assert sad == sorted(sad, reverse=True)
    assert sad[0] > 0.3 and sad[-1] < 0.2


def test_a_slight_change_from_a_face_that_is_always_neutral_shows() -> None:
    baselines = Baselines()
    assert play(baselines, TYPICAL_REST, FULL_S).argmax() == EMOTIONS.index("neutral")
    slight = np.array([[0.01, 0.01, 0.01, 0.01, 0.30, 0.01, 0.65]], np.float32)
    assert baselines([1], slight, FULL_S).argmax() == SAD
    assert slight.argmax() != SAD


def test_a_held_expression_is_no_resting_state() -> None:
    np.testing.assert_allclose(play(Baselines(), HAPPY, KEPT_S), HAPPY, rtol=1e-4)


def test_a_short_change_does_not_move_the_resting_state() -> None:
    steady, disturbed = Baselines(), Baselines()
    play(steady, REST, FULL_S)
    play(disturbed, REST, FULL_S)
    odd = np.array([[0.3, 0.01, 0.01, 0.02, 0.05, 0.01, 0.6]], np.float32)
    play(disturbed, odd, 3.0, FULL_S)
    later = FULL_S + 3.0
    np.testing.assert_allclose(disturbed([1], REST, later), steady([1], REST, later), atol=1e-3)


def test_no_face_learns_from_another() -> None:
    baselines = Baselines()
    play(baselines, REST, FULL_S, track_id=1)
    np.testing.assert_allclose(baselines([2], REST, FULL_S), REST, rtol=1e-4)
    both = baselines([2, 1], np.concatenate([REST, REST]), FULL_S + 0.1)
    assert both[0, SAD] > 0.3 > 0.2 > both[1, SAD]


def test_a_face_that_is_gone_is_forgotten() -> None:
    baselines = Baselines()
    play(baselines, REST, FULL_S)
    baselines([2], HAPPY, FULL_S + KEPT_S + 1)
    np.testing.assert_allclose(baselines([1], REST, FULL_S + KEPT_S + 2), REST, rtol=1e-4)


def test_how_often_a_face_is_read_makes_no_difference() -> None:
    often, seldom = Baselines(), Baselines()
    for time_s in np.arange(0, FULL_S, 0.05):
        last = often([1], REST, float(time_s))
    np.testing.assert_allclose(last, play(seldom, REST, FULL_S), atol=0.02)
