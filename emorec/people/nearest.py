"""Whose look is nearest to a face: all looks of a store in one matrix, searched in one go."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

SIZE = 128
"""Numbers in an embedding."""

Embeddings = npt.NDArray[np.float32]


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
    """All looks at one moment of the store.

    Attributes:
        revision: the store's, when this was read.
        names: of everybody by id.
        ids: int64 (n,), whose look each row is; read-only.
        looks: float32 (n, 128); read-only.
    """

    revision: int
    names: dict[int, str]
    ids: npt.NDArray[np.int64]
    looks: Embeddings
    _squares: Embeddings = field(init=False)

    def __post_init__(self) -> None:
        self.ids.setflags(write=False)
        self.looks.setflags(write=False)
        object.__setattr__(self, "_squares", np.einsum("ij,ij->i", self.looks, self.looks))

    def nearest(self, faces: Embeddings) -> list[tuple[int, float]]:
        """Return for each face the person whose look is nearest, and the Euclidean distance.

        Empty where there are no looks.
        """
        if not len(self.ids):
            return []
        # |a - b|² = |a|² - 2ab + |b|², and |a|² is the same for all looks. Not by @: that starts
        # threads, which on busy cores wait for each other a hundred times as long as they work.
        rows = [
            int(np.argmin(self._squares - 2 * np.einsum("ij,j->i", self.looks, face)))
            for face in faces
        ]
        distances = np.linalg.norm(faces - self.looks[rows], axis=1)
        return [(int(self.ids[row]), float(far)) for row, far in zip(rows, distances, strict=True)]
