"""What the benchmark of stalls counts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.machine import ROOT
from benchmarks.stalls import SIZE_WH, Kind, counted, table, times
from testkit.scripted import Scripted, textured

RESULTS = ROOT / "benchmarks" / "results"


def test_pictures_come_evenly_with_stalls_between() -> None:
    told = list(times(Kind("stalls", 0.5, 2.0), 10))
    assert [time_s for time_s, _ in told[:12]] == [*np.arange(0, 5.5, 0.5), 7.0]
    assert [stalls for _, stalls in told[:12]] == [0] * 11 + [1]
    assert len(list(times(Kind("even", 0.5), 10))) == 20


def test_it_counts_ids_and_faces() -> None:
    faces = [(x, 300.0, x + 90.0, 390.0) for x in (100.0, 500.0, 900.0)]
    films = [[textured(SIZE_WH)] * 2] * 2
    told = counted(films, Scripted(faces), 3, Kind("stalls", 0.2, 2.0), 14)
    assert told == {"ids": 3, "people": 3, "found_mean": 3.0, "found_least": 3}
    report = {"kinds": {"stalls of 2 s": told}}
    assert "| stalls of 2 s | 3 | 3 | 3.0 | 3 |" in table(report)


@pytest.mark.parametrize("name", ["stalls", "stalls-before"])
def test_the_readme_shows_its_results(name: str) -> None:
    (file,) = RESULTS.glob(f"*-{name}.json")
    readme = (RESULTS.parent / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == table(json.loads(file.read_text(encoding="utf-8")))
