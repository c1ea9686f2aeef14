from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.video import read, tables, write
from testkit.frames import WORKLOADS


@pytest.mark.long
def test_a_film_is_read_whole_and_told(tmp_path: Path) -> None:
    told = read(write(tmp_path / "film.mp4", WORKLOADS[0], 2.0))
    assert told["faces"] == 1 and told["real_time_factor"] > 0
    shown = tables({"films": {"one": told}, "peak_mb_by_seconds": {"2": told["peak_mb"]}})
    assert f"2 s: {told['peak_mb']} MB" in shown
