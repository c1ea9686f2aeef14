"""What a session costs: time a frame, memory over eight hours, writing and opening a kept session.

    python -m benchmarks.sessions [--hours 8] [--faces 25] [--parts frame crowd …] [--out FILE]
    python -m benchmarks.sessions --show FILE

The room is made up: faces whose probabilities wander. No picture is read, so the numbers are those
of the timeline and the store alone. Memory is Python's own count (`tracemalloc`) of what a timeline
holds at the end. ``--parts`` measures some parts alone, and leaves the others as they are in the
file of ``--out``. The store is SQLite in a temporary folder; with ``--url`` it is another database,
whose content is deleted.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine, percentile_95
from benchmarks.report import add_options, deliver
from emorec.database.engine import connect
from emorec.emotions import EMOTIONS
from emorec.records import Box, Face, FrameResult
from emorec.sessions.report import charts, of_stored
from emorec.sessions.store import About, SessionStore
from emorec.sessions.timeline import Timeline
from testkit.room import PICTURE

_CROWD = 10_000
_OPENED_H = 3
_MANY = 1000
_VARIANTS = 64
_PARTS = ("frame", "crowd", "memory", "store")


def main() -> None:
    """Measure, or show a result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--faces", type=int, default=25)
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS)
    parser.add_argument("--url", help="another database than SQLite; its content is deleted")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measured(args), tables)


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Return all numbers."""
    report: dict[str, Any] = {}
    if args.out and args.out.exists():
        report = json.loads(args.out.read_text(encoding="utf-8"))
    report["command"] = f"python -m benchmarks.sessions --hours {args.hours:g} --faces {args.faces}"
    report["machine"] = machine()
    if "frame" in args.parts:
        report["frame"] = {str(faces): a_frame(faces) for faces in (1, 9, 25, 50)}
    if "crowd" in args.parts:
        report["crowd"] = crowd()
    if "memory" in args.parts:
        report["memory"] = memory(args.hours, args.faces)
    if "store" in args.parts:
        with tempfile.TemporaryDirectory() as folder:
            store = SessionStore(connect(args.url, Path(folder)))
            report["store"] = stored(store, args.faces)
            store.close()
    return report


def results(faces: int, rate: float, seconds: float, churn: bool = False) -> Iterator[FrameResult]:
    """Yield what a reader would; with ``churn`` every picture has new faces."""
    draw = np.random.default_rng(0)
    probs = draw.dirichlet(np.ones(len(EMOTIONS)), (_VARIANTS, faces)).astype(np.float32)
    labels = [[EMOTIONS[i] for i in row] for row in probs.argmax(axis=2)]
    numbers = itertools.count(1)
    for index in range(round(rate * seconds)):
        at = index % _VARIANTS
        ids = [next(numbers) for _ in range(faces)] if churn else range(1, faces + 1)
        seen = tuple(
            Face(id_, Box(0, 0, 40, 40), 0.9, 1.0, 0.0, p, p, label)
            for id_, p, label in zip(ids, probs[at], labels[at], strict=True)
        )
        yield FrameResult(index, index / rate, (1280, 720), seen)


def a_frame(faces: int) -> dict[str, float]:
    """Return the milliseconds that a timeline takes for a picture, at 30 a second."""
    timeline, taken = Timeline(datetime.now(UTC)), []
    for result in list(results(faces, 30, 65)):
        began = time.perf_counter()
        timeline.add(PICTURE, result)
        taken.append((time.perf_counter() - began) * 1000)
    late = taken[len(taken) // 2 :]  # with baselines and synchrony
    return {
        "ms_mean": round(float(np.mean(late)), 3),
        "ms_p95": percentile_95(late),
        "ms_most": round(max(late), 2),
    }


def crowd() -> dict[str, float]:
    """Return what a session with 10,000 different faces takes: ten new ones in every picture."""
    timeline = Timeline(datetime.now(UTC))
    made = list(results(10, 10, _CROWD / 100, churn=True))
    began = time.perf_counter()
    for result in made:
        timeline.add(PICTURE, result)
    wall_s = time.perf_counter() - began
    return {
        "faces": timeline.faces_seen,
        "ms_a_picture": round(1000 * wall_s / len(made), 3),
        "pictures_a_second": round(len(made) / wall_s),
    }


def memory(hours: float, faces: int) -> dict[str, float]:
    """Return what a timeline of so many hours holds, in MB of a million bytes.

    One picture a second: a row is written for each face in each of them, and the rows that are held
    are full after 34 minutes of 25 faces.
    """
    rate = 1.0
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    timeline = Timeline(datetime.now(UTC))
    warm_s = 2100.0
    for result in results(faces, rate, warm_s):
        timeline.add(PICTURE, result)
    warm_mb = (tracemalloc.get_traced_memory()[0] - before) / 1e6
    tracemalloc.stop()
    # Counting every allocation is slow: the rest of the hours runs without, and what it adds is
    # the seconds alone, whose size is known.
    for result in results(faces, rate, hours * 3600 - warm_s):
        moved = FrameResult(result.index, warm_s + result.time_s, result.size_wh, result.faces)
        timeline.add(PICTURE, moved)
    seconds = timeline.finished()
    grown_mb = (len(seconds) - warm_s) * seconds.itemsize / 1e6
    return {
        "hours": hours,
        "faces": faces,
        "rows_held": len(timeline.rows()),
        "seconds_held": len(seconds),
        "mb_after_35_minutes": round(warm_mb, 2),
        "mb_at_the_end": round(warm_mb + grown_mb, 2),
    }


def stored(store: SessionStore, faces: int) -> dict[str, float]:
    """Return what keeping and opening takes, in milliseconds."""
    timeline = Timeline(datetime.now(UTC))
    for result in results(faces, 1, _OPENED_H * 3600):
        timeline.add(PICTURE, result)
    timeline.__exit__()
    seconds = timeline.finished()
    about = About(
        owner="bench",
        started_at=timeline.clock_start,
        purpose="event",
        made_with={},
        keeps_faces=True,
    )
    id_, span_s, taken = store.begin(about), timeline.span_s, []
    tail = timeline.face_seconds(len(seconds) - 301)
    store.append(id_, seconds[:-300], None, span_s, faces, False)
    for at in range(len(seconds) - 300, len(seconds), 2):
        two = seconds[at : at + 2]
        own = tail[np.isin(tail["second"], two["second"])]
        began = time.perf_counter()
        store.append(id_, two, own, span_s, faces, False)
        taken.append((time.perf_counter() - began) * 1000)
    began = time.perf_counter()
    report = of_stored(store, id_)
    opened_ms = (time.perf_counter() - began) * 1000
    charts(report)  # Altair is loaded once in a process
    began = time.perf_counter()
    charts(report)
    drawn_ms = (time.perf_counter() - began) * 1000
    for _ in range(_MANY):
        store.begin(about)
    began = time.perf_counter()
    found = len(store.sessions("bench"))
    listed_ms = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    store.delete(id_)
    return {
        "append_2_s_ms_mean": round(float(np.mean(taken)), 2),
        "append_2_s_ms_p95": percentile_95(taken),
        "open_3_h_ms": round(opened_ms),
        "draw_3_h_ms": round(drawn_ms),
        "sessions": found,
        "list_ms": round(listed_ms),
        "delete_3_h_ms": round((time.perf_counter() - began) * 1000),
    }


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown tables."""
    lines = ["| faces in a picture | ms a picture, mean | p95 | most |", "|--:|--:|--:|--:|"]
    lines += [
        f"| {faces} | {row['ms_mean']} | {row['ms_p95']} | {row['ms_most']} |"
        for faces, row in report.get("frame", {}).items()
    ]
    lines += ["", "| what | |", "|---|--:|"]
    for name in ("crowd", "memory", "store"):
        told = report.get(name, {})
        lines += [f"| {name}: {key} | {value:,} |" for key, value in told.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
