from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import soak


@pytest.mark.parametrize(
    ("before", "after", "grown"),
    [
        ({}, {}, {}),
        ({"emorec-read": 1}, {}, {}),
        ({"MainThread": 1}, {"MainThread": 1, "emorec-read": 2}, {"emorec-read": 2}),
        ({"rig": 1}, {"rig": 1, "asyncio": 6, "ThreadPoolExecutor": 3}, {}),
    ],
)
def test_more_threads(before: dict, after: dict, grown: dict) -> None:
    assert soak.more(before, after) == grown


def memory(*mb_of_minutes: float) -> list[tuple[float, float]]:
    return [(60 * m + s, mb) for m, mb in enumerate(mb_of_minutes) for s in (0, 20, 40)]


@pytest.mark.parametrize(
    ("samples", "minute", "grown"),
    [
        ([(0.0, 100.0)], 1, 0),
        (memory(100, 130), 1, 30),
        (memory(100, 140, 150), 2, 10),
        (memory(50, 90, 95, 99, 100, *[110.0] * 24, 130), 5, 30),
    ],
)
def test_memory_is_compared_with_the_fifth_minute(
    samples: list[tuple[float, float]], minute: int, grown: float
) -> None:
    told = soak.verdict(samples, 60, {}, {}, up=True, failed=[])
    assert (told["memory_minute"], told["memory_grown_mb"]) == (minute, grown)
    assert told["holds"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"up": False},
        {"failed": ["minute 1"]},
        {"threads_after": {"a": 1}},
        {"memory": 131.0},
        {"grown_files": 11},
    ],
)
def test_anything_wrong_does_not_hold(wrong: dict) -> None:
    samples = memory(100, wrong.pop("memory", 130))
    told = {"threads_before": {}, "threads_after": {}, "up": True, "failed": [], **wrong}
    assert not soak.verdict(samples, 60, **told)["holds"]


@pytest.mark.long
def test_visitors_who_come_and_go_leave_no_thread(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "write_film", lambda path: film)
    report = soak.measure(len(soak.WAYS), minute_s=6, gone_s=120, fps=5)
    assert report["visits_failed"] == []
    assert report["verdict"]["threads_grown"] == {}
    assert report["verdict"]["up"] and report["held_session_shown_per_s"] > 0
    assert soak.tables(report)
