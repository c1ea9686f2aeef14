"""The rule that decides whether a face gets a person's name.

Only the direction of an embedding counts; several pictures of one face or person count by their
mean direction. A face gets a person's name if its distance from the person is below `threshold`,
which falls as more people are enrolled, and all other people are farther away by at least
``MARGIN``.

The numbers were chosen on half of the people of ``benchmarks/identity.py``, so that one stranger in
200 is given a name, however many people are enrolled. ``benchmarks/README.md`` shows the results on
the other half and on all people.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Embeddings = npt.NDArray[np.float32]

_AT_ONE, _PER_DECADE = 0.40, 0.028
"""The threshold for one person enrolled, and by how much it falls when there are ten times as many.
One stranger in 200 is nearer than about 0.40, 0.39, 0.38, 0.37, 0.36 and 0.355 to the nearest of 1,
2, 5, 10, 20 and 40 people with three pictures each."""

MARGIN = 0.03
"""With 40 people enrolled by one picture each, this margin lowers the wrong names from 1.9 to 0.8
in 1,000, and 3 right names in 1,000 are lost. A margin of 0.05 would lose 11 right names in 1,000
and prevent no further wrong one."""

_MOST_SPREAD = 0.0286
"""A stranger is nearer to the mean of many independent pictures than to one picture, by this much
as a squared distance. Adding it back lets one threshold serve for any number of pictures: with 40
people enrolled, one stranger in 200 is nearer than 0.355 to 0.366, whether one picture or three are
enrolled or seen."""

APART = 0.42
"""A picture farther than this from several pictures of one person counts as another person's. That
is the case for 1 in 100 of the person's own pictures, and for 99 in 100 of other people's."""


def threshold(people: int) -> float:
    """Return the distance below which a face gets a name, for this number of people enrolled."""
    return _AT_ONE - _PER_DECADE * math.log10(max(people, 1))


def mean_direction(embeddings: Embeddings) -> tuple[Embeddings, float]:
    """Return the mean direction of embeddings, and the correction of distances from it.

    Args:
        embeddings: float32 of shape (n, 128), n ≥ 1, of one face or one person.

    Returns:
        A float32 vector (128,) of length 1, and the number to add to squared distances from it. It
        is 0 for one picture or equal ones, and grows with the difference between the pictures, up
        to the value for n independent pictures.
    """
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    mean = (embeddings / np.maximum(lengths, np.float32(1e-6))).mean(axis=0)
    length = float(np.linalg.norm(mean))
    # Of vectors of length 1 the mean squared distance from their mean is 1 - |mean|².
    spread = min(max(1 - length**2, 0.0), _MOST_SPREAD * (1 - 1 / len(embeddings)))
    return mean / np.float32(max(length, 1e-6)), spread


def distance(first: Embeddings, second: Embeddings) -> float:
    """Return the distance between two sets of pictures, float32 of shape (n, 128) each.

    It lies between 0 and 2, or a little above. Pictures of one person have about 0.3, pictures of
    two people about 0.57.
    """
    (mean, spread), (other_mean, other_spread) = mean_direction(first), mean_direction(second)
    difference = mean - other_mean
    return math.sqrt(float(difference @ difference) + spread + other_spread)
