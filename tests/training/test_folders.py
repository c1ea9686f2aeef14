"""Folders of labelled faces: the layouts people have, and one line on what is skipped."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from emorec.emotions import EMOTIONS
from emorec.errors import DataError
from emorec.training.data import load
from emorec.training.folders import read_folder, split_name


def picture(path: Path, value: int = 90, size: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size), value, np.uint8)).save(path)


def labels(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return emotion and person of each face, by split."""
    found = {}
    for split, faces in load(path, say=lambda line: None).items():
        people = [""] * len(faces) if faces.people is None else faces.people.tolist()
        found[split] = [(EMOTIONS[i], who) for i, who in zip(faces.labels, people, strict=True)]
    return found


LAYOUTS = {
    "emotions": (["happy/a.png", "Anger/b.png"], {"Training": [("angry", ""), ("happy", "")]}),
    "people": (
        ["ada/happy/a.png", "bob/sadness/b.png"],
        {"Training": [("happy", "ada"), ("sad", "bob")]},
    ),
    "splits of this project": (
        ["Training/joy/a.png", "PublicTest/fearful/b.png", "PrivateTest/neutral/c.png"],
        {
            "Training": [("happy", "")],
            "PublicTest": [("fear", "")],
            "PrivateTest": [("neutral", "")],
        },
    ),
    "splits of other data": (
        ["train/happy/a.png", "Validation/sad/b.png", "test/surprised/c.png"],
        {
            "Training": [("happy", "")],
            "PublicTest": [("sad", "")],
            "PrivateTest": [("surprise", "")],
        },
    ),
    "people in splits": (
        ["train/ada/happy/a.png", "val/bob/disgusted/b.png"],
        {"Training": [("happy", "ada")], "PublicTest": [("disgust", "bob")]},
    ),
    "people beside emotions": (
        ["happy/a.png", "ada/sad/b.png"],
        {"Training": [("sad", ""), ("happy", "")]},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(tmp_path: Path, layout: str) -> None:
    files, expected = LAYOUTS[layout]
    for file in files:
        picture(tmp_path / file)
    found = labels(tmp_path)
    assert {split: sorted(faces) for split, faces in found.items()} == {
        split: sorted(faces) for split, faces in expected.items()
    }


@pytest.mark.parametrize(
    "files",
    [[], ["ada/a.png"], ["a.png"], ["happy/session/a.png"], ["a/b/happy/c.png"]],
    ids=["nothing", "a person alone", "pictures alone", "folders inside", "too deep"],
)
def test_another_layout_is_refused_with_the_one_that_is_wanted(
    tmp_path: Path, files: list[str]
) -> None:
    for file in files:
        picture(tmp_path / file)
    with pytest.raises(DataError, match=r"no labelled face in it: .*PERSON/EMOTION/picture\.png"):
        load(tmp_path, say=lambda line: None)


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("Training", "Training"),
        ("train", "Training"),
        ("public_test", "PublicTest"),
        ("Public Test", "PublicTest"),
        ("val", "PublicTest"),
        ("PrivateTest", "PrivateTest"),
        ("TEST", "PrivateTest"),
        ("happy", None),
    ],
)
def test_names_of_splits(text: str, split: str | None) -> None:
    assert split_name(text) == split


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "bmp", "webp", "tif", "TIFF", "heic"])
def test_every_format_of_a_photo_is_read(tmp_path: Path, suffix: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    picture(tmp_path / "happy" / f"a.{suffix}", 90, size=96)
    faces = load(tmp_path)["Training"]
    assert faces.faces.shape == (1, 48, 48)
    assert abs(int(faces.faces[0, 20, 20]) - 90) <= 2


def test_grey_values_stay_as_they_are(tmp_path: Path) -> None:
    face = np.arange(48 * 48).reshape(48, 48).astype(np.uint8)
    (tmp_path / "sad").mkdir()
    cv2.imwrite(str(tmp_path / "sad" / "a.png"), face)
    np.testing.assert_array_equal(load(tmp_path)["Training"].faces[0], face)


def test_all_that_is_skipped_is_told_in_one_line(tmp_path: Path) -> None:
    picture(tmp_path / "happy" / "a.png")
    picture(tmp_path / "contempt" / "a.png")
    picture(tmp_path / "loose.png")
    inside = tmp_path / "happy"
    (inside / "folder.png").mkdir()
    (inside / "notes.txt").write_text("no picture")
    (inside / "empty.png").write_bytes(b"")
    (inside / "broken.jpg").write_bytes(b"no picture")
    for number in range(5):
        (inside / f"._{number}.png").write_bytes(b"Mac")
    (inside / ".DS_Store").write_bytes(b"Mac")
    if os.name != "nt":
        (inside / "gone.png").symlink_to("nowhere.png")
        (inside / "loop.png").symlink_to("loop.png")
    said: list[str] = []
    assert len(read_folder(tmp_path, said.append)) == 1
    (line,) = said
    assert line.startswith(f"{tmp_path}: skipped ") and "\n" not in line
    for part in (
        "1 folders that name no emotion (contempt)",
        "1 outside an emotion's folder (loose.png)",
        "6 hidden (.DS_Store, ._0.png, ._1.png, …)",
        "1 folders inside an emotion's folder (happy/folder.png)",
        "1 no pictures (happy/notes.txt)",
        "2 unreadable (happy/broken.jpg: not a picture",
        "happy/empty.png: the file is empty",
    ):
        assert part in line
    assert os.name == "nt" or "2 dangling links (gone.png, loop.png)" in line


def test_nothing_skipped_is_not_told(tmp_path: Path) -> None:
    picture(tmp_path / "happy" / "a.png")
    said: list[str] = []
    read_folder(tmp_path, said.append)
    assert said == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_folder(tmp_path / "none", lambda line: None)
