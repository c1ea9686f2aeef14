"""A video that waits for its turn and is read by a real process, to the end or not."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from emorec.jobs.disk import Disk
from emorec.jobs.job import NO_ROOM, Job, Order, Turns
from emorec.jobs.place import Place
from emorec.model.store import path_of
from emorec.words import ENGLISH

MB = 2**20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(50 * MB, 200 * MB, tmp_path / "videos")
    yield made
    made.clear()


def uploaded(disk: Disk, data: bytes, session: str = "one") -> Place:
    place = disk.place(session)
    place.begin("me.mp4", len(data), "")
    place.write(data)
    return place


def started(
    place: Place,
    turns: Turns | None = None,
    room: Callable[[], bool] = bool,
    language: str = ENGLISH,
) -> Job:
    order = Order(str(path_of()), {}, "label", False, language=language)
    job = Job(place, order, turns or Turns(1), room if room is not bool else lambda: True)
    job.start()
    return job


def wait(holds: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def workers() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # also one that has just ended
            if "emorec.jobs.worker" in process.cmdline():
                found.append(process)
    return found


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (ENGLISH, "is no video that can be read, or is cut off."),
        ("de", "ist kein lesbares Video oder ist abgeschnitten."),
    ],
)
def test_a_file_that_is_no_video_gives_one_line_and_nothing_stays(
    disk: Disk, language: str, says: str
) -> None:
    place = uploaded(disk, b"Dear diary")
    job = started(place, language=language)
    wait(lambda: place.closed and not place.folder.exists())
    assert job.state == "failed"
    assert job.error == f"me.mp4: {says}"
    assert disk.find(place.token) is None


def test_jobs_run_in_their_turn_and_one_that_waits_can_be_cancelled(disk: Disk) -> None:
    turns = Turns(1)
    first = started(uploaded(disk, b"x" * MB, "one"), turns)
    places = [uploaded(disk, b"x", str(number)) for number in range(2)]
    second, third = (started(place, turns) for place in places)
    assert (second.before, third.before) == (1, 2)
    disk.close(places[0])
    wait(lambda: third.state == "failed")
    assert first.state == "failed" and second.state == "cancelled" and first.before == 0


@pytest.mark.long
def test_a_video_is_read_and_only_its_results_stay(disk: Disk, two_people: Path) -> None:
    place = uploaded(disk, two_people.read_bytes())
    job = started(place)
    wait(lambda: job.state == "done" and not place.source.exists())
    assert job.result is not None and job.result["report"]["file"] == "me.mp4"
    assert job.time_s == pytest.approx(1.1, abs=0.2) and len(job.readings()[0]) == 3
    assert {path.suffix for path in place.folder.iterdir()} == {
        *(".mp4", ".csv", ".json", ".parquet", ".jpg", ".xlsx", ".html", ".npz")
    }
    wait(lambda: not workers())


@pytest.mark.long
@pytest.mark.parametrize("how", ["withdrawn", "killed", "full"])
def test_a_video_that_is_not_read_to_its_end_leaves_nothing(
    disk: Disk, long_film: Path, how: str
) -> None:
    place = uploaded(disk, long_film.read_bytes())
    room = True
    job = started(place, room=lambda: room)
    wait(lambda: job.time_s > 0)
    (process,) = workers()
    assert process.nice() == 19
    if how == "withdrawn":
        disk.close(place)
    elif how == "killed":
        process.kill()
    else:
        room = False
    wait(lambda: not place.folder.exists() and not process.is_running())
    assert job.state == ("cancelled" if how == "withdrawn" else "failed")
    assert how != "full" or job.error == NO_ROOM


@pytest.mark.long
def test_the_process_ends_with_the_app(two_people: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "emorec.jobs.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    order = {"source": str(two_people), "model": str(path_of())}
    order |= {"settings": {}, "show": "label", "group_only": False}
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.close()
    assert process.wait(60) == 1
    process.stdout.close()
