"""What is shown of two heads: their temperatures and their blend, by hand and as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.model.shown import PEOPLE_SHARES, Head, as_emotions, in_words, shown, tempered

EVEN = {"fer2013": 1.0, "ferplus": 1.0, "shown": 1.0}


def test_no_face_shows_nothing() -> None:
    outputs = {"fer2013": np.empty((0, 7), np.float32), "ferplus": np.empty((0, 8), np.float32)}
    assert shown(outputs, EVEN, 0.5).shape == (0, 7)


@pytest.mark.parametrize(
    ("ferplus", "emotion"),
    [
        ("neutral", "neutral"),
        ("happiness", "happy"),
        ("surprise", "surprise"),
        ("sadness", "sad"),
        ("anger", "angry"),
        ("disgust", "disgust"),
        ("fear", "fear"),
    ],
)
def test_each_class_of_votes_becomes_its_emotion(ferplus: str, emotion: str) -> None:
    probs = np.full((1, 8), 0.05, np.float32)
    probs[0, FERPLUS_EMOTIONS.index(ferplus)] = 0.65
    received = as_emotions(probs)[0]
    assert EMOTIONS[received.argmax()] == emotion
    assert received.max() == pytest.approx(0.65 / 0.95)  # contempt's share went to all


def test_nothing_but_contempt_is_no_emotion_more_than_another() -> None:
    probs = np.zeros((1, 8), np.float32)
    probs[0, FERPLUS_EMOTIONS.index("contempt")] = 1
    np.testing.assert_allclose(as_emotions(probs), np.full((1, 7), 1 / 7), rtol=1e-5)


@pytest.mark.parametrize(
    ("blend", "happy", "neutral"), [(0, 1, 0), (0.25, 0.75, 0.25), (0.5, 0.5, 0.5), (1, 0, 1)]
)
def test_the_blend_by_hand(blend: float, happy: float, neutral: float) -> None:
    outputs = {"fer2013": np.zeros((1, 7), np.float32), "ferplus": np.zeros((1, 8), np.float32)}
    outputs["fer2013"][0, EMOTIONS.index("happy")] = 1
    outputs["ferplus"][0, FERPLUS_EMOTIONS.index("neutral")] = 1
    (received,) = shown(outputs, EVEN, blend)
    assert received.dtype == np.float32
    assert received[EMOTIONS.index("happy")] == pytest.approx(happy)
    assert received[EMOTIONS.index("neutral")] == pytest.approx(neutral)


def some(classes: int) -> st.SearchStrategy[np.ndarray]:
    weights = arrays(np.float32, (3, classes), elements=st.floats(0.0009765625, 1, width=32))
    return weights.map(lambda rows: rows / rows.sum(axis=1, keepdims=True))


def test_what_is_shown_has_a_temperature_of_its_own() -> None:
    outputs = {"fer2013": np.full((1, 7), 0.1, np.float32), "ferplus": np.zeros((1, 8), np.float32)}
    outputs["fer2013"][0, 3] = 0.4
    (received,) = shown(outputs, EVEN | {"shown": 0.5}, 0)
    np.testing.assert_allclose(received[:4], np.array([1, 1, 1, 16]) / 22, atol=1e-6)


def test_the_prior_is_divided_out_by_hand() -> None:
    outputs = {"fer2013": np.zeros((1, 7), np.float32), "ferplus": np.zeros((1, 8), np.float32)}
    outputs["ferplus"][0, FERPLUS_EMOTIONS.index("neutral")] = 0.6
    outputs["ferplus"][0, FERPLUS_EMOTIONS.index("disgust")] = 0.4
    neutral, disgust = EMOTIONS.index("neutral"), EMOTIONS.index("disgust")
    (before,), (after,) = (shown(outputs, EVEN, 1, power) for power in (0, 1))
    assert before[neutral] == pytest.approx(0.6)
    odds = (0.4 / PEOPLE_SHARES[disgust]) / (0.6 / PEOPLE_SHARES[neutral])
    assert after[disgust] / after[neutral] == pytest.approx(odds)
    assert EMOTIONS[after.argmax()] == "disgust"


def test_the_shares_are_those_of_seven_emotions() -> None:
    assert PEOPLE_SHARES.shape == (len(EMOTIONS),)
    assert PEOPLE_SHARES.sum() == pytest.approx(1, abs=2e-4)
    assert EMOTIONS[PEOPLE_SHARES.argmax()] == "neutral"
    assert EMOTIONS[PEOPLE_SHARES.argmin()] == "disgust"


def test_a_head_answers_for_the_votes_by_hand() -> None:
    outputs = {
        "fer2013": np.full((1, 7), 1 / 7, np.float32),
        "ferplus": np.eye(8, dtype=np.float32)[:1],
    }
    outputs["features"] = np.array([[2.0, 1.0]], np.float32)
    weights, biases = np.zeros((2, 7), np.float32), np.zeros(7, np.float32)
    weights[0, 3], weights[1, 4], biases[3] = np.log(3), np.log(4), -np.log(3)
    (received,) = shown(outputs, EVEN, 1, 0, Head(weights, biases))
    np.testing.assert_allclose(received, np.array([1, 1, 1, 3, 4, 1, 1]) / 12, atol=1e-6)
    (half,) = shown(outputs, EVEN, 0.5, 0, Head(weights, biases))
    np.testing.assert_allclose(half, (received + 1 / 7) / 2, atol=1e-6)


def test_the_prior_is_told_where_there_is_one() -> None:
    assert "divided by how common" not in in_words(1)
    assert in_words(1, 0.8).endswith("among those votes to the 0.8")


def test_a_refitted_head_is_told_where_it_has_a_share() -> None:
    assert "refitted" in in_words(1, refitted=True) and "refitted" in in_words(0.5, refitted=True)
    assert "refitted" not in in_words(1) and "refitted" not in in_words(0, refitted=True)


TEMPERATURES = st.floats(0.1, 10)


HEADS = st.none() | arrays(np.float32, (3, 7), elements=st.floats(-100, 100, width=32)).map(
    lambda numbers: Head(numbers[:2], numbers[2])
)


@given(
    *(some(7), some(8), TEMPERATURES, TEMPERATURES, TEMPERATURES, st.floats(0, 1), st.floats(0, 1)),
    HEADS,
)
def test_what_is_shown_is_always_a_distribution(
    fer2013: np.ndarray,
    ferplus: np.ndarray,
    one: float,
    other: float,
    both: float,
    blend: float,
    power: float,
    head: Head | None,
) -> None:
    outputs = {"fer2013": fer2013, "ferplus": ferplus, "features": ferplus[:, :2]}
    temperatures = {"fer2013": one, "ferplus": other, "shown": both}
    received = shown(outputs, temperatures, blend, power, head)
    assert (received >= 0).all()
    np.testing.assert_allclose(received.sum(axis=1), 1, atol=1e-5)


@given(some(7), st.floats(0.1, 10))
def test_temperature_keeps_the_order_and_the_sum(probs: np.ndarray, temperature: float) -> None:
    cooled = tempered(probs, temperature)
    np.testing.assert_allclose(cooled.sum(axis=1), 1, atol=1e-5)
    top = probs.argmax(axis=1)
    assert (cooled[range(3), top] >= cooled.max(axis=1) - 1e-6).all()


@pytest.mark.parametrize(
    ("probs", "temperature", "expected"),
    [
        ([0.5, 0.5], 3, [0.5, 0.5]),
        ([0.8, 0.2], 1, [0.8, 0.2]),
        ([0.8, 0.2], 2, [2 / 3, 1 / 3]),  # the square root of 4 to 1
        ([0.8, 0.2], 0.5, [16 / 17, 1 / 17]),
        ([1, 0], 1, [1, 0]),
    ],
)
def test_temperature_by_hand(probs: list, temperature: float, expected: list) -> None:
    received = tempered(np.array([probs], np.float32), temperature)
    np.testing.assert_allclose(received, [expected], atol=1e-6)
