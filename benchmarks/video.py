"""How fast `emorec video` reads and writes a video file, and how its memory grows with the length.

    python -m benchmarks.video [--seconds 10] [--long 600] [--out FILE]
    python -m benchmarks.video --show FILE

Films of one portrait (`testkit.frames`: 1, 9, 25 and 50 faces at 30 frames a second) are written as
H.264 and read by `emorec video FILE --out DIR`, a process of its own each time, with a table and an
annotated video. The real-time factor is the length of the film over the time that the process took,
its start included. For the memory a film of 10 s is read beside one of ``--long`` seconds; peak
resident memory of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.report import add_options, deliver
from emorec.media.video_writer import VideoWriter
from testkit.frames import FPS, WORKLOADS, Workload, sequence

_PERIOD = 2 * FPS  # frames after which the film repeats itself
_SHORT_S = 10.0
_PACKAGES = ("av", "opencv-python-headless", "ai-edge-litert", "numpy")


def main() -> None:
    """Measure, print and, with ``--out``, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each film")
    parser.add_argument("--long", type=float, default=600.0, help="of the film for the memory")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measure(args.seconds, args.long), tables)


def measure(seconds: float, long_s: float) -> dict[str, Any]:
    """Read a film of each workload, then a short and a long one, and return the numbers."""
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        films = {
            workload.name: read(write(Path(folder) / f"{workload.name}.mp4", workload, seconds))
            for workload in WORKLOADS
        }
        first = WORKLOADS[0]
        memory = {
            f"{length_s:g}": read(write(Path(folder) / "memory.mp4", first, length_s))["peak_mb"]
            for length_s in (_SHORT_S, long_s)
        }
    return {
        "command": f"python -m benchmarks.video --seconds {seconds:g} --long {long_s:g}",
        **where,
        "load_after": [round(load, 2) for load in os.getloadavg()],
        "packages": versions(Path(sys.executable), _PACKAGES),
        "films": films,
        "peak_mb_by_seconds": memory,
    }


def write(path: Path, workload: Workload, seconds: float) -> Path:
    """Write a film of this workload and length."""
    frames, _ = sequence(workload, _PERIOD)
    with VideoWriter(path) as writer:
        for number, frame in enumerate(islice(cycle(frames), round(seconds * FPS))):
            writer.write(frame, number / FPS)
    return path


def read(film: Path) -> dict[str, float]:
    """Read a film by the command, and return how fast, with how much memory, and what it found."""
    with tempfile.TemporaryDirectory() as out:
        code = (
            "import resource, sys\n"
            "from emorec.cli import main\n"
            f"code = main(['video', {str(film)!r}, '--out', {out!r}, '--json'])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
            "sys.exit(code)"
        )
        began_s = time.monotonic()
        spent_s = _children_s()
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        took_s, spent_s = time.monotonic() - began_s, _children_s() - spent_s
    report, peak_kb = done.stdout.splitlines()
    told = json.loads(report)
    length_s = told["frames"] / FPS
    return {
        "real_time_factor": round(length_s / took_s, 2),
        "processor_s_a_second": round(spent_s / length_s, 3),
        "faces": told["summary"]["most_at_once"],
        "peak_mb": round(int(peak_kb) / 1024),
    }


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    lines = [
        "| picture and faces | times as fast as it plays | processor seconds a second | faces |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | {film['real_time_factor']:.1f} | {film['processor_s_a_second']:.2f}"
        f" | {film['faces']} |"
        for name, film in report["films"].items()
    ]
    memory = " · ".join(f"{s} s: {mb} MB" for s, mb in report["peak_mb_by_seconds"].items())
    return "\n".join([*lines, "", f"Peak memory by length of a film of 640×480: {memory}."])


if __name__ == "__main__":
    main()
