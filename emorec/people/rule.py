"""When a face is given a name.

Only the direction of an embedding counts; several pictures of one face or person count by their
mean direction. A face has a person's name where its distance from the person is below `threshold`,
which falls as more people are enrolled, and everybody else is farther by at least ``MARGIN``.

The numbers were chosen on half of the people of ``benchmarks/identity.py``, so that one stranger in
200 is given a name however many are enrolled; ``benchmarks/README.md`` has what they do on the
other half and on all.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Embeddings = npt.NDArray[np.float32]

_FOR_ONE, _PER_DECADE = 0.40, 0.028
"""One stranger in 200 is nearer than about 0.40, 0.39, 0.38, 0.37, 0.36 and 0.355 to the nearest of
1, 2, 5, 10, 20 and 40 people with three pictures each."""

MARGIN = 0.03
"""With 40 people enrolled by one picture each, 0.8 in 1,000 of them are taken for another and not
1.9, and 3 names in 1,000 are lost by it; 0.05 would lose 11 and spare nobody more."""

_WITHIN = 0.0286
"""What the mean of many independent pictures is nearer by to strangers, as a squared distance, than
one picture. With it one threshold serves for any number of pictures: with 40 people enrolled, one
stranger in 200 is nearer than 0.355 to 0.366 whether one picture or three are enrolled or seen."""

APART = 0.42
"""A picture farther than this from several of one person is of somebody else: 1 in 100 of the
person's own are, and 99 in 100 of others'."""


def threshold(people: int) -> float:
    """Return the distance that a face stays under to have a name, with so many people enrolled."""
    return _FOR_ONE - _PER_DECADE * math.log10(max(people, 1))


def mean_direction(embeddings: Embeddings) -> tuple[Embeddings, float]:
    """Return the mean direction of pictures, and what it is nearer by for being a mean.

    Args:
        embeddings: float32 of shape (n, 128), n from 1, those of one face or one person.

    Returns:
        A float32 vector (128,) of length 1, and what is added to squared distances from it: none
        for one picture or for equal ones, the more the more the pictures differ, up to what
        independent pictures come to.
    """
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    mean = (embeddings / np.maximum(lengths, np.float32(1e-6))).mean(axis=0)
    length = float(np.linalg.norm(mean))
    # Of vectors of length 1 the mean squared distance from their mean is 1 - |mean|².
    spread = min(max(1 - length**2, 0.0), _WITHIN * (1 - 1 / len(embeddings)))
    return mean / np.float32(max(length, 1e-6)), spread


def distance(first: Embeddings, second: Embeddings) -> float:
    """Return how far two sets of pictures, float32 of shape (n, 128) each, are from each other.

    From 0 to 2, or a little more; about 0.3 for one person, 0.57 for two.
    """
    (one, here), (other, there) = mean_direction(first), mean_direction(second)
    away = one - other
    return math.sqrt(float(away @ away) + here + there)
