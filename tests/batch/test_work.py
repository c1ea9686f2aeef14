"""What a worker does with a task, and the folder that it writes to: no Dask is needed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emorec import Settings
from emorec.batch.inputs import Task, tasks
from emorec.batch.store import Store, whole
from emorec.batch.work import Job, work
from emorec.errors import EmorecError
from emorec.media.video_writer import VideoWriter
from emorec.rows import SUMMARY_COLUMNS, columns
from testkit import portraits

PICTURES = Path(__file__).parents[1] / "pictures"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of two people, two photos, and two files that cannot be read."""
    folder = tmp_path_factory.mktemp("inputs")
    image = portraits.room(2, 1, 90, (320, 180)).image_bgr
    with VideoWriter(folder / "two.mp4") as writer:
        for number in range(10):  # a second
            writer.write(np.roll(image, number, axis=1), number / 10)
    for name in ("small.jpg", "nobody.png"):
        shutil.copy(PICTURES / name, folder)
    (folder / "text.mp4").write_text("no video")
    (folder / "text.jpg").write_text("no picture")
    return folder


@pytest.fixture
def job(tmp_path: Path) -> Job:
    Store(tmp_path / "out").open({"settings": 1}, resume=False)
    return Job(tmp_path / "out", Settings(), 5.0, float("inf"))


def of(folder: Path, done: dict[int, set[str]] | None = None) -> list[Task]:
    return list(tasks(sorted(folder.iterdir()), done or {}))


def done_in(store: Store) -> dict[int, set[str]]:
    return {record["size"]: {record["sha256"]} for record in store.done()}


def test_rows_records_and_errors_of_all_files(inputs: Path, job: Job) -> None:
    outcomes = [work(task, job) for task in of(inputs)]
    assert [outcome.stop for outcome in outcomes] == [None] * 3
    assert sum(outcome.read for outcome in outcomes) == 3
    errors = dict(error for outcome in outcomes for error in outcome.errors)
    assert {Path(name).name: reason[:10] for name, reason in errors.items()} == {
        "text.mp4": "is no vide",
        "text.jpg": "not a pict",
    }
    store = Store(job.folder)
    rows = pd.read_parquet(job.folder / "rows")
    assert tuple(rows.columns) == columns(file=True)
    assert set(rows["file"]) == {str(inputs / "two.mp4"), str(inputs / "small.jpg")}
    assert 8 <= len(rows[rows["file"] == str(inputs / "two.mp4")]) <= 14
    assert store.write_summary() == 3
    summary = pd.read_csv(job.folder / "summary.csv").set_index("file")
    assert (summary.index.name, *summary.columns) == SUMMARY_COLUMNS
    assert summary["faces_seen"].tolist() == [0, 1, 2]
    assert summary["frames"].tolist() == [1, 1, 10]
    assert summary.loc[str(inputs / "two.mp4"), "duration_s"] == pytest.approx(0.9)


def test_what_is_done_is_left_out_even_under_another_name(
    inputs: Path, job: Job, tmp_path: Path
) -> None:
    for task in of(inputs):
        work(task, job)
    store = Store(job.folder)
    before = {path: path.stat().st_mtime_ns for path in job.folder.rglob("*.parquet")}
    other = tmp_path / "moved"
    other.mkdir()
    for path in inputs.iterdir():
        shutil.copy(path, other / f"new {path.name}")
    outcomes = [work(task, job) for task in of(other, done_in(store))]
    assert sum(outcome.left_out for outcome in outcomes) == 3
    assert sum(outcome.read for outcome in outcomes) == 0
    assert before == {path: path.stat().st_mtime_ns for path in job.folder.rglob("*.parquet")}


def test_a_video_that_is_given_again_is_not_read_again(inputs: Path, job: Job) -> None:
    (task,) = (task for task in of(inputs) if task.files[0].path.name == "two.mp4")
    first = work(task, job)
    before = {path: path.stat().st_mtime_ns for path in job.folder.rglob("*.*")}
    assert work(task, job) == first and first.read == 1  # as where its worker died just after it
    assert before == {path: path.stat().st_mtime_ns for path in job.folder.rglob("*.*")}


def test_other_settings_need_another_folder(job: Job) -> None:
    store = Store(job.folder)
    with pytest.raises(EmorecError, match="pass --resume"):
        store.open({"settings": 1}, resume=False)
    store.open({"settings": 1}, resume=True)
    with pytest.raises(EmorecError, match="made with other settings"):
        store.open({"settings": 2}, resume=True)


def test_what_a_killed_worker_left_is_deleted_and_the_rest_kept(inputs: Path, job: Job) -> None:
    for task in of(inputs):
        work(task, job)
    store = Store(job.folder)
    rows = sorted(job.folder.glob("rows/??/*.parquet"))
    lost, kept = rows
    (job.folder / "done" / lost.parent.name / f"{lost.stem}.json").unlink()
    half = kept.with_name(".half.parquet.host.1")
    half.write_bytes(b"half")
    store.open({"settings": 1}, resume=True)
    assert sorted(job.folder.glob("rows/??/*.parquet")) == [kept] and not half.exists()


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        whole(tmp_path / "new" / "file", fail)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_full_disk_stops_the_run_and_what_is_written_stays(inputs: Path, job: Job) -> None:
    resource = pytest.importorskip("resource")  # Windows has none
    first, _, photos = of(inputs)
    assert work(photos, job).read == 2
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        outcome = work(first, job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert outcome.read == 0 and outcome.stop is not None
    assert "cannot be written" in outcome.stop and "\n" not in outcome.stop
    assert [record["kind"] for record in Store(job.folder).done()] == ["photo", "photo"]
    assert len(list(job.folder.rglob("*.parquet"))) == 1
    assert not list(job.folder.rglob(".*"))


def test_a_worker_of_another_version_stops_the_run(inputs: Path, job: Job) -> None:
    outcome = work(of(inputs)[0], replace(job, version="0.0.1"))
    assert outcome.stop is not None and "0.0.1" in outcome.stop


def test_a_record_is_json(inputs: Path, job: Job) -> None:
    work(of(inputs)[0], job)
    (path,) = job.folder.glob("done/??/*.json")
    (record,) = json.loads(path.read_text(encoding="utf-8"))
    assert set(record) == {"size", *SUMMARY_COLUMNS}
