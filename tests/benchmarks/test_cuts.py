"""What the benchmark of cuts counts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.cuts import false_cuts, missed, table, told_cuts
from testkit.portraits import collins, cut, hopper


def portraits() -> list[np.ndarray]:
    return [
        cv2.resize(cut(person(), 0.5, 0.5, 0.5, 0.5).image_bgr, (200, 200))
        for person in (collins, hopper)
    ]


def test_it_counts_cuts_that_are_missed_and_cuts_that_are_none(tmp_path: Path) -> None:
    for number, image in enumerate(portraits()):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    (tmp_path / "notes.csv").write_text("no picture")
    assert missed(tmp_path, 3) == {"of": 2, "pairs": 3, "missed": 0}
    one, other = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in portraits())
    assert told_cuts([one] * 20 + [other] * 20 + [one] * 20, 20) == 2
    still = false_cuts([one] * 13, 24)
    assert still == {"24 frames/s": [12, 0], "8 frames/s": [4, 0], "4 frames/s": [2, 0]}
    report = {"photographs": missed(tmp_path, 1), "films": {"still": still}}
    assert "| still | 24 frames/s: 0 of 12; 8 frames/s: 0 of 4; 4 frames/s: 0 of 2 |" in table(
        report
    )
