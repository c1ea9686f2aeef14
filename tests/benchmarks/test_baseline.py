"""What the benchmark of a person's calibration reads and counts, on a portrait."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from benchmarks.baseline import film_counts, held, main, rested_faces
from emorec.emotions import EMOTIONS
from emorec.errors import DataError
from emorec.model.store import load
from emorec.training.data import FaceSet


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person, who shows the same smile three times, labelled in three ways."""
    folder = tmp_path_factory.mktemp("baseline")
    (folder / "images").mkdir()
    picture = cv2.resize(skimage.data.astronaut()[:300, :400, ::-1], (320, 240))
    lines = ["file,person,condition,emotion"]
    for condition, emotion in (("normal", "neutral"), ("happy", "happy"), ("wink", "")):
        cv2.imwrite(str(folder / "images" / f"{condition}.png"), picture)
        lines.append(f"{condition}.png,ada,{condition},{emotion}")
    (folder / "baseline.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_faces_with_a_label_are_cut_out(portrait: Path) -> None:
    faces = rested_faces(portrait)
    assert [EMOTIONS[label] for label in faces.labels] == ["neutral", "happy"]
    assert faces.people is not None and faces.people.tolist() == ["ada", "ada"]


@pytest.mark.long
@pytest.mark.parametrize("baseline", [False, True])
def test_a_film_counts_what_is_shown_after_the_rest(portrait: Path, baseline: bool) -> None:
    # A smile is no resting state, whatever its picture is labelled as.
    assert film_counts(portrait, baseline) == {"happy": {"n": 1, "right": 1}}


def test_faces_that_are_held_are_counted() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (6, 48, 48)).astype(np.uint8)
    model = load()
    said = model.classify(faces).argmax(axis=1)
    assert held(model, FaceSet(faces, said))["without"] == 1
    assert held(model, FaceSet(faces, (said + 1) % 7))["without"] == 0


def test_folders_that_do_not_hold_them_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--posed", str(tmp_path), "--baseline", str(tmp_path), "--out", str(tmp_path / "x")]
    assert main(given) == 2
    said = capsys.readouterr().err
    assert said.startswith("baseline: ") and said.count("\n") == 1
    assert not (tmp_path / "x").exists()
    with pytest.raises(DataError):
        rested_faces(tmp_path)
