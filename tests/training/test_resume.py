"""A run killed in the middle of an epoch goes on as if nothing had happened."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import sys
from functools import partial
from pathlib import Path

import numpy as np

from emorec.model.runtime import start_keras

start_keras()
from emorec.training import fit, trainee
from emorec.training.data import FaceSet
from emorec.training.recipe import Recipe

fit.build_network = trainee.build_network = partial(
    fit.build_network, widths=(4,), depths=(1,)
)


class Loud(fit._StopOnNan):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        print("step", batch + 1, flush=True)


fit._StopOnNan = Loud
random = np.random.default_rng(0)
faces = FaceSet(
    random.integers(0, 256, (96, 48, 48)).astype(np.uint8),
    random.integers(0, 7, 96),
    random.integers(0, 5, (96, 10)),
)
recipe = Recipe(stages=((24, 2), (32, 1)), batch=4, learning_rate=0.05)
folder, resume = Path(sys.argv[1]), sys.argv[2:] == ["--resume"]
fit.train(faces, faces, folder, recipe, resume, lambda line: print(line, flush=True))
"""


def start(folder: Path, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), *options], stdout=subprocess.PIPE, text=True
    )


def state(folder: Path, name: str = "last.npz") -> dict[str, np.ndarray]:
    with np.load(folder / name) as arrays:
        return dict(arrays)


@pytest.mark.long
def test_a_killed_run_equals_one_that_was_left_alone(tmp_path: Path) -> None:
    killed = start(tmp_path / "killed")
    lines = iter(killed.stdout)
    assert any(line.startswith("epoch 1 ") for line in lines)
    assert any(line == "step 10\n" for line in lines)
    killed.kill()
    assert killed.wait() != 0
    assert len(json.loads(str(state(tmp_path / "killed")["history"]))) == 1

    for process in (start(tmp_path / "killed", "--resume"), start(tmp_path / "whole")):
        output = process.communicate()[0]
        assert process.returncode == 0, output

    for file in ("last.npz", "best.npz"):
        one, other = state(tmp_path / "killed", file), state(tmp_path / "whole", file)
        assert one.keys() == other.keys()
        for name in one.keys() - {"history"}:
            np.testing.assert_allclose(one[name], other[name], atol=1e-6, err_msg=name)
    assert int(state(tmp_path / "whole")["optimizer_0"]) == 3 * 96 // 4
    histories = [
        list(csv.DictReader((tmp_path / name / "history.csv").open()))
        for name in ("killed", "whole")
    ]
    for rows in histories:
        assert [row["side"] for row in rows] == ["24", "24", "32"]
    for row, same in zip(*histories, strict=True):
        assert row.keys() == {"epoch", "side", "loss", "accuracy", "macro_f1", "ferplus"}
        for name, value in row.items():
            np.testing.assert_allclose(float(value), float(same[name]), atol=1e-6, err_msg=name)
