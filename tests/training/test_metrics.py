"""The numbers that models are judged by, against tables worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.training.metrics import accuracy, confusion, ece, macro_f1, per_class

NOTHING = np.empty(0, np.int64)


def test_nothing_is_no_number() -> None:
    assert confusion(NOTHING, NOTHING, 2).tolist() == [[0, 0], [0, 0]]
    assert math.isnan(accuracy(NOTHING, NOTHING))
    assert math.isnan(macro_f1(NOTHING, NOTHING, 2))
    assert math.isnan(ece(np.empty((0, 2)), NOTHING))


def test_by_hand() -> None:
    true = np.array([0, 0, 0, 1, 1, 2])
    said = np.array([0, 0, 1, 1, 2, 1])
    matrix = confusion(said, true, 4)
    assert matrix.tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert accuracy(said, true) == 0.5
    rows = per_class(matrix)
    assert [row.n for row in rows] == [3, 2, 1, 0]
    assert [row.precision for row in rows] == pytest.approx([1, 1 / 3, 0, 0])
    assert [row.recall for row in rows] == pytest.approx([2 / 3, 1 / 2, 0, 0])
    assert [row.f1 for row in rows] == pytest.approx([0.8, 0.4, 0, 0])
    # The fourth class has no example, so it does not count.
    assert macro_f1(said, true, 4) == pytest.approx((0.8 + 0.4 + 0) / 3)


@pytest.mark.parametrize(
    ("sure", "right", "expected"),
    [
        ([1.0], [True], 0),
        ([1.0], [False], 1),
        ([0.9, 0.6, 0.55], [True, False, True], (0.1 + 0.6 + 0.45) / 3),  # a bin each
        ([0.91, 0.92], [True, False], abs(0.915 - 0.5)),  # one bin
        ([0.91, 0.92, 0.7], [True, False, True], (2 * 0.415 + 0.3) / 3),
    ],
)
def test_calibration_error_by_hand(sure: list[float], right: list[bool], expected: float) -> None:
    probs = np.array([[p, 1 - p] for p in sure])
    assert ece(probs, np.where(right, 0, 1)) == pytest.approx(expected)


LABELS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=50)


@given(LABELS)
def test_the_numbers_agree_with_each_other(pairs: list[tuple[int, int]]) -> None:
    said, true = np.array(pairs).T
    matrix = confusion(said, true, 7)
    assert matrix.sum() == len(pairs)
    assert accuracy(said, true) == pytest.approx(np.trace(matrix) / len(pairs))
    assert 0 <= macro_f1(said, true, 7) <= 1
    assert macro_f1(true, true, 7) == 1
