from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.video import emorec_worker, tables, write_film

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


@pytest.mark.long
def test_a_film_is_read_whole_and_told(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", "1280x720-9", 1.0)
    made = {}
    for name, annotated in (("EmoRec", True), ("EmoRec without video", False)):
        told = made[name] = emorec_worker(film, annotated)
        assert (told["faces"], told["frames"]) == (9, 30) and told["real_time_factor"] > 0
    shown = tables({"films": {"1280x720-9": made}})
    for told, said in zip(made.values(), ("yes", "no"), strict=True):
        assert f"| {said} | {told['real_time_factor']:.2f} |" in shown


def test_the_readme_shows_the_newest_result() -> None:
    file = max(RESULTS.glob("*-video.json"))
    readme = (RESULTS.parent / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == tables(json.loads(file.read_text(encoding="utf-8")))
