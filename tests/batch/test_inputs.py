"""Which files are read, and in which tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from emorec.batch.inputs import PHOTOS, alone, found, tasks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("a.mp4", "deep/b.MKV", "deep/er/c.jpg", "d.txt", ".hidden.mp4", ".git/e.mp4")
    for name in (*names, "out/rows/f.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return tmp_path


def test_a_folder_stands_for_its_videos_and_photos_at_any_depth(folder: Path) -> None:
    paths, errors = found([folder, folder / "a.mp4"], folder / "out")
    assert [str(path.relative_to(folder)) for path in paths] == [
        "a.mp4",
        "deep/b.MKV",
        "deep/er/c.jpg",
    ]
    assert errors == []


def test_a_folder_without_any_is_one_line_and_costs_no_other(folder: Path) -> None:
    (folder / "empty").mkdir()
    paths, errors = found([folder / "empty", folder / "none.mp4", folder / "a.mp4"], folder / "out")
    assert [path.name for path in paths] == ["none.mp4", "a.mp4"]
    assert [str(error) for error in errors] == [
        f"{folder / 'empty'}: no video and no photo is in this folder."
    ]


def test_a_video_is_one_task_and_photos_come_in_blocks(tmp_path: Path) -> None:
    videos = {"small.mp4": 1, "large.mp4": 9, "gone.mp4": -1}
    for name, size in videos.items():
        if size > 0:
            (tmp_path / name).write_bytes(b"x" * size)
    photos = [tmp_path / f"{number}.jpg" for number in range(PHOTOS + 1)]
    given = [*photos, *(tmp_path / name for name in videos)]
    made = list(tasks(given, {9: {"sha of large"}, 7: {"of nothing here"}}))
    assert [(task.kind, len(task.files)) for task in made] == [
        ("video", 1),
        ("video", 1),
        ("video", 1),
        ("photo", PHOTOS),
        ("photo", 1),
    ]
    assert [task.files[0].path.name for task in made[:3]] == ["large.mp4", "small.mp4", "gone.mp4"]
    assert [set(task.done) for task in made[:3]] == [{"sha of large"}, set(), set()]
    assert [task.files for task in alone(made[3])] == [(file,) for file in made[3].files]
