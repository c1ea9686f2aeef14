from __future__ import annotations

import json

import pytest

from benchmarks.beside import measure, tables
from benchmarks.machine import ROOT


@pytest.mark.long
def test_a_live_visitor_and_a_video_are_counted() -> None:
    report = measure(2)
    assert report["alone"]["shown_per_s"] > 0 and report["video_s_per_s"] > 0
    assert "while a video is read" in tables(report)


def test_the_kept_numbers_are_shown() -> None:
    for file in (ROOT / "benchmarks/results").glob("*-beside*.json"):
        report = json.loads(file.read_text(encoding="utf-8"))
        assert str(report["beside"]["shown_per_s"]) in tables(report)
        assert report["beside"]["shown_per_s"] > 0.8 * report["alone"]["shown_per_s"]
