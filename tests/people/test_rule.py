"""Near enough for the size of the gallery, nearer than anybody else by a margin, and once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.people.matching import Match, unique_matches
from emorec.people.nearest import SIZE
from emorec.people.rule import distance, threshold


def test_the_threshold_falls_as_people_are_enrolled() -> None:
    near = [threshold(people) for people in (0, 1, 2, 10, 40, 1000, 100_000)]
    assert near[0] == near[1]
    assert near[1:] == sorted(near[1:], reverse=True) and len(set(near[1:])) == 6
    assert 0.2 < near[-1] < near[0] < 0.426  # dlib's own 0.6, for "are these two the same?"


def at(*angles: float) -> np.ndarray:
    found = np.zeros((len(angles), SIZE), np.float32)
    found[:, 0], found[:, 1] = np.cos(angles), np.sin(angles)
    return found


def test_single_pictures_are_as_far_as_their_directions() -> None:
    chord = 2 * np.sin(0.25)
    assert distance(at(0.0), at(0.5)) == pytest.approx(chord, rel=1e-5)
    assert distance(3 * at(0.0), 0.2 * at(0.5)) == pytest.approx(chord, rel=1e-5)
    assert distance(at(0.0), at(0.0)) == 0


def test_equal_pictures_count_as_one_and_different_ones_make_more_sure() -> None:
    """A mean is nearer to everybody, strangers too: as far as it is one, that is taken back."""
    assert distance(at(0.0, 0.0, 0.0), at(0.5)) == pytest.approx(distance(at(0.0), at(0.5)))
    same, differing = distance(at(0.0, 0.0), at(0.5)), distance(at(-0.2, 0.2), at(0.5))
    assert same < differing < np.sqrt(same**2 + 0.0286)


def test_three_pictures_of_one_person_are_nearer_than_one() -> None:
    draw = np.random.default_rng(3)

    def pictures(count: int) -> np.ndarray:
        return (person + draw.normal(0, 0.022, (count, SIZE))).astype(np.float32)

    person = draw.normal(0, 1, SIZE) / np.sqrt(SIZE)
    one = np.mean([distance(pictures(1), pictures(1)) for _ in range(50)])
    three = np.mean([distance(pictures(3), pictures(3)) for _ in range(50)])
    assert three < 0.95 * one


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_the_distance_is_the_same_both_ways(seed: int, first: int, second: int) -> None:
    draw = np.random.default_rng(seed)
    a, b = (draw.normal(0, 0.1, (n, SIZE)).astype(np.float32) for n in (first, second))
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-5)
    assert 0 <= distance(a, b) < 2.1


def match(person_id: int, away: float) -> Match:
    return Match(person_id, f"Person {person_id}", away)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ([], []),
        ([None, None], [None, None]),
        ([(1, 0.3), None, (2, 0.4)], [1, None, 2]),
        ([(1, 0.3), (1, 0.2), (1, 0.4)], [None, 1, None]),
        ([(1, 0.3), (1, 0.3)], [1, None]),  # as near as each other: one face has it all the same
    ],
)
def test_nobody_is_in_two_places(given_, kept) -> None:
    found = unique_matches([one and match(*one) for one in given_])
    assert [one and one.person_id for one in found] == kept
