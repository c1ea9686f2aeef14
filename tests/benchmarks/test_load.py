from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.load import stillness, tables
from emorec import EmotionRecognizer
from testkit.heads import astronaut_head

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-load.json"))


class Restless(EmotionRecognizer):
    """Reads every face as happy and angry by turns, a dozen readings each."""

    def reader(self, source, settings=None):
        turn = iter(range(10_000))

        class Model:
            def classify(self, faces_gray):
                probs = np.full((len(faces_gray), 7), 0.01, np.float32)
                probs[:, 3 * (next(turn) // 12 % 2)] = 0.94
                return probs

        return super().reader(source, settings, classifier=Model())


@pytest.mark.long
def test_a_still_face_keeps_its_label() -> None:
    still = stillness(EmotionRecognizer(), [astronaut_head()])
    assert still["seconds"] == 9 and still["label_changes"] <= 1


@pytest.mark.long
def test_a_label_that_moves_is_counted() -> None:
    still = stillness(Restless(), [astronaut_head()])
    assert 4 <= still["label_changes"] <= 14
    assert still["label_changes_per_minute"] == pytest.approx(60 * still["label_changes"] / 9, 0.01)


@pytest.mark.parametrize("file", RESULTS[-1:], ids=lambda file: file.name)
def test_the_readme_shows_the_newest_result(file: Path) -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == tables(json.loads(file.read_text(encoding="utf-8")))
    assert file.with_suffix(".png").is_file()
