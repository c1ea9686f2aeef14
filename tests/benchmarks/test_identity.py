from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sqlalchemy")

from benchmarks.identity import rates, tables


def test_rates_of_pairs() -> None:
    faces = np.zeros((4, 128), np.float32)
    faces[:, 0] = [0.0, 0.5, 0.58, 3.0]
    measured = rates(faces, np.array([1, 1, 2, 2]))
    assert (measured["same_pairs"], measured["other_pairs"]) == (2, 4)
    by = {row["threshold"]: row for row in measured["rates"]}
    # One person: 0.5 and 2.42 apart; two people: 0.58, 3.0, 0.08 and 2.5.
    assert (by[0.3]["false_accept"], by[0.3]["false_reject"]) == (0.25, 1.0)
    assert (by[0.6]["false_accept"], by[0.6]["false_reject"]) == (0.5, 0.5)


def test_one_picture_makes_no_pair() -> None:
    measured = rates(np.zeros((1, 128), np.float32), np.array([1]))
    shown = tables({"faces": "one", "people": 1, "pictures": 1, "default": 0.6, **measured})
    assert "| 0.60 | none | none |" in shown
