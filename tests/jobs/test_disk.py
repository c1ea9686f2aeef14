from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emorec.errors import EmorecError
from emorec.jobs import disk as module
from emorec.jobs import place as of_place
from emorec.jobs.disk import Disk
from emorec.jobs.place import NoPlaceError, Place

KB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(100 * KB, 400 * KB, tmp_path / "videos")
    yield made
    made.clear()


def uploaded(disk: Disk, session: str = "one", size: int = 4) -> Place:
    place = disk.place(session)
    assert place.begin("me.mp4", size, "")
    place.write(b"x" * size)
    return place


def files(disk: Disk) -> set[str]:
    return {path.name for path in disk.folder.rglob("*") if path.is_file()} - {"lock"}


def test_an_upload_goes_on_after_a_break_unless_it_is_another_file(disk: Disk) -> None:
    place = disk.place("one")
    assert place.begin("me.mp4", 6, "a") and not place.complete
    place.write(b"abc")
    assert place.begin("me.mp4", 6, "a") and place.received == 3
    place.write(b"def")
    assert place.complete and place.source.read_bytes() == b"abcdef"
    assert place.begin("me.mp4", 6, "b") and place.received == 0 and not files(disk)


def test_no_byte_too_much_is_written(disk: Disk) -> None:
    place = uploaded(disk)
    with pytest.raises(NoPlaceError):
        place.write(b"y")
    with pytest.raises(NoPlaceError):
        disk.place("two").write(b"y")  # not begun
    assert place.stored_bytes() == 4


def test_what_is_read_takes_no_upload_and_only_the_whole_is_read(disk: Disk) -> None:
    place = disk.place("one")
    place.begin("me.mp4", 8, "")
    with pytest.raises(NoPlaceError, match="not complete"):
        place.take()
    place.write(b"x" * 8)
    place.take()
    assert not place.begin("other.mp4", 4, "")
    place.empty()
    assert place.source.exists()


@pytest.mark.parametrize(
    ("name", "lies_as"),
    [
        ("me.mp4", "me.mp4"),
        ("My film (2).MP4", "My_film__2.MP4"),
        ("Grüße 2026.mov", "Grüße_2026.mov"),
        ("../../etc/passwd", "etc_passwd"),
        ("a/b\\c:d.mkv", "a_b_c_d.mkv"),
        (".mp4", "mp4"),
        ("a\x00\u202eb\n.mp4", "a__b.mp4"),
        ("x" * 300 + ".webm", "x" * 60 + ".webm"),
        ("me.v2.final cut", "me_v2_final_cut"),
        ("...", "video"),
        ("", "video"),
    ],
)
def test_a_name_is_one_of_a_file_in_the_folder(disk: Disk, name: str, lies_as: str) -> None:
    place = disk.place("one")
    place.begin(name, 4, "")
    assert place.name == lies_as and place.source.parent == place.folder


def test_closing_deletes_and_the_token_is_gone(disk: Disk) -> None:
    ended = []
    place = uploaded(disk)
    place.on_close = lambda: ended.append(place)
    assert disk.find(place.token) is place
    disk.close(place)
    disk.close(place)
    assert ended == [place] and disk.find(place.token) is None and not files(disk)
    for late in (lambda: place.write(b"y"), lambda: place.begin("me.mp4", 4, ""), place.take):
        with pytest.raises(NoPlaceError):
            late()


def test_a_visitor_has_one_place(disk: Disk) -> None:
    first, other = uploaded(disk), uploaded(disk, "two")
    second = disk.place("one")
    assert first.closed and not second.closed and not other.closed
    assert second.token != first.token and first.token not in str(first.folder)


def test_all_that_lies_there_counts_results_too(disk: Disk) -> None:
    place = uploaded(disk, size=100 * KB)
    assert disk.room_for(place, 100 * KB) and not disk.room_for(place, 100 * KB + 1)
    (place.folder / "video.mp4").write_bytes(b"x" * (80 * KB))
    assert disk.room_for(place, 20 * KB) and not disk.room_for(place, 20 * KB + 1)
    uploaded(disk, "two", 100 * KB)
    uploaded(disk, "three", 100 * KB)
    assert disk.room_for(place, 20 * KB) and not disk.room_for(place, 20 * KB + 1)


def test_a_disk_that_is_nearly_full_takes_nothing(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = uploaded(disk)
    monkeypatch.setattr(module, "SPARE_BYTES", 2**62)
    assert not disk.room_for(place, 0)


@pytest.mark.parametrize(
    ("after_s", "here", "taken", "left"),
    [
        (0, True, False, True),
        (module.AWAY_S - 9, False, False, True),  # the visitor may come back
        (module.AWAY_S + 9, False, False, False),
        (of_place._UNFINISHED_S + 9, True, False, False),
        (of_place._UNFINISHED_S + 9, True, True, True),
        (of_place._RESULTS_S + 9, True, True, False),
    ],
)
def test_what_is_swept(
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    after_s: float,
    here: bool,
    taken: bool,
    left: bool,
) -> None:
    place = uploaded(disk)
    if taken:
        place.take()
    now_s = module.monotonic()
    monkeypatch.setattr(module, "monotonic", lambda: now_s)
    disk.sweep(lambda _session: here)
    now_s += after_s
    disk.sweep(lambda _session: here)
    assert (disk.find(place.token) is place) == left == bool(files(disk))


def test_what_a_killed_process_left_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    parent = tmp_path / "videos"
    script = (
        "import os, sys; from pathlib import Path; from emorec.jobs.disk import Disk\n"
        "place = Disk(9, 99, Path(sys.argv[1])).place('one')\n"
        "place.begin('me.mp4', 4, ''); place.write(b'film')\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", script, parent], check=False)
    assert [path.read_bytes() for path in parent.rglob("me.mp4")] == [b"film"]
    living = uploaded(Disk(9, 99, parent))
    uploaded(Disk(9, 99, parent), "two")
    assert len(list(parent.rglob("me.mp4"))) == 2 and living.source.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no such modes")
def test_a_folder_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir(mode=0o755)
    (tmp_path / "videos").chmod(0o755)
    with pytest.raises(EmorecError, match="others may read"):
        Disk(9, 99, tmp_path / "videos")
    link = tmp_path / "link"
    (tmp_path / "own").mkdir(mode=0o700)
    link.symlink_to(tmp_path / "own")
    with pytest.raises(EmorecError, match="another user"):
        Disk(9, 99, link)


def test_all_is_gone_at_the_end_and_the_files_are_this_users_alone(disk: Disk) -> None:
    place = uploaded(disk)
    if hasattr(os, "getuid"):
        assert place.source.stat().st_mode & 0o077 == place.folder.stat().st_mode & 0o077 == 0
    disk.clear()
    assert place.closed and not disk.folder.exists()
