"""What the process writes that reads a video: all of it, with faces blurred, or totals alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from emorec.jobs import results, worker
from emorec.media.video import Video
from emorec.model.store import path_of
from emorec.paths import CASCADE
from emorec.people import followed
from emorec.people.matching import Match


class Everybody:
    """A gallery that takes every face for Ada."""

    def match(self, faces):
        return [Match(1, "Ada", 0.1) for _ in faces]


def read(film: Path, source: Path, **order: Any) -> dict[str, Any]:
    """Read a film as the process does; its settings are those of the page."""
    shutil.copy(film, source)
    usual = {
        "model": str(path_of()),
        "settings": {"cautious": order.get("show") == "blur"},
        "show": "label",
        "group_only": False,
        "names": False,
    }
    return worker._read(usual | order, source, Everybody())


def faces_found(image_bgr: np.ndarray) -> int:
    cascade = cv2.CascadeClassifier(str(CASCADE))
    return len(cascade.detectMultiScale(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), 1.1, 4))


def pictures(source: Path) -> list[np.ndarray]:
    with Video(results.by_kind(source)["mp4"]) as video:
        frames = [frame.image_bgr for frame in video.frames()]
    small = [cv2.imread(str(path)) for path in sorted(source.parent.glob("*.jpg"))]
    return [*frames, *(cv2.resize(image, None, fx=2, fy=2) for image in small)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "me.mp4"


def test_all_results_are_written_and_a_moment_has_its_faces(two_people: Path, source: Path) -> None:
    done = read(two_people, source)
    assert done["report"]["file"] == "me.mp4" and done["report"]["frames"] == 12
    written = results.by_kind(source)
    assert set(written) == {*results.KINDS} and not done["notes"]
    assert written["csv"].name == "me_emorec.csv"
    whole = json.loads(written["json"].read_text(encoding="utf-8"))
    assert whole["video"] == done["report"] and whole["moments"] == done["moments"]
    assert [row["track_id"] for row in results.rows_at(source, 0.8)] == [1, 2]
    assert results.rows_at(source, 60.0) == []
    told = results.session_of(source)
    assert told.name == "me.mp4" and told.summary.faces_seen == 2 and len(told.seconds) == 2
    assert told.faces is not None and set(told.faces["track_id"]) == {1, 2}
    assert "me.mp4" in written["html"].read_text(encoding="utf-8")
    files = results.everything(source)
    assert {*written.values()} < {*files} and source not in files
    assert {moment["file"] for moment in done["moments"]} <= {file.name for file in files}
    assert sum(map(faces_found, pictures(source))) > 6  # so the check below can fail


@pytest.mark.long
def test_with_blur_no_picture_shows_a_face(two_people: Path, source: Path) -> None:
    done = read(two_people, source, show="blur")
    # A thing taken for a face is blurred too, so there may be more than two.
    assert done["moments"] and done["report"]["summary"]["faces_seen"] >= 2
    assert sum(map(faces_found, pictures(source))) == 0


def test_group_only_writes_totals_and_of_two_faces_none(two_people: Path, source: Path) -> None:
    done = read(two_people, source, group_only=True)
    names = {"me.mp4", "me_emorec.json", "me_emorec.html", "session.npz"}
    assert {path.name for path in source.parent.iterdir()} == names
    told = results.session_of(source)
    assert told.group_only and told.faces is None and not len(told.seconds)
    whole = json.loads(results.by_kind(source)["json"].read_text(encoding="utf-8"))
    assert set(whole) == {"header", "video"}
    summary = whole["video"]["summary"]
    assert summary == done["report"]["summary"] and summary["most_at_once"] == 2
    assert summary["dominant"] is summary["mean_valence"] is None
    assert set(summary["shares"].values()) == {0}


@pytest.mark.parametrize(
    ("order", "named"), [({}, True), ({"show": "blur"}, False), ({"group_only": True}, False)]
)
def test_names_are_written_but_not_of_blurred_faces(
    two_people: Path, source: Path, monkeypatch: pytest.MonkeyPatch, order: Any, named: bool
) -> None:
    pytest.importorskip("dlib")
    monkeypatch.setattr(followed, "_SOON_S", 0.2)
    read(two_people, source, names=True, **order)
    written = b"".join(path.read_bytes() for path in source.parent.glob("*.[cj]*"))
    assert (b"Ada" in written) is named
