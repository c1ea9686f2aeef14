"""Which network reads live pictures, by what the default one takes for a face."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.model import choice, store
from emorec.model.contract import read


@pytest.mark.parametrize(
    ("cost_ms", "name"),
    [
        (0.4, "elu_cnn"),  # AVX-512 and AMX
        (choice.MOST_MS, "elu_cnn"),
        (2.01, "small_cnn"),
        (4.0, "small_cnn"),  # AVX2
        (10.5, "small_cnn"),  # AVX2, a slow one
    ],
)
def test_a_machine_reads_live_pictures_with_what_it_carries(cost_ms: float, name: str) -> None:
    assert choice.carried(cost_ms) == name


def test_the_model_that_is_loaded_is_measured_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def slow(model: store.EmotionModel) -> float:
        measured.append(model)
        return 5.0

    monkeypatch.setattr(choice, "ms_per_face", slow)
    monkeypatch.setattr(choice, "_chosen", {})
    default, again = store.load(), store.load()
    assert [choice.for_live(model) for model in (default, default, again)] == ["small_cnn"] * 3
    assert measured == [default]


def test_the_cost_is_of_one_face_and_the_least_of_several_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Model:
        calls = 0

        def classify(self, faces: np.ndarray) -> None:
            assert faces.shape == (1, 48, 48) and faces.dtype == np.uint8
            self.calls += 1
            clock.now += 0.003 if self.calls == 5 else 0.1

    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(choice, "perf_counter", clock)
    assert choice.ms_per_face(Model()) == pytest.approx(3.0)


def test_both_networks_ship_and_know_the_same_classes() -> None:
    large, small = (
        read(store.path_of(name).with_suffix(".json"))
        for name in (store.DEFAULT_NAME, choice.SMALL_NAME)
    )
    assert large.labels == small.labels and large.input == small.input
    assert small.network == "small" and small.head is not None
    assert not set(map(str, large.files.values())) & set(map(str, small.files.values()))
