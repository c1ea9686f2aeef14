"""`emorec analyze INPUT… --out DIR`; nothing heavy is loaded before it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from emorec.batch.extra import require
from emorec.options import add_detector, chosen_settings, frame_rate
from emorec.pipeline.schedule import READINGS_PER_S
from emorec.terminal import print_error, print_line

if TYPE_CHECKING:
    from distributed import Client

    from emorec.batch.inputs import Task
    from emorec.batch.work import Job, Outcome


def add_parser(commands: Any) -> None:
    """Add ``analyze`` to the object that ``add_subparsers`` returned."""
    add = commands.add_parser(
        "analyze", help="read thousands of videos and photos, in parallel and resumable"
    )
    add.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="a video, a photo, or a folder with videos and photos at any depth",
    )
    add.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    add.add_argument(
        "--resume", action="store_true", help="go on with the run whose results are in DIR"
    )
    add.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, as tcp://host:8786")
    add.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="on this machine, with one thread each; default: one a core",
    )
    add.add_argument("--fps", type=frame_rate, metavar="N", help="read at most N frames a second")
    add_detector(add)
    add.set_defaults(command=analyze, wrong=add.error)


def analyze(args: argparse.Namespace) -> int:
    """Read all inputs; those that cannot be read are listed in errors.csv."""
    if args.scheduler and args.workers:
        args.wrong("--workers is for this machine; a cluster has the workers that it has")
    require()
    from emorec.batch.cluster import connected
    from emorec.batch.inputs import found, tasks
    from emorec.batch.store import Store
    from emorec.batch.work import Job

    paths, problems = found(args.inputs, args.out)
    for problem in problems:
        print_error(problem)
    if not paths:
        return 2
    settings = chosen_settings(args)
    fps = float("inf") if args.fps is None else args.fps
    store = Store(args.out.absolute())
    store.open(_made_with(settings, fps), args.resume)
    job = Job(store.folder, settings, READINGS_PER_S, fps)
    records = list(store.done())
    done: dict[int, set[str]] = {}
    for record in records:
        done.setdefault(record["size"], set()).add(record["sha256"])
    tally = _Tally(len(paths))
    try:
        with connected(args.scheduler, args.workers) as client:
            _announce(client, len(paths))
            _read_all(client, tasks(paths, done), job, tally)
    except KeyboardInterrupt:
        tally.stop = "stopped; --resume goes on."
    finally:
        tally.end()
        store.clean()
        store.write_errors(tally.errors)
        count = store.write_summary()
    if tally.stop:
        print_line(tally.stop)
    read, left_out, errors = count - len(records), tally.left_out, len(tally.errors)
    print(
        f"{read} read, {left_out} done before, {errors} with errors;"
        f" {store.folder / 'summary.csv'} has {count} files",
        flush=True,
    )
    if tally.stop and tally.stop.startswith("stopped"):
        return 130
    return 2 if tally.errors or problems or tally.stop else 0


def _made_with(settings: Any, fps: float) -> dict[str, Any]:
    from emorec.recognizer import EmotionRecognizer
    from emorec.rows import header

    about = header(EmotionRecognizer(settings=settings).model, settings)
    return about | {"readings_per_s": READINGS_PER_S, "fps": fps}


def _announce(client: Client, count: int) -> None:
    from emorec.batch.cluster import has_dashboard

    threads = sum(client.nthreads().values())
    print_line(f"{count} files, workers: {threads}" + ("" if threads else ", waiting for some"))
    if has_dashboard():
        print_line(f"dashboard: {client.dashboard_link}")
    else:
        print_line("no dashboard: it needs the package bokeh")


def _read_all(client: Client, tasks: Iterator[Task], job: Job, tally: _Tally) -> None:
    from emorec.batch.cluster import LostError, results
    from emorec.batch.inputs import alone
    from emorec.batch.work import work

    suspects: list[Task] = []  # some file in each ends the worker: they are read one by one
    one_by_one = (single for task in suspects for single in alone(task))
    for source in (tasks, one_by_one):
        for task, outcome in results(client, source, partial(work, job=job)):
            if not isinstance(outcome, LostError):
                tally.add(outcome)
            elif len(task.files) > 1:
                suspects.append(task)
            else:
                tally.fail(str(task.files[0].path), str(outcome))
            if tally.stop:
                return


class _Tally:
    """Counts what became of the files, and shows it on a terminal once a second.

    Attributes:
        stop: why the run stopped before its end; None if it did not.
    """

    def __init__(self, files: int) -> None:
        self.read = self.left_out = 0
        self.errors: list[tuple[str, str]] = []
        self.stop: str | None = None
        self._files = files
        self._video_s = 0.0
        self._began_s = self._shown_s = monotonic()
        self._shows = sys.stderr is not None and sys.stderr.isatty()

    def add(self, outcome: Outcome) -> None:
        """Count the files of a task."""
        self.read += outcome.read
        self.left_out += outcome.left_out
        self._video_s += outcome.video_s
        self.stop = outcome.stop
        for file, reason in outcome.errors:
            self.fail(file, reason)
        if self._shows and monotonic() - self._shown_s >= 1:
            self._shown_s = monotonic()
            self._show()

    def fail(self, file: str, reason: str) -> None:
        """Count and print an error of a file."""
        self.errors.append((file, reason))
        self.end()
        print_line(f"{file}: {reason}")

    def end(self) -> None:
        """Clear the line on the terminal."""
        if self._shows:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def _show(self) -> None:
        took_s = self._shown_s - self._began_s
        ended = self.read + self.left_out + len(self.errors)
        share = min(ended / self._files, 1.0)
        bar = "#" * round(30 * share)
        left_s = took_s / share - took_s if share else 0.0
        line = f"[{bar:<30}] {ended} of {self._files}, {len(self.errors)} with errors"
        line += f", {self._video_s / took_s:.1f} s of video a second, {left_s / 60:.0f} min left"
        sys.stderr.write(f"\r\033[K{line}\r")
        sys.stderr.flush()


def _count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"Expected a number from 1 on. Received {text!r}.")
    return number
