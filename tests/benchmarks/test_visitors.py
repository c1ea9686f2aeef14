from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import visitors
from benchmarks.visitors import crowd, tables, verdict

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-visitors.json"))


def run(sessions: int, shown: float, read: float, cores: float = 0.5) -> dict:
    return {
        "sessions": sessions,
        "shown_per_s": [shown] * sessions,
        "read_per_s": [30.0] * (sessions - 1) + [read],
        "cores_a_session": cores,
        "mb_a_session": 20,
        "resident_mb": 300 + 20 * sessions,
    }


@pytest.mark.parametrize(
    ("runs", "cap", "cores"),
    [
        ([run(1, 14, 10)], 0, 50),
        ([run(1, 30, 20)], 1, 50),
        ([run(1, 30, 20), run(2, 30, 20, 0.4), run(4, 10, 20, 0.2)], 2, 40),
        ([run(1, 30, 20), run(2, 30, 4.9), run(4, 30, 20)], 1, 50),  # what came after is luck
        ([run(2, 15, 5, 0.6), run(1, 30, 20)], 2, 60),
    ],
)
def test_verdict(runs: list[dict], cap: int, cores: int) -> None:
    told = verdict(runs)
    assert (told["cap"], told["cores_for_100"]) == (cap, cores)


@pytest.mark.long
def test_one_visitor_gets_pictures_with_labels_and_the_server_pays(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "_SETTLE_S", 1.0)
    one = crowd(1, 3.0, film, fps=10)
    assert one["shown_per_s"][0] > 0 and one["read_per_s"][0] > 0
    assert 0 < one["picture_delay_ms_p95"] < one["label_age_ms_p95"] + 1000
    assert one["cores"] > 0 and one["resident_mb"] > 50
    report = {"cores": 2, "runs": [one], "verdict": verdict([one])}
    assert tables(report).count("| 1 |") == 1


@pytest.mark.parametrize("file", RESULTS[-1:], ids=lambda file: file.name)
def test_the_readme_shows_the_newest_result(file: Path) -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == tables(json.loads(file.read_text(encoding="utf-8")))
