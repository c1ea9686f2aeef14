"""Which network reads live pictures: the default one, where the processor carries it."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np

from emorec.model.network import FACE_SIDE
from emorec.model.store import DEFAULT_NAME, EmotionModel

SMALL_NAME = "small_cnn"
"""The network compressed from the default one: nearly as good, in two fifths of its time
with AVX2, but in more with AVX-512, whose instructions for int8 it does not use."""

MOST_MS = 2.0
"""Milliseconds a face that the default network may take to read live pictures: fifty faces, each
read every 0.45 s as `emorec.pipeline.schedule` wants at least, then take half of the time that it
gives to all work. It takes 0.4 to 0.7 ms with AVX-512 or AMX, and 3.0 to 10.5 with AVX2 alone, so
that chance does not decide."""

_CALLS = 10

_chosen: dict[Path, str] = {}


def for_live(default: EmotionModel) -> str:
    """Return the name of the model that reads live pictures on this machine.

    The first call measures the default model. The answer holds for the process, also when the model
    is loaded again, so that all sessions share one classifier, and a person's examples fit the
    next session.

    Args:
        default: the model `emorec.model.store.DEFAULT_NAME`, as it was loaded.
    """
    if default.file not in _chosen:
        _chosen.setdefault(default.file, carried(ms_per_face(default)))
    return _chosen[default.file]


def carried(cost_ms: float) -> str:
    """Return the name of the model for live pictures, by what the default one takes for a face."""
    return DEFAULT_NAME if cost_ms <= MOST_MS else SMALL_NAME


def ms_per_face(model: EmotionModel) -> float:
    """Return how long a model takes for one face, in milliseconds.

    The least of some calls: other programs can make a call longer, but none shorter.
    """
    face = np.random.default_rng(0).integers(0, 256, (1, FACE_SIDE, FACE_SIDE)).astype(np.uint8)
    model.classify(face)  # the first call allocates
    times = []
    for _ in range(_CALLS):
        began = perf_counter()
        model.classify(face)
        times.append(perf_counter() - began)
    return 1000 * min(times)
