"""How much of Python's lock (the GIL) live sessions take: what bounds them in one process.

    python -m benchmarks.lock [--sessions 1 2] [--seconds 15] [--out FILE]
    python -m benchmarks.lock --show FILE

Needs `py-spy` (`pip install py-spy`; as root, or with the right to trace processes). For each
number of visitors the app is started again, and that many visitors without a browser
(`testkit.visitor`) send one moving face at 1280×720 and 30 pictures a second, 2.5 Mbit/s. py-spy
looks a hundred times a second which thread holds the lock, and where it is in the code. The
visitors share the machine with the server; they take none of its lock.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from testkit.app import FPS, running_app
from testkit.clients import visiting
from testkit.film import write_film

SIZE_WH, BITS_PER_S = (1280, 720), 2_500_000
"""What Chromium sends by default, and at how many bits."""

_LOOKS_PER_S = 100
_SETTLE_S = 8.0
_PARTS = {
    "packets in": ("RTCDtlsTransport.__run", "_SelectorDatagramTransport._read_ready"),
    "packets out": ("RTCRtpSender._run_rtp",),
    "RTCP out": ("_run_rtcp",),
    "pictures between tracks": (
        "MediaRelay.__run_track",
        "_run_sink",
        "_run_track",
        "PictureTrack",
    ),
    "decoding": ("decoder_worker",),
    "encoding": ("Vp8Encoder.encode",),
    "reading": ("Worker._reading",),
    "drawing": ("Worker._drawing",),
    "classifying": ("SharedClassifier",),
    "page": ("ScriptRunner",),
    "messages of the page": ("streamlit/runtime", "websockets", "uvicorn/protocols"),
    "event loop": ("BaseEventLoop._run_once",),
}
"""Names of functions in a stack, and what it then counts as; the first that is found counts."""


def main() -> None:
    """Measure and print, with ``--out`` also write; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--seconds", type=float, default=15, help="to count for")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measure(args.sessions, args.seconds), tables)


def measure(sessions: list[int], seconds: float) -> dict[str, Any]:
    """Return the whole report as a dictionary for JSON."""
    spy = shutil.which("py-spy")
    if spy is None:
        raise SystemExit("lock: py-spy is not installed (pip install py-spy).")
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "film.ivf", SIZE_WH, BITS_PER_S)
        runs = [held(spy, number, seconds, film, Path(folder)) for number in sessions]
    return {
        "command": f"python -m benchmarks.lock --sessions {' '.join(map(str, sessions))}"
        f" --seconds {seconds:g}",
        **where,
        "runs": runs,
    }


def held(spy: str, number: int, seconds: float, film: Path, folder: Path) -> dict[str, Any]:
    """Run this number of live visitors; return the shares of time in which the lock is held."""
    stacks = folder / "stacks.txt"
    env = {"EMOREC_MAX_LIVE": str(number)}
    with (
        running_app(folder / "app.log", env=env) as (process, url),
        visiting(url, film, number, FPS) as clients,
    ):
        for client in clients:
            client.ask("start")
        time.sleep(_SETTLE_S)
        for client in clients:
            client.tell("count", seconds)
        command = [spy, "record", "--gil", "--format", "raw", "--output", str(stacks)]
        command += ["--pid", str(process.pid), "--rate", str(_LOOKS_PER_S)]
        subprocess.run([*command, "--duration", f"{seconds:.0f}"], check=True, capture_output=True)
        seen = [client.hear() for client in clients]
    looks = seconds * _LOOKS_PER_S
    parts: Counter[str] = Counter()
    for stack, times in _read(stacks):
        parts[part_of(stack)] += times
    return {
        "sessions": number,
        "held": round(parts.total() / looks, 3),
        "parts": {name: round(times / looks, 3) for name, times in parts.most_common()},
        "shown_per_s": [one["shown_per_s"] for one in seen],
        "read_per_s": [one["readings_per_s"] for one in seen],
    }


def part_of(stack: str) -> str:
    """Return what the time in a stack counts as."""
    found = (part for part, names in _PARTS.items() if any(name in stack for name in names))
    return next(found, "other")


def _read(stacks: Path) -> Iterator[tuple[str, int]]:
    for line in stacks.read_text(encoding="utf-8").splitlines():
        stack, _, times = line.rpartition(" ")
        yield stack, int(times)


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    lines = ["| live sessions | lock held | a session | pictures shown a second | of it |"]
    lines.append("|--:|--:|--:|--:|---|")
    for run in report["runs"]:
        parts = ", ".join(f"{name} {share:.3f}" for name, share in run["parts"].items())
        shown = ", ".join(f"{rate:.1f}" for rate in run["shown_per_s"])
        each = run["held"] / run["sessions"]
        lines.append(f"| {run['sessions']} | {run['held']:.2f} | {each:.2f} | {shown} | {parts} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
