from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emorec.emotions import EMOTIONS
from emorec.records import Box, Face, FrameResult, unclassified


def face(probs: np.ndarray, emotion: str | None = None) -> Face:
    return Face(1, Box(0, 0, 10, 10), float("nan"), 0.0, 0.0, probs, probs, emotion)


def probs_of(**shares: float) -> np.ndarray:
    return np.array([shares.get(emotion, 0.0) for emotion in EMOTIONS], dtype=np.float32)


def test_a_face_that_was_not_read_has_no_opinion() -> None:
    unread = face(unclassified())
    assert not unread.classified
    assert np.isnan(unread.confidence) and np.isnan(unread.valence)
    assert list(unread.by_emotion) == list(EMOTIONS)


def test_unclassified_is_new_each_time() -> None:
    assert unclassified() is not unclassified()
    assert unclassified().shape == (len(EMOTIONS),) and unclassified().dtype == np.float32


@pytest.mark.parametrize(
    ("probs", "emotion", "confidence", "valence"),
    [
        (probs_of(happy=1), "happy", 1.0, 1.0),
        (probs_of(angry=0.5, fear=0.5), "angry", 0.5, -1.0),
        (probs_of(surprise=0.5, neutral=0.5), None, 0.5, 0.0),
        (probs_of(happy=0.4, sad=0.35, neutral=0.25), None, 0.4, 0.05),
        # A label that is held a little longer shows its own probability, not the best one.
        (probs_of(happy=0.52, neutral=0.48), "neutral", 0.48, 0.52),
    ],
)
def test_confidence_and_valence(
    probs: np.ndarray, emotion: str | None, confidence: float, valence: float
) -> None:
    shown = face(probs, emotion)
    assert shown.classified
    assert shown.confidence == pytest.approx(confidence)
    assert shown.valence == pytest.approx(valence)
    assert shown.by_emotion == pytest.approx(dict(zip(EMOTIONS, probs.tolist(), strict=True)))


@given(arrays(np.float32, 7, elements=st.floats(0.0009765625, 1, width=32)))
def test_valence_stays_in_range(raw: np.ndarray) -> None:
    assert -1.00001 <= face((raw / raw.sum()).astype(np.float32)).valence <= 1.00001


def test_records_do_not_change() -> None:
    shown = face(probs_of(happy=1), "happy")
    with pytest.raises(FrozenInstanceError):
        shown.emotion = "sad"  # type: ignore[misc]
    for probs in (shown.probs, shown.probs_raw):
        with pytest.raises(ValueError, match="read-only"):
            probs[0] = 1


def test_a_box_knows_its_size() -> None:
    assert (Box(2, 3, 12, 8).width, Box(2, 3, 12, 8).height) == (10, 5)


def test_an_empty_frame_has_nobody_in_it() -> None:
    result = FrameResult(0, 0.0, (640, 480))
    assert result.faces == () and dict(result.stage_ms) == {}


@pytest.mark.parametrize(
    ("emotion", "unreadable", "expected"),
    [
        ("happy", None, "happy"),
        (None, None, "unsure"),
        (None, "cut off", "unreadable: cut off"),
    ],
)
def test_says(emotion: str | None, unreadable: str | None, expected: str) -> None:
    probs = unclassified()
    face = Face(1, Box(0, 0, 9, 9), 0.9, 0, 0, probs, probs, emotion, unreadable=unreadable)
    assert face.says == expected
