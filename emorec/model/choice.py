"""Which network reads live pictures: the larger one, where this machine carries it.

A photo can wait for the better answer; a room of faces, each read twice a second, cannot.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from emorec.model.network import FACE_SIDE
from emorec.model.store import EmotionModel

MOST_S = 0.004
"""What a face may cost the larger network in live pictures, in seconds of one thread.

25 faces read twice a second are then a fifth of a core. With AVX2 alone ``elu_cnn`` takes 10.5 ms,
and ``small_cnn`` reads live pictures; with AVX-512 and its int8 instructions it takes under 1 ms.
"""

_CALLS = 9


def for_live(larger: str, small: str, cost_s: Callable[[str], float]) -> str:
    """Return the name of the network that is to read live pictures.

    Args:
        larger: reads more faces rightly.
        small: costs less.
        cost_s: tells what a face costs a network of this name here, in seconds; asked of the larger
            one alone.
    """
    return larger if cost_s(larger) <= MOST_S else small


def cost_of_a_face(model: EmotionModel) -> float:
    """Return the seconds that a face takes on this machine now: the median of a few calls."""
    face = np.full((1, FACE_SIDE, FACE_SIDE), 128, np.uint8)
    model.outputs(face)  # the first call makes the buffers
    took = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        model.outputs(face)
        took.append(time.perf_counter() - began)
    return median(took)
