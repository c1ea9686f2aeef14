"""`emorec analyze` on Dask: in parallel, interrupted, with a dead worker, on another cluster."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import Client, LocalCluster

from emorec.batch.cluster import AHEAD, results
from emorec.cli import main
from emorec.media.video_writer import VideoWriter

PICTURES = Path(__file__).parents[1] / "pictures"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six short videos without a face, a photo, and a file that cannot be read."""
    folder = tmp_path_factory.mktemp("inputs")
    for number in range(6):
        with VideoWriter(folder / f"{number}.mp4") as writer:
            for frame in range(300):
                image = np.full((120, 160, 3), 20 * number + frame % 100, np.uint8)
                writer.write(image, frame / 25)
    shutil.copy(PICTURES / "small.jpg", folder)
    (folder / "text.mp4").write_text("no video")
    return folder


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "emorec", "analyze", *map(str, arguments)]


def started(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def videos_done(out: Path) -> list[Path]:
    records = out.glob("done/??/*.json")
    return [path for path in records if json.loads(path.read_text())[0]["kind"] == "video"]


def assert_whole(out: Path, inputs: Path) -> None:
    summary = pd.read_csv(out / "summary.csv")
    names = {path.name for path in inputs.iterdir()} - {"text.mp4"}
    assert sorted(Path(file).name for file in summary["file"]) == sorted(names)
    assert set(pd.read_parquet(out / "rows")["file"]) == {str(inputs / "small.jpg")}
    errors = pd.read_csv(out / "errors.csv")
    assert [Path(file).name for file in errors["file"]] == ["text.mp4"]
    assert not list(out.rglob(".*"))


def test_dask_never_holds_more_tasks_than_a_few_a_thread() -> None:
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        while taken < 40:
            taken += 1
            yield taken

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        ahead = []
        done = []
        for task, result in results(client, tasks(), partial(pow, 2)):
            done.append((task, result))
            ahead.append(taken - len(done))
    assert sorted(done) == [(number, 2**number) for number in range(1, 41)]
    assert max(ahead) <= AHEAD * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "0"], "Expected a number from 1 on. Received '0'."),
        (["--workers", "2", "--scheduler", "tcp://a:1"], "--workers is for this machine"),
    ],
)
def test_wrong_usage_is_said(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["analyze", "a.mp4", "--out", str(tmp_path), *arguments])
    assert said in capsys.readouterr().err


def test_nothing_to_read_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    given = ["analyze", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]
    assert main(given) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no video and no photo is in this folder" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_all_are_read_and_a_second_run_reads_none(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = subprocess.run(
        command(inputs, "--out", out, "--workers", 2), capture_output=True, text=True, check=False
    )
    assert first.returncode == 2, first.stderr
    assert first.stdout.startswith("7 read, 0 done before, 1 with errors")
    assert_whole(out, inputs)
    again = subprocess.run(
        command(inputs, "--out", out, "--workers", 1, "--resume"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.stdout.startswith("0 read, 7 done before, 1 with errors")
    assert_whole(out, inputs)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="a process group is told to stop by a signal")
def test_ctrl_c_ends_cleanly_and_the_run_goes_on(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = started(inputs, "--out", out, "--workers", 1)
    wait_for(lambda: list(out.glob("done/??/*.json")), process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in errors
    assert errors.splitlines()[-1] == "emorec: stopped; --resume goes on."
    done = int(re.match(r"(\d+) read", said)[1])
    assert 1 <= done == len(pd.read_csv(out / "summary.csv")) <= 7
    again = subprocess.run(
        command(inputs, "--out", out, "--workers", 1, "--resume"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.stdout.startswith(f"{7 - done} read, {done} done before")
    assert_whole(out, inputs)


@pytest.mark.long
def test_a_killed_worker_loses_no_finished_video(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = started(inputs, "--out", out, "--workers", 2)
    wait_for(lambda: videos_done(out), process)
    finished = {path: path.stat().st_mtime_ns for path in videos_done(out)}
    workers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]
    workers[0].kill()
    said, errors = process.communicate(timeout=240)
    assert process.returncode == 2 and "Traceback" not in errors, errors
    assert said.startswith("7 read, 0 done before, 1 with errors")
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in finished.items())
    assert_whole(out, inputs)


@pytest.mark.long
def test_the_workers_of_another_cluster_do_the_tasks(inputs: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    dask = [sys.executable, "-m", "distributed.cli"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": Path.cwd()}
    scheduler = subprocess.Popen(
        [*dask[:2], "distributed.cli.dask_scheduler", "--port", port, "--no-dashboard"], **quiet
    )
    worker = subprocess.Popen(
        [*dask[:2], "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"],
        **quiet,
    )
    try:
        given = command(inputs, "--out", tmp_path / "out", "--scheduler", address)
        done = subprocess.run(given, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 2, done.stderr
        assert_whole(tmp_path / "out", inputs)
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait(30)


@pytest.mark.long
def test_no_scheduler_is_one_line(inputs: Path, tmp_path: Path) -> None:
    given = command(inputs, "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1")
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "tcp://127.0.0.1:1: no Dask scheduler answers there" in done.stderr
    assert "Traceback" not in done.stderr


def wait_for(happened: object, process: subprocess.Popen[str]) -> None:
    until_s = time.monotonic() + 240
    while not happened():
        assert process.poll() is None and time.monotonic() < until_s
        time.sleep(0.02)
