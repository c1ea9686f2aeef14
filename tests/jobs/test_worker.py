"""What the process writes that reads a video: all of it, with faces blurred, or totals alone."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd
import pytest

from emorec.emotions import EMOTIONS
from emorec.jobs import results, worker
from emorec.jobs.disk import Place
from emorec.jobs.moments import Strongest
from emorec.jobs.tables import rows_at
from emorec.media.video import Video
from emorec.model.store import path_of
from emorec.paths import CASCADE
from emorec.records import Box, Face, FrameResult
from emorec.rows import COLUMNS, DTYPES
from testkit import portraits


def read(film: Path, folder: Path, **order: Any) -> dict[str, Any]:
    """Read a film as the process does; its settings are those of the page."""
    source = folder / Place.SOURCE
    shutil.copy(film, source)
    usual = {
        "model": str(path_of()),
        "settings": {"cautious": order.get("show") == "blur"},
        "show": "label",
        "group_only": False,
        "name": "two.mp4",
    }
    return worker._read(usual | order, source)


def faces_found(image_bgr: np.ndarray) -> int:
    cascade = cv2.CascadeClassifier(str(CASCADE))
    return len(cascade.detectMultiScale(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), 1.1, 4))


def pictures(folder: Path) -> list[np.ndarray]:
    with Video(folder / results.VIDEO) as video:
        frames = [frame.image_bgr for frame in video.frames()]
    small = [cv2.imread(str(path)) for path in sorted(folder.glob("*.jpg"))]
    return [*frames, *(cv2.resize(image, None, fx=2, fy=2) for image in small)]


def test_the_tables_hold_the_same_rows_and_a_moment_its_faces(
    two_people: Path, tmp_path: Path
) -> None:
    done = read(two_people, tmp_path)
    assert done["report"]["file"] == "two.mp4" and done["report"]["frames"] == 12
    text = (tmp_path / results.CSV).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    whole = json.loads((tmp_path / results.JSON).read_text(encoding="utf-8"))
    table = pd.read_parquet(tmp_path / results.PARQUET)
    assert tuple(rows[0]) == tuple(whole["rows"][0]) == tuple(table) == COLUMNS
    assert len(rows) == len(whole["rows"]) == len(table) > 8
    for name in ("time_s", "happy", "x1_px"):
        assert table[name].dtype == DTYPES[name]
        assert table[name].tolist() == pytest.approx([row[name] for row in whole["rows"]], abs=1e-6)
        assert table[name].tolist() == pytest.approx([float(row[name]) for row in rows], abs=1e-6)
    assert whole["video"] == done["report"] and whole["header"]["model"]["name"] == "elu_cnn"
    assert [row["track_id"] for row in rows_at(tmp_path, 0.8)] == [1, 2]
    assert rows_at(tmp_path, 60.0) == []

    shown = results.files(tmp_path, "two.mp4")
    assert {shown[name].shown for name in (results.VIDEO, results.CSV)} == {
        "two_emorec.mp4",
        "two_emorec.csv",
    }
    assert Place.SOURCE not in shown
    moments = done["moments"]
    assert {moment["emotion"] for moment in moments} <= {row["emotion"] for row in rows}
    assert len(list(tmp_path.glob("moment-*.jpg"))) == len(moments) > 0
    assert sum(map(faces_found, pictures(tmp_path))) > 6  # so the check below can fail


@pytest.mark.parametrize("show", ["label", "blur"])
def test_the_video_and_the_small_pictures_show_the_same_drawing(
    two_people: Path, tmp_path: Path, show: Literal["label", "blur"]
) -> None:
    people = portraits.room(2, 1, 90, (480, 360))
    probs = np.eye(7, dtype=np.float32)
    faces = tuple(
        Face(n, Box(*box.astype(int).tolist()), 1.0, 1.0, 0.0, probs[n], probs[n], EMOTIONS[n])
        for n, box in enumerate(people.faces)
    )
    strongest = Strongest()
    with worker.Drawn(tmp_path / results.VIDEO, two_people, show, strongest) as sink:
        sink.add(people.image_bgr, FrameResult(0, 0.0, (480, 360), faces))
    for number, moment in enumerate(strongest.all()):
        (tmp_path / results.moment(number)).write_bytes(moment.jpeg)
    found = [faces_found(image) for image in pictures(tmp_path)]
    assert found == ([0, 0, 0] if show == "blur" else [2, 1, 1])


@pytest.mark.long
def test_with_blur_no_picture_shows_a_face(two_people: Path, tmp_path: Path) -> None:
    done = read(two_people, tmp_path, show="blur")
    # A thing taken for a face is blurred too, so there may be more than two.
    assert done["moments"] and done["report"]["summary"]["faces_seen"] >= 2
    assert sum(map(faces_found, pictures(tmp_path))) == 0


def test_group_only_writes_totals_and_of_two_faces_none(two_people: Path, tmp_path: Path) -> None:
    done = read(two_people, tmp_path, group_only=True)
    assert {path.name for path in tmp_path.iterdir()} == {Place.SOURCE, results.TOTALS}
    summary = json.loads((tmp_path / results.TOTALS).read_text(encoding="utf-8"))["video"][
        "summary"
    ]
    assert summary == done["report"]["summary"] and summary["most_at_once"] == 2
    assert summary["dominant"] is summary["mean_valence"] is None
    assert set(summary["shares"].values()) == {0}
