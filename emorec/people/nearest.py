"""Who is nearest to a face: all people of a store in one matrix, searched in one go."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emorec.people.rule import Embeddings, mean_direction

SIZE = 128
"""Numbers in an embedding."""


def checked(embeddings: npt.ArrayLike) -> Embeddings:
    """Return embeddings as float32 of shape (n, 128), in memory of their own.

    Raises:
        ValueError: another shape, or numbers that are not finite.
    """
    array = np.array(embeddings, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != SIZE:
        raise ValueError(f"Expected embeddings of shape (n, {SIZE}). Received {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError("Expected finite embeddings. Received NaN or infinity in them.")
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Everybody's embeddings at one moment of the store.

    Attributes:
        revision: the store's, when this was read.
        names: of everybody by id.
        ids: int64 (n,), whose embedding each row is; read-only.
        looks: float32 (n, 128); read-only.
        people: int64 (p,), the ids of those who have embeddings, each once, ascending; read-only.
    """

    revision: int
    names: dict[int, str]
    ids: npt.NDArray[np.int64]
    looks: Embeddings
    people: npt.NDArray[np.int64] = field(init=False)
    _means: Embeddings = field(init=False)
    _spreads: Embeddings = field(init=False)

    def __post_init__(self) -> None:
        order = np.argsort(self.ids, kind="stable")
        people, starts = np.unique(self.ids[order], return_index=True)
        means = np.empty((len(people), SIZE), np.float32)
        spreads = np.empty(len(people), np.float32)
        for person, rows in enumerate(np.split(order, starts[1:]) if len(people) else []):
            means[person], spreads[person] = mean_direction(self.looks[rows])
        for array in (self.ids, self.looks, people):
            array.setflags(write=False)
        object.__setattr__(self, "people", people)
        object.__setattr__(self, "_means", means)
        object.__setattr__(self, "_spreads", spreads)

    def nearest(self, face: Embeddings) -> tuple[int, float, float] | None:
        """Return who is nearest to a face, how far they are, and how far the second person is.

        Args:
            face: float32 of shape (k, 128), its pictures' embeddings, k from 1.

        Returns:
            The person's id and two distances as `emorec.people.rule.distance` measures them, the
            second infinite where there is one person only; None where there is nobody.
        """
        squares = self._squares(face)
        if not len(squares):
            return None
        row = int(np.argmin(squares))
        nearest, squares[row] = float(squares[row]), np.inf
        return int(self.people[row]), math.sqrt(nearest), math.sqrt(float(squares.min()))

    def distances(self, face: Embeddings) -> dict[int, float]:
        """Return how far everybody is from a face, shaped as `nearest` takes it, by id."""
        away = np.sqrt(self._squares(face))
        return dict(zip(self.people.tolist(), away.tolist(), strict=True))

    def _squares(self, face: Embeddings) -> Embeddings:
        mean, spread = mean_direction(face)
        away = self._means - mean
        # Not by @: that starts threads, which on busy cores wait for each other a hundred times as
        # long as they work.
        squares: Embeddings = np.einsum("ij,ij->i", away, away) + self._spreads + spread
        return squares
