"""What may be told of a group: nothing where it is so small that it tells of single faces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from emorec.sessions.room import LEAST_FACES
from emorec.words import _

LEAST = LEAST_FACES
"""Faces of which totals are shown; those of fewer would say what a single face shows."""


def too_few() -> str:
    """Return why nothing is shown of a small group."""
    return _(
        "**Fewer than {least} faces:** with Group only nothing is shown of them, as totals would"
        " tell what a single face shows."
    ).format(least=LEAST)


def of_groups(
    seconds: npt.NDArray[np.float64], probs: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return the readings of those moments in which at least `LEAST` faces were read.

    Args:
        seconds: shape (n,), when faces were read, as `Timeline.readings` gives them.
        probs: shape (n, 7), what was read.
    """
    _, moment, faces = np.unique(seconds, return_inverse=True, return_counts=True)
    enough = faces[moment] >= LEAST
    return seconds[enough], probs[enough]
