from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.people.nearest import SIZE, Index, checked
from emorec.people.rule import distance


def index(looks: np.ndarray, ids: np.ndarray | None = None) -> Index:
    ids = np.arange(len(looks)) + 10 if ids is None else ids
    return Index(1, {}, ids.astype(np.int64), checked(looks))


def test_nobody_is_near_where_nobody_is() -> None:
    assert index(np.empty((0, SIZE))).nearest(np.zeros((2, SIZE), np.float32)) is None


def test_the_only_person_has_no_second() -> None:
    one = np.eye(1, SIZE, dtype=np.float32)
    assert index(one.repeat(3, axis=0), np.full(3, 4)).nearest(one) == (4, 0.0, np.inf)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 5), st.integers(1, 4))
def test_nearest_is_what_comparing_with_everybody_finds(
    seed: int, looks: int, people: int, pictures: int
) -> None:
    draw = np.random.default_rng(seed)
    known, face = (draw.normal(0, 0.1, (n, SIZE)).astype(np.float32) for n in (looks, pictures))
    ids = draw.integers(1, people + 1, looks)
    searched = index(known, ids)
    away = {int(id_): distance(known[ids == id_], face) for id_ in np.unique(ids)}
    assert searched.distances(face) == pytest.approx(away, rel=1e-5)
    person, nearest, second = searched.nearest(face)
    first, *others = sorted(away.values())
    assert nearest == pytest.approx(first, rel=1e-5)
    assert away[person] == pytest.approx(first, rel=1e-5)
    assert second == (pytest.approx(others[0], rel=1e-5) if others else np.inf)


def test_what_is_searched_cannot_be_changed() -> None:
    searched = index(np.zeros((2, SIZE)))
    for array in (searched.ids, searched.embeddings, searched.people):
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
