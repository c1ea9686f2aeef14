"""The pictures of one followed face that its name rests on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from emorec.people.rule import APART, Embeddings, distance

DECISIONS = (3, 6, 12)
"""How many pictures the decisions rest on, the later ones only where no name was given: each
further decision is a further chance to be taken for somebody (see `emorec.people.rule`)."""

NEWEST = 3
"""So many pictures of somebody else in a row begin anew: one is a blur, or a hand before a face."""


class Evidence:
    """A fixed set of pictures for each decision, so that staying longer gives no more chances.

    The first decision rests on the first 3 pictures; where it gives no name, the next on the first
    6, then on the first 12, and that is the last. Matching a set again with an unchanged gallery
    has the same outcome. Only where the newest pictures are of somebody else than those that the
    decision rests on do they replace them, and the decisions begin anew.
    """

    def __init__(self) -> None:
        self._pictures: list[npt.NDArray[np.float32]] = []
        self._decision = 0
        self.taken = 0
        """Pictures since the decisions began."""
        self.settled = False
        """Whether there is a name, or no decision left that could give one."""
        self._doubts = 0  # the newest pictures that are of somebody else

    def add(self, embedding: npt.NDArray[np.float32]) -> None:
        """Take a picture's embedding, float32 of shape (128,)."""
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
        """Whether the newest picture is of somebody else."""
        return self._doubts > 0

    @property
    def basis(self) -> Embeddings | None:
        """What the decision rests on, float32 of shape (n, 128); None before the first."""
        if len(self._pictures) < DECISIONS[0]:
            return None
        return np.stack(self._pictures[: DECISIONS[self._decision]])

    def matched(self, named: bool) -> None:
        """Learn whether the basis was given a name; without one, the next decision is due."""
        last = self._decision == len(DECISIONS) - 1
        self.settled = named or last
        if not self.settled and len(self._pictures) >= DECISIONS[self._decision + 1]:
            self._decision += 1
