"""Live pictures are read by the larger network where the machine carries it, else by the small."""

from __future__ import annotations

import pytest

from emorec.model.choice import MOST_S, cost_of_a_face, for_live
from emorec.model.store import load


@pytest.mark.parametrize(
    ("cost_s", "chosen"),
    [(0.0, "elu_cnn"), (MOST_S, "elu_cnn"), (MOST_S * 1.01, "small_cnn"), (1.0, "small_cnn")],
)
def test_the_bound_decides(cost_s: float, chosen: str) -> None:
    asked: list[str] = []

    def cost(name: str) -> float:
        asked.append(name)
        return cost_s

    assert for_live("elu_cnn", "small_cnn", cost) == chosen
    assert asked == ["elu_cnn"]


def test_the_cost_of_a_face_is_measured_on_the_model_itself() -> None:
    assert 0 < cost_of_a_face(load()) < 10
