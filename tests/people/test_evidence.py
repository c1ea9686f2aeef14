"""What a live face's name rests on: fixed sets of pictures, and no more chances by staying."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.people.evidence import DECISIONS, NEWEST, Evidence
from emorec.people.nearest import SIZE, Index
from emorec.people.rule import APART, MARGIN, threshold


def at(angle: float, count: int = 1) -> np.ndarray:
    """Return embeddings at an angle on a circle."""
    found = np.zeros((count, SIZE), np.float32)
    found[:, 0], found[:, 1] = np.cos(angle), np.sin(angle)
    return found


def fed(evidence: Evidence, place: float, count: int) -> Evidence:
    for embedding in at(place, count):
        evidence.add(embedding)
    return evidence


def test_there_is_no_decision_before_three_pictures() -> None:
    evidence = Evidence()
    assert evidence.basis is None
    assert fed(evidence, 0.0, 2).basis is None
    evidence.matched(False)
    assert fed(evidence, 0.0, 1).basis.shape == (3, SIZE)


def test_a_name_keeps_what_it_rests_on() -> None:
    evidence = Evidence()
    for number in range(60):
        evidence.add(at(number / 1000)[0])
        if evidence.basis is not None:
            evidence.matched(True)
            assert np.allclose(evidence.basis[:, 1], np.sin([0, 0.001, 0.002]))
    assert not evidence.doubtful


def test_without_a_name_there_are_three_decisions_and_no_more() -> None:
    evidence, sizes = Evidence(), []
    for number in range(200):
        evidence.add(at(number / 1000)[0])
        if evidence.basis is not None:
            sizes.append(len(evidence.basis))
            evidence.matched(False)
    assert sorted(set(sizes)) == list(DECISIONS) and sizes == sorted(sizes)
    assert np.allclose(evidence.basis[:, 1], np.sin(np.arange(DECISIONS[-1]) / 1000))
    assert len(evidence._pictures) <= DECISIONS[-1] + NEWEST


def test_one_picture_of_somebody_else_is_doubted_and_three_begin_anew() -> None:
    evidence = fed(Evidence(), 0.0, 20)
    for _ in range(3):  # passing hands
        assert fed(evidence, 2 * APART, 1).doubtful
        assert not fed(evidence, 0.0, 3).doubtful
    assert (evidence.basis == at(0.0)).all()
    evidence.matched(False)
    fed(evidence, 2 * APART, NEWEST)
    assert (evidence.basis == at(2 * APART)).all()
    assert evidence.taken == NEWEST and not evidence.doubtful


@pytest.mark.long
def test_a_stranger_who_stays_is_not_named_for_the_best_of_many_pictures() -> None:
    """Their mean is too far to be named; now and then one of 300 pictures is near by chance."""
    rng = np.random.default_rng(1)
    index = Index(1, {7: "Ada"}, np.full(3, 7), np.eye(1, SIZE, dtype=np.float32).repeat(3, axis=0))
    best = named = 0
    for _ in range(100):
        beside = rng.normal(0, 1, SIZE - 1) + rng.normal(0, 0.1, (300, SIZE - 1))
        beside /= np.linalg.norm(beside, axis=1, keepdims=True)
        # The threshold in terms of the angle's cosine, and pictures around a place that is too far.
        cosines = 1 - threshold(1) ** 2 / 2 - 0.03 + rng.normal(0, 0.012, 300)
        sines = np.sqrt(1 - cosines**2)
        pictures = np.hstack([cosines[:, None], beside * sines[:, None]]).astype(np.float32)
        best += any(says(index, one[None]) for one in pictures)
        evidence, ever = Evidence(), False
        for picture in pictures:
            evidence.add(picture)
            if evidence.basis is not None:
                said = says(index, evidence.basis)
                evidence.matched(said)
                ever = ever or said
        named += ever
    assert best > 50  # the mistake this avoids is there to be made
    assert named < 5


def says(index: Index, face: np.ndarray) -> bool:
    found = index.nearest(face)
    assert found is not None
    return found[1] < threshold(1) and found[2] - found[1] >= MARGIN
