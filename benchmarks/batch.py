"""How `emorec analyze` gains from more workers; and what Dask itself costs a task.

    python -m benchmarks.batch --only real [--videos 8] [--seconds 4] --out FILE
    python -m benchmarks.batch --only sleep [--workers 64] --out FILE
    python -m benchmarks.batch --show FILE

*real*: `emorec analyze` reads the same videos (640×480, one face, `testkit.frames`) with 1 and with
2 workers of one thread each. The clock starts when the workers have loaded the network, which one
more video before the others sees to, and ends with the last result.

*sleep*: workers whose tasks only wait stand for machines that this one lacks: 1, 8 and all of
``--workers``, each with 10 tasks of half a second. What is lost against the ideal is the cost of
Dask's scheduler and of `emorec.batch.cluster`, not of reading.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.report import add_options, deliver, kept
from emorec import Settings
from emorec.batch.cluster import LostError, connected, results
from emorec.batch.inputs import Task, tasks
from emorec.batch.store import Store
from emorec.batch.work import Job, work
from testkit.frames import WORKLOADS

_PACKAGES = ["av", "ai-edge-litert", "dask", "distributed", "opencv-python-headless"]
_TASKS, _TASK_S = 10, 0.5


def main() -> None:
    """Measure one part, print and, with ``--out``, keep both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("real", "sleep"), help="the part to measure")
    parser.add_argument("--videos", type=int, default=8, help="for each number of workers")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each")
    parser.add_argument("--workers", type=int, default=64, help="that sleep")
    add_options(parser)
    args = parser.parse_args()
    if args.only is None and args.show is None:
        parser.error("name the part to measure: --only")
    deliver(args, lambda: measure(args), tables)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Measure one part, and return it with the other if the file has it."""
    report = kept(args)
    where = machine()
    if args.only == "real":
        measured: dict[str, Any] = {
            "videos": args.videos,
            "seconds": args.seconds,
            "took_s": measure_real(args.videos, args.seconds),
        }
    else:
        measured = {
            "tasks_a_worker": _TASKS,
            "task_s": _TASK_S,
            "took_s": {str(n): measure_sleep(n) for n in (1, 8, args.workers)},
        }
    load_after = [round(load, 2) for load in os.getloadavg()]
    return report | {
        "command": "python -m benchmarks.batch --only PART",
        "packages": versions(Path(sys.executable), _PACKAGES),
        args.only: where | {"load_after": load_after} | measured,
    }


def measure_real(videos: int, seconds: float) -> dict[str, float]:
    """Return the seconds that 1 and 2 workers take for the same videos."""
    from benchmarks.video import write
    from testkit.frames import FPS

    took_s = {}
    with tempfile.TemporaryDirectory() as folder:
        first = write(Path(folder) / "0.mp4", WORKLOADS[0], seconds, FPS)
        paths = [first, *(Path(folder) / f"{number}.mp4" for number in range(1, videos))]
        for path in paths[1:]:
            shutil.copy(first, path)
        for workers in (1, 2):
            store = Store(Path(folder) / f"out{workers}")
            store.open({}, resume=False)
            do = partial(work, job=Job(store.folder, Settings(), 5.0, float("inf")))
            with connected(None, workers) as client:
                client.gather(
                    [
                        client.submit(do, next(tasks([first], {})), workers=[each], pure=False)
                        for each in client.scheduler_info()["workers"]
                    ]
                )
                began_s = time.monotonic()
                for _, outcome in results(client, tasks(paths, {}), do):
                    if isinstance(outcome, LostError) or outcome.read != 1:
                        raise SystemExit(f"a video was not read: {outcome}")
                took_s[str(workers)] = round(time.monotonic() - began_s, 2)
    return took_s


def measure_sleep(workers: int) -> float:
    """Return the seconds that so many workers take for ``_TASKS`` tasks each that only wait."""
    from distributed import Client, LocalCluster

    sleeping = [Task("photo", (), frozenset())] * (_TASKS * workers)
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        began_s = time.monotonic()
        for _ in results(client, iter(sleeping), sleep):
            pass
        return round(time.monotonic() - began_s, 2)


def sleep(task: Task) -> None:
    """Wait as long as a task takes."""
    time.sleep(_TASK_S)


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    lines = ["| workers | tasks | seconds | times as fast as one |", "|---|---|--:|--:|"]
    if real := report.get("real"):
        task = f"{real['videos']} videos of {real['seconds']:g} s"
        for workers, took_s in real["took_s"].items():
            gain = real["took_s"]["1"] / took_s
            lines.append(f"| {workers} | {task} | {took_s:.1f} | {gain:.2f} |")
    if slept := report.get("sleep"):
        for workers, took_s in slept["took_s"].items():
            count = slept["tasks_a_worker"] * int(workers)
            gain = slept["took_s"]["1"] / took_s * int(workers)
            task = f"{count} waits of {slept['task_s']:g} s"
            lines.append(f"| {workers}, asleep | {task} | {took_s:.1f} | {gain:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
