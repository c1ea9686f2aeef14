from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.pipeline.classify import Turns, classify_faces


class Counting:
    """A classifier that counts how often it is asked."""

    asked = 0

    def classify(self, faces_gray: np.ndarray) -> np.ndarray:
        self.asked += 1
        return np.full((len(faces_gray), 7), 1 / 7, np.float32)


def test_nobody_costs_nothing() -> None:
    classifier = Counting()
    probs = classify_faces(classifier, np.empty((0, 48, 48), np.uint8))
    assert probs.shape == (0, 7) and probs.dtype == np.float32
    assert classifier.asked == 0


def test_all_faces_of_a_frame_are_read_at_once() -> None:
    classifier = Counting()
    assert classify_faces(classifier, np.zeros((5, 48, 48), np.uint8)).shape == (5, 7)
    assert classifier.asked == 1


def test_nobody_has_no_turn() -> None:
    assert Turns().choose([], [], 0.0) == []


def read(turns: Turns, faces: int, fps: float, cost_s: float, seconds: float = 3) -> list[list]:
    """Return who was read in each frame where everybody is seen and a face costs so much."""
    everybody = list(range(1, faces + 1))
    frames = []
    for number in range(int(seconds * fps)):
        frames.append(turns.choose(everybody, everybody, number / fps))
        turns.spent(len(frames[-1]), len(frames[-1]) * cost_s)
    return frames


@pytest.mark.parametrize("cost_s", [0.0001, 0.002, 0.05])
@pytest.mark.parametrize("fps", [4, 20, 30])
@pytest.mark.parametrize("faces", [1, 9, 25, 50])
def test_everybody_is_read_twice_a_second_and_no_frame_pays_for_all(
    faces: int, fps: float, cost_s: float
) -> None:
    frames = read(Turns(), faces, fps, cost_s)
    for face in range(1, faces + 1):
        times = [number / fps for number, chosen in enumerate(frames) if face in chosen]
        # Whoever is read in every second frame of four a second is read twice a second.
        assert max(np.diff([0, *times])) <= 0.5 + 1e-9
    most = max(map(len, frames[len(frames) // 2 :]))
    assert most <= max(1, np.ceil(faces / fps / 0.33), 0.015 / cost_s * 1.1)


def test_while_there_is_time_everybody_is_read_in_every_frame() -> None:
    frames = read(Turns(), 9, 30, 0.0005)
    assert all(len(chosen) == 9 for chosen in frames[15:])


def test_a_newcomer_is_read_first() -> None:
    turns = Turns()
    read(turns, 25, 20, 0.05)
    everybody = list(range(1, 27))
    assert 26 in turns.choose(everybody, everybody, 3.0)


def test_who_is_not_seen_is_not_chosen_and_waits() -> None:
    turns = Turns()
    read(turns, 9, 20, 0.05, seconds=1)
    assert turns.choose(list(range(1, 10)), [4], 1.0) == [4]
    assert 4 not in turns.choose(list(range(1, 10)), list(range(1, 10)), 1.05)


@given(st.lists(st.sets(st.integers(1, 30)), max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_only_who_is_seen_is_chosen_and_only_once(
    frames: list[set[int]], frame_s: float, cost_s: float
) -> None:
    turns = Turns()
    for number, seen in enumerate(frames):
        chosen = turns.choose(sorted(seen | {1, 2}), sorted(seen), number * frame_s)
        assert set(chosen) <= seen and len(set(chosen)) == len(chosen)
        assert bool(chosen) == bool(seen)
        turns.spent(len(chosen), cost_s)
