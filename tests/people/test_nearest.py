from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.people.nearest import SIZE, Index, checked


def index(looks: np.ndarray) -> Index:
    return Index(1, {}, np.arange(len(looks)) + 10, checked(looks))


def test_nobody_is_near_where_nobody_is() -> None:
    assert index(np.empty((0, SIZE))).nearest(np.zeros((2, SIZE), np.float32)) == []


def test_no_face_has_no_neighbour() -> None:
    assert index(np.zeros((3, SIZE))).nearest(np.empty((0, SIZE), np.float32)) == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 5))
def test_nearest_is_what_comparing_one_by_one_finds(seed: int, people: int, faces: int) -> None:
    draw = np.random.default_rng(seed)
    looks, asked = (draw.normal(0, 0.1, (n, SIZE)).astype(np.float32) for n in (people, faces))
    for face, (id_, distance) in zip(asked, index(looks).nearest(asked), strict=True):
        one_by_one = np.linalg.norm(looks.astype(float) - face, axis=1)
        assert distance == pytest.approx(one_by_one.min(), rel=1e-5)
        assert one_by_one[id_ - 10] == pytest.approx(one_by_one.min(), rel=1e-5)


def test_a_look_is_at_no_distance_from_itself() -> None:
    looks = np.random.default_rng(1).normal(0, 0.1, (50, SIZE)).astype(np.float32)
    assert index(looks).nearest(looks) == [(10 + row, 0.0) for row in range(50)]


def test_what_is_searched_cannot_be_changed() -> None:
    searched = index(np.zeros((2, SIZE)))
    for array in (searched.ids, searched.looks):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(
    ("embeddings", "received"),
    [
        (np.zeros(SIZE), r"\(128,\)"),
        (np.zeros((1, SIZE - 1)), r"\(1, 127\)"),
        (np.zeros((1, 1, SIZE)), r"\(1, 1, 128\)"),
        (np.full((1, SIZE), np.nan), "NaN"),
        (np.full((1, SIZE), 1e300), "infinity"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_are_no_embeddings_is_refused(embeddings: np.ndarray, received: str) -> None:
    with pytest.raises(ValueError, match=rf"Expected .* Received .*{received}"):
        checked(embeddings)
