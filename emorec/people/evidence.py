"""The pictures of one tracked face that decide its name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from emorec.people.rule import APART, Embeddings, distance

DECISIONS = (3, 6, 12)
"""How many pictures each decision uses. A later decision is made only where the earlier ones gave
no name: every further decision is a further chance of a wrong name (see `emorec.people.rule`)."""

NEWEST = 3
"""After so many pictures of another person in a row the decisions start again. One such picture may
be blurred, or have a hand before the face."""


class Evidence:
    """Collects pictures of one face and selects those for the next decision about its name.

    The first decision uses the first 3 pictures. If it gives no name, the next uses the first 6,
    and the last one the first 12. Each set is fixed, so a face that stays longer in view gets no
    further chances of a wrong name: matching the same set with an unchanged gallery gives the same
    result. If the newest 3 pictures show another person than those of the current decision, they
    replace all pictures, and the decisions start again.
    """

    def __init__(self) -> None:
        self._pictures: list[npt.NDArray[np.float32]] = []
        self._decision = 0
        self.taken = 0
        """Number of pictures since the decisions started."""
        self.settled = False
        """Whether a name was given, or the last decision was made."""
        self._doubts = 0  # how many of the newest pictures, in a row, show another person

    def add(self, embedding: npt.NDArray[np.float32]) -> None:
        """Add a picture's embedding, float32 of shape (128,)."""
        self._pictures.append(embedding)
        self.taken += 1
        basis = self.basis
        if basis is None:
            return
        self._doubts = self._doubts + 1 if distance(embedding[None], basis) >= APART else 0
        if self._doubts == NEWEST:
            self._pictures, self._decision = self._pictures[-NEWEST:], 0
            self.taken, self.settled, self._doubts = NEWEST, False, 0
        elif len(self._pictures) > DECISIONS[-1] + NEWEST:
            del self._pictures[DECISIONS[-1]]

    @property
    def doubtful(self) -> bool:
        """Whether the newest picture shows another person."""
        return self._doubts > 0

    @property
    def basis(self) -> Embeddings | None:
        """Embeddings for the current decision, float32 (n, 128); None below 3 pictures."""
        if len(self._pictures) < DECISIONS[0]:
            return None
        return np.stack(self._pictures[: DECISIONS[self._decision]])

    def matched(self, named: bool) -> None:
        """Record the result of the current decision; without a name, go on to the next one.

        Args:
            named: whether the basis was given a name.
        """
        last = self._decision == len(DECISIONS) - 1
        self.settled = named or last
        if not self.settled and len(self._pictures) >= DECISIONS[self._decision + 1]:
            self._decision += 1
