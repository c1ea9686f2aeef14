from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.tracking import table

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-tracking.json"))


@pytest.mark.parametrize("file", RESULTS[-1:], ids=lambda file: file.name)
def test_the_readme_shows_the_newest_result(file: Path) -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == table(json.loads(file.read_text(encoding="utf-8")))
