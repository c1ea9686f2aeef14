from __future__ import annotations

from benchmarks.photo_memory import kinds, measure, tables


def test_every_kind_of_file_is_read_and_measured(monkeypatch) -> None:
    few = {kind: make for kind, make in kinds().items() if kind in ("JPEG", "HEIC")}
    monkeypatch.setattr("benchmarks.photo_memory.kinds", lambda: few)
    report = measure(300, here=False)
    assert [file["kind"] for file in report["files"]] == ["JPEG", "HEIC"]
    assert all(40 < file["peak_mb"] < 400 for file in report["files"])
    assert "| HEIC |" in tables(report)
