"""One classifier for several threads: everyone gets his own rows, and only his own trouble."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorec.live.shared import BATCH, SharedClassifier

WAIT_S = 60


def faces_of(*numbers: int) -> np.ndarray:
    """Faces that each carry a number, which the classifiers here give back."""
    return np.array(numbers, np.uint8)[:, None, None] * np.ones((1, 48, 48), np.uint8)


class Numbers:
    """Gives each face's number back; holds the batch with the number 1 until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.holds, self.go = threading.Event(), threading.Event()

    def classify(self, faces_gray):
        numbers = faces_gray[:, 0, 0]
        self.batches.append(numbers.tolist())
        if 1 in numbers:
            self.holds.set()
            assert self.go.wait(WAIT_S)
        if 255 in numbers:
            raise ValueError("a face of 255")
        if 254 in numbers:
            raise SystemExit
        return np.tile(numbers[:, None].astype(np.float32), (1, 7))


def queue_up(shared: SharedClassifier, pool: ThreadPoolExecutor, numbers) -> list:
    """Ask one after another, each in a thread of its own, while the first batch is computed."""
    asked = []
    for each in numbers:
        before = len(shared._waiting)
        asked.append(pool.submit(shared.classify, faces_of(*each)))
        while len(shared._waiting) == before:
            pass
    return asked


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.mark.parametrize("numbers", [(2,), (2, 3, 4), tuple(range(2, 60))])
def test_one_caller_gets_his_rows(numbers):
    rows = SharedClassifier(Numbers()).classify(faces_of(*numbers))
    assert rows[:, 0].tolist() == list(numbers)


def test_what_waits_is_read_in_one_batch_in_its_order(pool):
    classifier = Numbers()
    shared = SharedClassifier(classifier)
    first = pool.submit(shared.classify, faces_of(1))
    assert classifier.holds.wait(WAIT_S)
    asked = queue_up(shared, pool, [(2, 3), (4,), (5, 6, 7)])
    classifier.go.set()
    assert [one.result(WAIT_S)[:, 6].tolist() for one in asked] == [[2, 3], [4], [5, 6, 7]]
    assert first.result(WAIT_S)[:, 0].tolist() == [1]
    assert classifier.batches == [[1], [2, 3, 4, 5, 6, 7]]


def test_a_batch_is_bounded_and_nobody_is_overtaken(pool):
    classifier = Numbers()
    shared = SharedClassifier(classifier)
    pool.submit(shared.classify, faces_of(1))
    assert classifier.holds.wait(WAIT_S)
    many = (2,) * (BATCH - 1)
    asked = queue_up(shared, pool, [many, (3, 3), (4,)])
    classifier.go.set()
    for one in asked:
        one.result(WAIT_S)
    # The two did not fit any more, and the one behind them did not pass.
    assert classifier.batches == [[1], list(many), [3, 3, 4]]


@pytest.mark.parametrize("bad", [255, 254], ids=["raising", "its thread ended"])
def test_trouble_reaches_those_of_its_batch_and_later_calls_go_on(pool, bad):
    classifier = Numbers()
    shared = SharedClassifier(classifier)
    first = pool.submit(shared.classify, faces_of(1))
    assert classifier.holds.wait(WAIT_S)
    asked = queue_up(shared, pool, [(2,), (bad,)])
    classifier.go.set()
    assert first.result(WAIT_S)[:, 0].tolist() == [1]
    for one in asked:
        assert isinstance(one.exception(WAIT_S), (RuntimeError, SystemExit))
    assert shared.classify(faces_of(7))[:, 0].tolist() == [7]


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(2, 250), min_size=1, max_size=40), max_size=12))
def test_everyone_gets_his_own_rows(requests):
    shared = SharedClassifier(Numbers())
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda numbers: shared.classify(faces_of(*numbers)), requests))
    assert [rows[:, 3].tolist() for rows in answers] == requests
