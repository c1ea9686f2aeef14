from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.pipeline.classify import ReadingOrder, classify_faces


class Counting:
    """A classifier that counts how often it is asked."""

    asked = 0

    def classify(self, faces_gray: np.ndarray) -> np.ndarray:
        self.asked += 1
        return np.full((len(faces_gray), 7), 1 / 7, np.float32)


def test_nobody_costs_nothing() -> None:
    classifier = Counting()
    probs, corrected = classify_faces(classifier, np.empty((0, 48, 48), np.uint8), [])
    assert corrected.shape == (0, 7)
    assert probs.shape == (0, 7) and probs.dtype == np.float32
    assert classifier.asked == 0


def test_all_faces_of_a_frame_are_read_at_once() -> None:
    classifier = Counting()
    probs, _ = classify_faces(classifier, np.zeros((5, 48, 48), np.uint8), range(5))
    assert probs.shape == (5, 7)
    assert classifier.asked == 1


def test_nobody_has_no_turn() -> None:
    assert ReadingOrder().choose([], [], 0.0, 5) == []


def read(order: ReadingOrder, faces: int, frames: int, count: int) -> list[list[int]]:
    """Return who was read in each frame where everybody is seen and so many can be read."""
    everybody = list(range(1, faces + 1))
    return [order.choose(everybody, everybody, number / 25, count) for number in range(frames)]


@pytest.mark.parametrize(("faces", "count"), [(1, 1), (9, 2), (25, 3), (50, 7), (9, 9), (3, 20)])
def test_the_faces_take_order_and_nobody_is_forgotten(faces: int, count: int) -> None:
    order = ReadingOrder()
    frames = read(order, faces, 120, count)[20:]  # by then everybody was read once
    assert all(len(chosen) == min(count, faces) for chosen in frames)
    for face in range(1, faces + 1):
        read_in = [number for number, chosen in enumerate(frames) if face in chosen]
        # Those that were read together may wait for one frame more.
        assert max(np.diff([-1, *read_in])) <= np.ceil(faces / count) + 1


def test_newcomers_are_read_at_once_but_a_crowd_of_them_over_some_frames() -> None:
    order = ReadingOrder()
    first = read(order, 25, 7, 0)
    assert sorted(face for chosen in first for face in chosen) == list(range(1, 26))
    assert max(map(len, first)) <= 4
    everybody = list(range(1, 27))
    assert order.choose(everybody, everybody, 3.0, 0) == [26]
    assert order.choose(everybody, everybody, 3.1, 0) == []


def test_who_is_not_seen_is_not_chosen_and_waits() -> None:
    order = ReadingOrder()
    read(order, 9, 25, 3)
    assert order.choose(list(range(1, 10)), [4], 1.0, 5) == [4]
    assert 4 not in order.choose(list(range(1, 10)), list(range(1, 10)), 1.05, 8)


def test_who_is_gone_is_forgotten_and_new_when_back() -> None:
    order = ReadingOrder()
    read(order, 3, 5, 1)
    order.choose([1, 2], [1, 2], 1.0, 1)
    assert order.choose([1, 2, 3], [1, 2, 3], 1.1, 0) == [3]
    order.reset()
    assert order.choose([1, 2], [1, 2], 1.2, 0) == [1, 2]


@given(st.lists(st.sets(st.integers(1, 30)), max_size=20), st.integers(0, 9))
def test_only_who_is_seen_is_chosen_and_only_once(frames: list[set[int]], count: int) -> None:
    order = ReadingOrder()
    for number, seen in enumerate(frames):
        chosen = order.choose(sorted(seen | {1, 2}), sorted(seen), float(number), count)
        assert set(chosen) <= seen and len(set(chosen)) == len(chosen)
        assert min(count, len(seen)) <= len(chosen) <= max(count, 8)
