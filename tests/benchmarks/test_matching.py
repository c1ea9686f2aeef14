from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.matching import cost, tables

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-matching.json"))


def test_every_part_of_the_work_is_timed() -> None:
    row = cost(people=3, pictures=2)
    assert (row["people"], row["looks"]) == (3, 6)
    times = {name: ms for name, ms in row.items() if name.endswith("_ms")}
    assert set(times) == {"match_ms", "first_ms", "enrol_ms", "delete_ms"}
    assert min(times.values()) > 0
    assert tables({"crowds": [row]}).count("\n| 3 | 6 |") == 1


@pytest.mark.parametrize("file", RESULTS[-1:], ids=lambda file: file.name)
def test_the_readme_shows_the_newest_result(file: Path) -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == tables(json.loads(file.read_text(encoding="utf-8")))
