"""A step of training does the same on every backend that is installed, and compiles to one."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from emorec.model.runtime import BACKENDS

INSTALLED = [name for name in BACKENDS if importlib.util.find_spec(name)]

PROGRAM = """
import json
from functools import partial

import numpy as np

from emorec.model.runtime import start_keras

backend = start_keras()
from emorec.training import trainee
from emorec.training.augment import Augmentation
from emorec.training.data import FaceSet
from emorec.training.recipe import Recipe

# Nothing is left to chance but the mirror, and these faces are their own mirror images.
trainee.build_network = partial(
    trainee.build_network, widths=(4,), depths=(1,), dropout=0.0
)
still = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, erase=0.0, mixup=0.0)
random = np.random.default_rng(0)
left = random.integers(0, 256, (8, 48, 24))
faces = FaceSet(
    np.concatenate([left, left[:, :, ::-1]], axis=2).astype(np.uint8),
    random.integers(0, 7, 8),
    random.integers(0, 5, (8, 10)),
)
recipe = Recipe(stages=((32, 9),), batch=8, learning_rate=0.05, augmentation=still)
learner = trainee.Trainee(faces, recipe)
learner.side = 32
for weight in learner.network.trainable_weights:
    if weight.name == "kernel":
        spread = np.sqrt(2 / np.prod(weight.shape[:-1]))
        weight.assign(random.normal(0, spread, weight.shape))
rows = np.arange(8, dtype="int32")


def step():
    return learner.fit(rows, batch_size=8, shuffle=False, verbose=0).history["loss"][0]


losses = [step() for _ in range(5)]
# With every variation, and as on an accelerator: gathering, variation and step in one function.
learner.recipe = Recipe(augmentation=Augmentation(mixup=0.2))
learner.compile(learner.optimizer, jit_compile=backend != "torch")
print(json.dumps({"backend": backend, "losses": losses, "compiled": step()}))
"""

LOSSES = [2.06358, 2.06358, 2.04426, 2.01993, 1.99456]
"""As they came on PyTorch, JAX and TensorFlow alike."""


@pytest.mark.long
@pytest.mark.parametrize("backend", INSTALLED)
def test_steps_give_the_same_losses(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["backend"] == backend
    assert said["losses"] == pytest.approx(LOSSES, abs=1e-4)
    assert 1 < said["compiled"] < 3
