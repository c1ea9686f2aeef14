from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emorec.emotions import EMOTIONS
from emorec.pipeline.smooth import Smoother, label
from emorec.records import unclassified

UNSURE_BELOW = 0.4


def probs_of(**shares: float) -> np.ndarray:
    """Seven probabilities; what the named emotions leave is shared by the others."""
    rest = (1 - sum(shares.values())) / (len(EMOTIONS) - len(shares))
    return np.array([shares.get(emotion, rest) for emotion in EMOTIONS], dtype=np.float32)


HAPPY, SAD = probs_of(happy=0.94), probs_of(sad=0.94)


@pytest.mark.parametrize(
    ("probs", "shown", "expected"),
    [
        (unclassified(), None, None),
        (unclassified(), "happy", None),
        (HAPPY, None, "happy"),
        (probs_of(happy=0.4), None, "happy"),
        (probs_of(happy=0.39), None, None),
        # A label on show is held a little below what a new one needs …
        (probs_of(happy=0.39), "happy", "happy"),
        (probs_of(happy=0.31), "happy", None),
        # … and against one that is ahead by a little, not against one clearly ahead.
        (probs_of(happy=0.45, sad=0.5), "happy", "happy"),
        (probs_of(happy=0.40, sad=0.5), "happy", "sad"),
        (probs_of(happy=0.33, sad=0.39), "happy", "happy"),
        (probs_of(happy=0.30, sad=0.39), "happy", None),
    ],
)
def test_label(probs: np.ndarray, shown: str | None, expected: str | None) -> None:
    assert label(probs, UNSURE_BELOW, shown) == expected


def test_no_faces() -> None:
    assert Smoother(UNSURE_BELOW).update([], np.empty((0, 7), np.float32), 0.0, 0.6) == []


def test_a_first_look_is_taken_as_it_is() -> None:
    [(probs, emotion)] = Smoother(UNSURE_BELOW).update([1], HAPPY[None], 0.0, 0.6)
    np.testing.assert_array_equal(probs, HAPPY)
    assert emotion == "happy"


def test_no_smoothing_shows_each_frame_as_it_is() -> None:
    smoother = Smoother(UNSURE_BELOW)
    for number, raw in enumerate((HAPPY, SAD, HAPPY)):
        [(probs, emotion)] = smoother.update([1], raw[None], number / 30, 0.0)
        np.testing.assert_array_equal(probs, raw)
        assert emotion == ("sad" if number == 1 else "happy")


def test_after_one_time_constant_the_change_has_gone_about_two_thirds() -> None:
    smoother = Smoother(UNSURE_BELOW)
    smoother.update([1], HAPPY[None], 0.0, 0.6)
    [(probs, _)] = smoother.update([1], SAD[None], 0.6, 0.6)
    expected = HAPPY + (SAD - HAPPY) * (1 - np.exp(-1))
    np.testing.assert_allclose(probs, expected, atol=1e-6)


def changed_over(fps: int, until_s: float) -> tuple[np.ndarray, str | None]:
    smoother = Smoother(UNSURE_BELOW)
    for number in range(round(until_s * fps) + 1):
        raw = HAPPY if number == 0 else SAD
        [shown] = smoother.update([1], raw[None], number / fps, 0.6)
    return shown


@pytest.mark.parametrize("until_s", [0.2, 0.5, 1.0, 2.0])
def test_seconds_count_not_frames(until_s: float) -> None:
    slow, fast = changed_over(10, until_s), changed_over(30, until_s)
    np.testing.assert_allclose(slow[0], fast[0], atol=1e-4)
    assert slow[1] == fast[1]


def test_a_label_does_not_flicker_between_two_near_ones() -> None:
    near = probs_of(happy=0.47, sad=0.44), probs_of(happy=0.44, sad=0.47)
    smoother = Smoother(UNSURE_BELOW)
    shown = [
        smoother.update([1], near[number % 2][None], number / 30, 0.0)[0][1] for number in range(60)
    ]
    assert set(shown) == {"happy"}


def test_a_face_that_is_not_read_now_keeps_its_past() -> None:
    smoother = Smoother(UNSURE_BELOW)
    smoother.update([1], HAPPY[None], 0.0, 0.6)
    [(probs, emotion)] = smoother.update([1], unclassified()[None], 0.1, 0.6)
    np.testing.assert_array_equal(probs, HAPPY)
    assert emotion == "happy"


def test_a_face_that_cannot_be_read_for_long_keeps_its_past_while_it_is_followed() -> None:
    smoother = Smoother(UNSURE_BELOW)
    smoother.update([1], HAPPY[None], 0.0, 0.6)
    for time_s in range(1, 20):
        [(probs, emotion)] = smoother.update([1], unclassified()[None], float(time_s), 0.6)
    np.testing.assert_array_equal(probs, HAPPY)
    assert emotion == "happy"


def test_a_face_that_was_never_read_stays_so() -> None:
    [(probs, emotion)] = Smoother(UNSURE_BELOW).update([1], unclassified()[None], 0.0, 0.6)
    assert np.isnan(probs).all() and emotion is None


def test_faces_do_not_mix() -> None:
    smoother = Smoother(UNSURE_BELOW)
    for number in range(10):
        (one, first), (other, second) = smoother.update(
            [7, 9], np.stack([HAPPY, SAD]), number / 30, 0.6
        )
    np.testing.assert_allclose(one, HAPPY, atol=1e-6)
    np.testing.assert_allclose(other, SAD, atol=1e-6)
    assert (first, second) == ("happy", "sad")


@pytest.mark.parametrize("forget", ["reset", "time"])
def test_the_past_is_forgotten(forget: str) -> None:
    smoother = Smoother(UNSURE_BELOW)
    smoother.update([1], HAPPY[None], 0.0, 0.6)
    if forget == "reset":
        smoother.reset()
    later_s = 0.1 if forget == "reset" else 10.0
    [(probs, _)] = smoother.update([1], SAD[None], later_s, 0.6)
    np.testing.assert_array_equal(probs, SAD)


@given(
    st.lists(arrays(np.float32, 7, elements=st.floats(0.125, 1, width=32)), min_size=1),
    st.floats(0, 60),
    st.floats(0, 1.5),
)
def test_smoothed_probabilities_are_probabilities(
    looks: list[np.ndarray], smoothing_s: float, frame_s: float
) -> None:
    smoother = Smoother(UNSURE_BELOW)
    for number, look in enumerate(looks):
        raw = (look / look.sum()).astype(np.float32)
        [(probs, emotion)] = smoother.update([1], raw[None], number * frame_s, smoothing_s)
        assert probs.dtype == np.float32 and (probs >= 0).all()
        assert probs.sum() == pytest.approx(1, abs=1e-4)
        assert emotion is None or emotion in EMOTIONS
