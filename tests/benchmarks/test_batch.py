from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.batch import measure_real, tables

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def test_the_readme_shows_the_newest_result() -> None:
    file = max(RESULTS.glob("*-batch.json"))
    readme = (RESULTS.parent / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == tables(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.long
def test_one_and_two_workers_read_all_videos() -> None:
    took_s = measure_real(2, 0.5)
    assert set(took_s) == {"1", "2"} and min(took_s.values()) > 0
