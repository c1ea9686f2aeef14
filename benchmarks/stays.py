"""Strangers who stay in view: how often they get a name at any time.

No films of strangers are available. The pictures of a track are made from one photograph's
embedding, with differences like those between photographs of different days, but smaller
(``SHAKE``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.open_set import Picture, index_of, share
from emorec.people.evidence import Evidence
from emorec.people.nearest import Index
from emorec.people.rule import MARGIN, Embeddings, threshold

PICTURES = 120  # ten minutes at one in five seconds
SHAKE = 0.5
"""The differences between pictures of one track, of those between photographs of different days."""

_SPLITS = 5


def long_tracks(pictures: Sequence[Picture], enrolled: int) -> dict[str, Any]:
    """Return how many strangers are ever named, by the rule and by every picture by itself."""
    of: dict[str, list[Picture]] = {}
    for picture in pictures:
        of.setdefault(picture.person, []).append(picture)
    known = [own for own in of.values() if len(own) > 3]
    strangers = [own[0] for own in of.values() if len(own) == 1]
    steps = differences(known)
    first: list[bool] = []
    by_one: list[bool] = []
    by_rule: list[bool] = []
    for split in range(_SPLITS):
        rng = np.random.default_rng(split)
        chosen = rng.permutation(len(known))[:enrolled]
        index = index_of(
            {
                id_: np.stack([picture.enrolled for picture in known[row][:3]])
                for id_, row in enumerate(chosen, start=1)
            }
        )
        near = threshold(len(chosen))
        for stranger in strangers:
            face = stranger.asked / np.linalg.norm(stranger.asked)
            track = face + SHAKE * steps[rng.integers(len(steps), size=PICTURES)]
            named = [says(index, one[None], near) for one in track]
            first.append(says(index, stranger.asked[None], near))
            by_one.append(any(named))
            by_rule.append(ever(index, track, near))
    count = len(strangers)
    return {
        "enrolled": enrolled,
        "pictures": PICTURES,
        "first": share(float(np.mean(first)), count),
        "by_one": share(float(np.mean(by_one)), count),
        "by_rule": share(float(np.mean(by_rule)), count),
    }


def differences(people: Sequence[Sequence[Picture]]) -> Embeddings:
    """Return how pictures of one person differ from their mean, float32 (n, 128)."""
    found = []
    for own in people:
        faces = np.stack([picture.asked / np.linalg.norm(picture.asked) for picture in own])
        found.append(faces - faces.mean(axis=0))
    return np.concatenate(found).astype(np.float32)


def ever(index: Index, track: Embeddings, near: float) -> bool:
    """Return whether a live face with these pictures is named at any time."""
    evidence = Evidence()
    for picture in track:
        evidence.add(picture)
        if evidence.basis is not None:
            named = says(index, evidence.basis, near)
            if named:
                return True
            evidence.matched(named)
    return False


def says(index: Index, face: Embeddings, near: float) -> bool:
    """Return whether a face has a name by the rule."""
    found = index.nearest(face)
    return found is not None and found[1] < near and found[2] - found[1] >= MARGIN
