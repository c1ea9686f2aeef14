from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.evaluation import BATCHES, scores, table, timed

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-evaluation.json"))


@pytest.mark.parametrize(
    ("said", "people", "accuracy", "macro_f1"),
    [
        ([3, 6], [-1, -1], None, None),  # the majority names nothing that FER2013 knows
        ([3, 6, 0, 1], [3, 6, 0, 1], 1.0, 1.0),
        ([3, 3, 3, 3], [3, 3, 3, 0], 0.75, round((6 / 7 + 0) / 2, 4)),
        ([3, 6], [3, -1], 1.0, 1.0),
    ],
)
def test_faces_without_a_true_label_are_left_out(
    said: list[int], people: list[int], accuracy: float | None, macro_f1: float | None
) -> None:
    truths = {"people": np.array(people, dtype=np.int64)}
    told = scores(np.array(said, dtype=np.int64), truths)["people"]
    for name, expected in (("accuracy", accuracy), ("macro_f1", macro_f1)):
        assert told[name] == expected or (expected is None and np.isnan(told[name]))


def test_neutral_is_counted_over_all_faces() -> None:
    said = np.array([6, 6, 3, 0])
    assert scores(said, {"people": np.array([-1, -1, 3, 0])})["neutral"] == 0.5


@pytest.mark.parametrize("size", BATCHES)
def test_every_batch_is_full_and_the_last_face_is_read_too(size: int) -> None:
    seen: list[Any] = []
    timed(lambda faces: seen.append(faces.copy()), np.arange(40), size)
    assert {len(batch) for batch in seen} == {size}
    assert set(np.concatenate(seen)) == set(range(40))


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.name)
def test_the_readme_shows_every_result(file: Path) -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == table(json.loads(file.read_text(encoding="utf-8")))


def test_a_network_that_is_only_timed_has_no_scores_in_the_table() -> None:
    rates = {"accuracy": 0.5, "macro_f1": 0.25}
    times = {"ms_per_face": {"1": 2.0, "32": 1.0}}
    report = {
        "split": "PublicTest",
        "faces": {"fer2013": 3589, "people": 3000},
        "networks": {
            "own": {"fer2013": rates, "people": rates, "neutral": 0.125, **times},
            "timed": times,
        },
    }
    lines = table(report).splitlines()
    assert lines[2] == "| own | 50.0 % | 0.250 | 50.0 % | 0.250 | 12.5 % | 2.00 | 1.00 |"
    assert lines[3] == "| timed |  |  |  |  |  | 2.00 | 1.00 |"
    assert len({line.count("|") for line in lines[:4]}) == 1
    assert "3,000" in lines[-1]
