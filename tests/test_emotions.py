from __future__ import annotations

from itertools import combinations

import pytest

from emorec.emotions import COLORS, EMOTIONS, FERPLUS_EMOTIONS, UNSURE, VALENCE, rgb


def test_the_order_is_that_of_fer2013() -> None:
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_ferplus_has_eight_classes_of_its_own_order() -> None:
    assert len(set(FERPLUS_EMOTIONS)) == 8 and FERPLUS_EMOTIONS[0] == "neutral"


def test_every_emotion_has_a_colour_and_a_valence() -> None:
    assert set(COLORS) == {*EMOTIONS, UNSURE}
    assert set(VALENCE) == set(EMOTIONS)
    assert set(VALENCE.values()) == {-1.0, 0.0, 1.0}


@pytest.mark.parametrize(
    ("label", "expected"), [("angry", (229, 72, 77)), (UNSURE, (154, 154, 154))]
)
def test_rgb(label: str, expected: tuple[int, int, int]) -> None:
    assert rgb(label) == expected


@pytest.mark.parametrize(("one", "other"), list(combinations(EMOTIONS, 2)))
def test_two_emotions_never_look_alike(one: str, other: str) -> None:
    assert sum(abs(a - b) for a, b in zip(rgb(one), rgb(other), strict=True)) >= 60


def test_the_vocabulary_cannot_be_changed() -> None:
    for table in (COLORS, VALENCE):
        with pytest.raises(TypeError):
            table["angry"] = table["happy"]  # type: ignore[index]
