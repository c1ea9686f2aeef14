"""Who is in a photo: nobody twice, of all matchings the likeliest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.people.matching import assign


def at(*places: float) -> np.ndarray:
    found = np.zeros((len(places), 128), np.float32)
    found[:, 0] = places
    return found


@pytest.mark.parametrize(
    ("faces", "people", "expected"),
    [
        ((), {}, []),
        ((0.0,), {}, [None]),
        ((), {1: (0.0,)}, []),
        ((0.1,), {4: (0.0,)}, [4]),
        ((0.7,), {4: (0.0,)}, [None]),
        ((0.7,), {4: (0.0, 0.5)}, [4]),  # the nearest of their looks counts
        ((0.1, 0.2), {4: (0.0,)}, [4, None]),  # the nearer face has it
        ((0.2, 0.1), {4: (0.0,)}, [None, 4]),
        # Alone, both faces would be 4; together the sum is least so.
        ((0.1, 0.2), {4: (0.0,), 9: (0.5,)}, [4, 9]),
        ((0.0, 5.0, 0.5), {1: (0.0,), 2: (0.5,)}, [1, None, 2]),
    ],
)
def test_assign(faces, people, expected) -> None:
    ids = np.array([id_ for id_, places in people.items() for _ in places], np.int64)
    looks = at(*(place for places in people.values() for place in places))
    assert assign(at(*faces), ids, looks) == expected


places = st.floats(0, 3, width=32)


@given(faces=st.lists(places, max_size=6), looks=st.lists(st.tuples(st.integers(1, 4), places)))
def test_nobody_is_in_two_places_and_all_are_near(faces, looks) -> None:
    ids = np.array([id_ for id_, _ in looks], np.int64)
    found = assign(at(*faces), ids, at(*(place for _, place in looks)))
    known = [id_ for id_ in found if id_ is not None]
    assert len(found) == len(faces) and len(set(known)) == len(known)
    for face, id_ in zip(faces, found, strict=True):
        if id_ is not None:
            assert min(abs(face - place) for who, place in looks if who == id_) < 0.6
