from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.detection import LIGHTS, cells, reframed, tables

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-detection.json"))

FACE = [100.0, 100.0, 200.0, 200.0]
OTHER = [300.0, 100.0, 400.0, 200.0]


def test_another_taste_in_boxes_is_no_miss() -> None:
    easy = "96 px, 0°, even"
    truths = {easy: [[FACE, OTHER]], "dark": [[[0.0, 0.0, 50.0, 50.0]]]}
    # Narrower and higher, as mtcnn frames faces; and something that is no face.
    found = {
        easy: [[[115.0, 90.0, 185.0, 180.0], [315.0, 90.0, 385.0, 180.0], [0.0, 0.0, 20.0, 20.0]]],
        "dark": [[[7.5, -5.0, 42.5, 40.0]]],
    }
    fitted = reframed(found, truths)
    assert fitted[easy][0][0] == pytest.approx(FACE)
    assert fitted["dark"][0][0] == pytest.approx([0, 0, 50, 50])
    assert len(fitted[easy][0]) == 3
    nothing = {easy: [[]], "dark": [[]]}
    assert reframed(nothing, truths) == nothing


def test_every_size_is_tilted_and_every_light_is_shown() -> None:
    kinds = list(cells().values())
    assert len(kinds) == len(set(kinds)) == 16
    assert {light for _, _, light in kinds} == {"even", *LIGHTS}


@pytest.mark.parametrize("file", RESULTS[-1:], ids=lambda file: file.name)
def test_the_readme_shows_the_newest_result(file: Path) -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == tables(json.loads(file.read_text(encoding="utf-8")))
