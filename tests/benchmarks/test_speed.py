from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed import hits, percentile_95, tables
from testkit.frames import WORKLOADS, Workload, sequence

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-speed.json"))


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_frames_are_the_same_every_time_and_hold_every_face(workload: Workload) -> None:
    film, truth = sequence(workload, 2)
    again, _ = sequence(workload, 2)
    width, height = workload.size_wh
    np.testing.assert_array_equal(film, again)
    assert film.shape == (2, height, width, 3) and film.dtype == np.uint8
    assert truth.shape == (2, workload.grid_wh[0] * workload.grid_wh[1], 4)
    assert (truth >= 0).all() and (truth <= [width, height, width, height]).all()
    assert (film[0] != film[1]).any()


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([], 0),
        ([(100, 100, 200, 200)], 1),
        ([(80, 80, 220, 220)], 1),
        ([(100, 100, 200, 200), (102, 100, 202, 200)], 1),  # twice the same face
        ([(0, 0, 400, 400)], 0),  # too large to mean this one
        ([(150, 100, 250, 200)], 0),
        ([(100, 100, 200, 200), (300, 100, 400, 200)], 2),
    ],
)
def test_hits(boxes: list[tuple[int, ...]], expected: int) -> None:
    assert hits(boxes, np.array([[100, 100, 200, 200], [300, 100, 400, 200]])) == expected


@pytest.mark.parametrize(
    ("values", "expected"), [([3.0], 3), (list(range(100)), 94), (list(range(20)), 18)]
)
def test_percentile_95(values: list[float], expected: float) -> None:
    assert percentile_95(values) == expected


def test_the_readme_shows_the_newest_result() -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    newest = RESULTS[-1]
    shown = readme.split(f"<!-- results/{newest.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == tables(json.loads(newest.read_text(encoding="utf-8")))
