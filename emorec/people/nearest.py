"""Nearest-person search: one matrix holds all people of a store, and one pass searches it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emorec.calibration.examples import Examples
from emorec.people.rule import Embeddings, mean_direction

SIZE = 128
"""Length of an embedding."""


def checked(embeddings: npt.ArrayLike) -> Embeddings:
    """Return a copy of the embeddings as float32 of shape (n, 128).

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
    """The embeddings of all people, read at one revision of the store.

    Attributes:
        revision: the store's revision when this was read.
        names: the name of each person by id.
        ids: int64 (n,), the person's id of each embedding; read-only.
        embeddings: float32 (n, 128); read-only.
        examples: the examples of each person by id, of those asked for by now; None: has none.
        people: int64 (p,), the ids of people who have embeddings, unique, ascending; read-only.
    """

    revision: int
    names: dict[int, str]
    ids: npt.NDArray[np.int64]
    embeddings: Embeddings
    examples: dict[int, Examples | None] = field(default_factory=dict)
    people: npt.NDArray[np.int64] = field(init=False)
    _means: Embeddings = field(init=False)
    _spreads: Embeddings = field(init=False)

    def __post_init__(self) -> None:
        order = np.argsort(self.ids, kind="stable")
        people, starts = np.unique(self.ids[order], return_index=True)
        means = np.empty((len(people), SIZE), np.float32)
        spreads = np.empty(len(people), np.float32)
        for person, rows in enumerate(np.split(order, starts[1:]) if len(people) else []):
            means[person], spreads[person] = mean_direction(self.embeddings[rows])
        for array in (self.ids, self.embeddings, people):
            array.setflags(write=False)
        object.__setattr__(self, "people", people)
        object.__setattr__(self, "_means", means)
        object.__setattr__(self, "_spreads", spreads)

    def nearest(self, face: Embeddings) -> tuple[int, float, float] | None:
        """Return the person nearest to a face, and the distances of the two nearest people.

        Args:
            face: float32 of shape (k, 128), k ≥ 1: the embeddings of its pictures.

        Returns:
            The nearest person's id, that person's distance and the second person's, as
            `emorec.people.rule.distance` defines them; the second is infinite if there is one
            person only. None if the index has no person.
        """
        squares = self._squares(face)
        if not len(squares):
            return None
        row = int(np.argmin(squares))
        nearest, squares[row] = float(squares[row]), np.inf
        return int(self.people[row]), math.sqrt(nearest), math.sqrt(float(squares.min()))

    def distances(self, face: Embeddings) -> dict[int, float]:
        """Return the distance of each person by id; ``face`` as for `nearest`."""
        distances = np.sqrt(self._squares(face))
        return dict(zip(self.people.tolist(), distances.tolist(), strict=True))

    def _squares(self, face: Embeddings) -> Embeddings:
        """Return the squared distance of each person, float32 (p,)."""
        mean, spread = mean_direction(face)
        differences = self._means - mean
        # Not with @: it starts threads, and on busy cores these wait for each other a hundred times
        # as long as they compute.
        squares: Embeddings = (
            np.einsum("ij,ij->i", differences, differences) + self._spreads + spread
        )
        return squares
