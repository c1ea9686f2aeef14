"""What is left after visitors and attackers have gone, over half an hour: memory, threads, files.

    python -m benchmarks.soak [--minutes 30] [--fps 30] [--out FILE] [--plot FILE.png]
    python -m benchmarks.soak --show FILE

One visitor stays live all the time. Every minute another one comes, is live for half a minute, and
leaves: by STOP, like a crashed browser (its process is killed), or like a closed laptop (its
process is stopped; it sends nothing more while its connections stay open). Every fourth minute one
of the attacks of `benchmarks.attacks` comes in place of a visitor. The web process's memory is
recorded every 10 seconds. Threads by name, and open files (descriptors), are counted after a first
visitor has come and gone, and again when all visitors have been gone for a while.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil

from benchmarks.attacks import ATTACKS
from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from benchmarks.watch import Watch
from testkit.app import FPS, answers, running_app
from testkit.clients import Client, visiting
from testkit.film import write_film
from testkit.page import PageError
from testkit.rigged import Rig

MOST_MB = 30.0
"""Memory at the end over that of the 5th minute."""
POOLS = ("asyncio", "ThreadPoolExecutor")
"""Threads that the event loop keeps for later, up to a bound; they are not a session's."""
WAYS = ("freeze", "attack", "kill", "stop")
"""In turn; those first whose leaving takes longest to be noticed."""
MOST_FILES = 10
"""Open files at the end over those at the start."""
_GONE_S = 90.0
_KEPT_S = 120.0
_SAME_S = 10.0


def main() -> int:
    """Measure, print and, with ``--out`` and ``--plot``, keep; 1 where it does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--plot", type=Path, metavar="PNG", help="also draw the memory")
    parser.add_argument(
        "--fps", type=int, default=FPS, help="of each camera; fewer where it is busy"
    )
    add_options(parser)
    args = parser.parse_args()
    try:
        report = deliver(args, lambda: measure(args.minutes, fps=args.fps), tables)
    except PageError as error:
        raise SystemExit(f"soak: {error}") from None
    if args.plot:
        draw(report, args.plot)
    return 0 if report["verdict"]["holds"] else 1


def measure(
    minutes: int, minute_s: float = 60.0, gone_s: float = _GONE_S, fps: int = FPS
) -> dict[str, Any]:
    """Return the whole report as a dictionary for JSON.

    Args:
        minutes: how many visitors come and go; at least 2.
        minute_s: how long each of these minutes takes; shorter in tests.
        gone_s: how long a session may take to be gone.
        fps: frames a second of every camera.
    """
    where = machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        film = write_film(folder / "film.ivf")
        rig = Rig(folder)
        env = {"EMOREC_MAX_LIVE": "100"}
        app = running_app(folder / "app.log", env=env, program=rig.program)
        process, url = stack.enter_context(app)
        server = psutil.Process(process.pid)
        visit(url, film, "stop", minute_s / 2, fps)
        threads_before, files_before = settled(rig, None, gone_s), server.num_fds()
        failed: list[str] = []
        attacks = cycle(ATTACKS.values())
        with (
            visiting(url, film, 1, fps) as [held],
            _Memory(server, minute_s / 6) as memory,
            Watch(server) as watch,
        ):
            held.ask("start")
            began = time.monotonic()
            for minute in range(minutes):
                frozen = None
                try:
                    if (way := WAYS[minute % len(WAYS)]) == "attack":
                        with next(attacks)(url, film):
                            time.sleep(minute_s / 2)
                    else:
                        frozen = visit(url, film, way, minute_s / 2, fps)
                except PageError as error:
                    failed.append(f"minute {minute + 1}: {error}")
                time.sleep(max(0.0, began + (minute + 1) * minute_s - time.monotonic()))
                if frozen:
                    frozen.kill()
            seen = held.ask("count", 5.0)
            held.ask("stop")
            held.leave()
        threads_after = settled(rig, threads_before, gone_s)
        files_after = fewest_files(server, files_before + MOST_FILES, gone_s)
        up = answers(url)
    grown_files = files_after - files_before
    return {
        "command": f"python -m benchmarks.soak --minutes {minutes} --fps {fps}",
        **where,
        "minutes": minutes,
        "memory_s_mb": memory.samples,
        "threads_before": threads_before,
        "threads_after": threads_after,
        "peak_mb": round(watch.most_mb),
        "files_before": files_before,
        "files_at_most": watch.most_files,
        "files_after": files_after,
        "visits_failed": failed,
        "held_session_shown_per_s": seen["shown_per_s"],
        "verdict": verdict(
            memory.samples, minute_s, threads_before, threads_after, up, failed, grown_files
        ),
    }


class _Memory:
    """Looks at a process's resident memory now and then, in a thread of its own."""

    def __init__(self, process: psutil.Process, every_s: float) -> None:
        self.samples: list[tuple[float, float]] = []
        """Seconds since the beginning, and MB."""
        self._process = process
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        began = time.monotonic()
        while True:
            resident_mb = self._process.memory_info().rss / 1e6
            self.samples.append((round(time.monotonic() - began, 1), round(resident_mb, 1)))
            if self._over.wait(self._every_s):
                return


def visit(url: str, film: Path, way: str, seconds: float, fps: int = FPS) -> Client | None:
    """Run one visit of this length that ends in this way; return the client if it is frozen.

    Raises:
        PageError: START gave no picture.
    """
    client = Client(url, film, fps)
    try:
        client.ask("open")
        client.ask("start")
        time.sleep(seconds)
        if way == "stop":
            client.ask("stop")
            client.leave()
        elif way == "freeze" and client.process.pid:
            os.kill(client.process.pid, signal.SIGSTOP)
            return client
    except PageError:
        client.kill()
        raise
    client.kill()
    return None


def settled(rig: Rig, wanted: dict[str, int] | None, within_s: float) -> dict[str, int]:
    """Wait until there are no more threads than wanted, or time is over; return them by name.

    If ``wanted`` is None, wait until their numbers have not changed for a while.
    """
    deadline, same_since = time.monotonic() + within_s, time.monotonic()
    threads = rig.threads()
    while time.monotonic() < deadline:
        if wanted is not None and not more(wanted, threads):
            break
        if wanted is None and time.monotonic() - same_since > _SAME_S:
            break
        time.sleep(1.0)
        before, threads = threads, rig.threads()
        if threads != before:
            same_since = time.monotonic()
    return threads


def fewest_files(server: psutil.Process, wanted: int, within_s: float) -> int:
    """Return the open files, once they are no more than wanted or time is over.

    Streamlit keeps a tab that was closed for two minutes, with three open files.
    """
    deadline = time.monotonic() + within_s + _KEPT_S
    while (files := server.num_fds()) > wanted and time.monotonic() < deadline:
        time.sleep(1.0)
    return files


def more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Return by name how many threads there are more than before, thread pools left out."""
    return {
        name: number - before.get(name, 0)
        for name, number in after.items()
        if name not in POOLS and number > before.get(name, 0)
    }


def verdict(
    memory: list[tuple[float, float]],
    minute_s: float,
    threads_before: dict[str, int],
    threads_after: dict[str, int],
    up: bool,
    failed: list[str],
    grown_files: int = 0,
) -> dict[str, Any]:
    """Return the growth from the fifth minute to the last, and whether it is below the limits.

    In a run of less than ten minutes, the middle minute takes the place of the fifth.
    """
    end_s = memory[-1][0]
    fifth = min(4, int(end_s / minute_s / 2))
    base = fmean([mb for at_s, mb in memory if fifth <= at_s / minute_s < fifth + 1])
    end = fmean([mb for at_s, mb in memory if at_s > end_s - minute_s])
    grown = more(threads_before, threads_after)
    return {
        "memory_minute": fifth + 1,
        "memory_then_mb": round(base, 1),
        "memory_end_mb": round(end, 1),
        "memory_grown_mb": round(end - base, 1),
        "threads_grown": grown,
        "up": up,
        "files_grown": grown_files,
        "holds": up
        and not failed
        and not grown
        and grown_files <= MOST_FILES
        and end - base <= MOST_MB,
    }


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    told = report["verdict"]
    threads = ", ".join(f"{name} {number:+d}" for name, number in told["threads_grown"].items())
    files = ", ".join(str(report[f"files_{when}"]) for when in ("before", "at_most", "after"))
    lines = [
        f"| {report['minutes']} minutes, a visit or an attack in each, beside one held | |",
        "|---|--:|",
        f"| MB resident in minute {told['memory_minute']} | {told['memory_then_mb']:.0f} |",
        f"| MB resident in the last minute | {told['memory_end_mb']:.0f} |",
        f"| grown by, MB (at most {MOST_MB:g}) | {told['memory_grown_mb']:+.1f} |",
        f"| MB resident at most | {report['peak_mb']} |",
        f"| open files at the start, at most, at the end | {files} |",
        f"| threads more than at the start | {threads or 'none'} |",
        f"| visits that failed | {len(report['visits_failed'])} |",
        f"| pictures a second of the held session | {report['held_session_shown_per_s']} |",
    ]
    return "\n".join([*lines, *report["visits_failed"]])


def draw(report: dict[str, Any], file: Path) -> None:
    """Draw memory over minutes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    times, sizes = zip(*report["memory_s_mb"], strict=True)
    axes.plot([at_s / 60 for at_s in times], sizes)
    axes.axhline(
        report["verdict"]["memory_then_mb"] + MOST_MB, color="gray", linestyle=":", linewidth=1
    )
    axes.set(xlabel="minutes", ylabel="MB resident", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
