"""What reading an uploaded video costs a live visitor of the same server, and how fast it goes.

    python -m benchmarks.beside [--seconds N] [--out FILE]
    python -m benchmarks.beside --show FILE

A visitor's picture runs, then runs on while a video of 1280×720 with one face is read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.machine import machine, percentile_95, versions
from benchmarks.report import add_options, deliver
from emorec.media.video_writer import VideoWriter
from testkit.app import FPS, running_app, webcam_frame
from testkit.clients import visiting
from testkit.film import write_film
from testkit.page import Page

_PIECE_BYTES = 1_000_000
_PACKAGES = ["ai-edge-litert", "aiortc", "av", "streamlit", "streamlit-webrtc"]


def main() -> None:
    """Measure and print, with ``--out`` also write; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, metavar="N", help="of each part")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measure(args.seconds), tables)


def measure(seconds: float) -> dict[str, Any]:
    """Return the whole report as a dictionary for JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film, video = write_film(folder / "film.ivf"), _video(folder / "video.mp4")
        log = folder / "app.log"
        with (
            running_app(log, env={"TMPDIR": name}) as (_, url),
            visiting(url, film) as (visitor,),
        ):
            visitor.ask("start")
            visitor.ask("count", 3)  # the model is loaded and the line is known
            parts = {"alone": _part(visitor.ask("count", seconds))}
            parts |= asyncio.run(_beside(visitor, url, video.read_bytes(), seconds))
    return {
        "command": f"python -m benchmarks.beside --seconds {seconds:g}",
        **machine(),
        "packages": versions(Path(sys.executable), _PACKAGES),
        **parts,
    }


async def _beside(visitor: Any, url: str, video: bytes, seconds: float) -> dict[str, Any]:
    tab = await Page.open(url, "video")
    await tab.run_ended()
    data = tab.data("emorec_upload")
    assert data is not None
    path = data["url"]
    await asyncio.to_thread(_upload, url, path, tab.headers, video)
    await tab.rerun()
    await tab.until(lambda: _read_s(tab) > 0 or None, 60, "a progress")
    before_s = _read_s(tab)
    live = await asyncio.to_thread(visitor.ask, "count", seconds)
    read_s = _read_s(tab) - before_s
    assert read_s > 0, "the video was read to its end"
    await tab.close()
    return {"beside": _part(live), "video_s_per_s": round(read_s / seconds, 2)}


def _upload(url: str, path: str, headers: dict[str, str], video: bytes) -> None:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("POST", f"{path}?name=video.mp4&size={len(video)}", headers=headers)
    connection.getresponse().read()
    for at in range(0, len(video), _PIECE_BYTES):
        piece = video[at : at + _PIECE_BYTES]
        connection.request("PUT", f"{path}?offset={at}", piece, headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    connection.close()


def _read_s(tab: Page) -> float:
    """Return the second of the video that the page says is read; 0 before it says one."""
    for text in tab.progress():
        if text.startswith("Read: "):
            minutes, _, seconds = text.removeprefix("Read: ").split(" ")[0].partition(":")
            return 60.0 * int(minutes) + int(seconds.rstrip(","))
    return 0.0


def _video(path: Path) -> Path:
    """Write a minute at 15 frames a second with one face that moves."""
    frames = [webcam_frame(number, (1280, 720)) for number in range(0, 4 * FPS, 6)]
    with VideoWriter(path) as writer:
        for number in range(60 * FPS // 2):
            writer.write(np.ascontiguousarray(frames[number % len(frames)]), number * 2 / FPS)
    return path


def _part(counted: dict[str, Any]) -> dict[str, Any]:
    delays_ms = counted["delays_ms"] or [float("inf")]  # no picture came
    return {
        "shown_per_s": counted["shown_per_s"],
        "longest_gap_s": counted["longest_gap_s"],
        "delay_ms_median": median(delays_ms),
        "delay_ms_p95": percentile_95(delays_ms),
        "readings_per_s": counted["readings_per_s"],
    }


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    lines = [
        "| live visitor | pictures/s | longest gap | delay, median / 95 % | readings/s |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, title in (("alone", "alone"), ("beside", "while a video is read")):
        row = report[name]
        lines.append(
            f"| {title} | {row['shown_per_s']} | {row['longest_gap_s']:.2f} s |"
            f" {row['delay_ms_median']:.0f} / {row['delay_ms_p95']:.0f} ms |"
            f" {row['readings_per_s']} |"
        )
    lines += [
        "",
        f"The video is read at {report['video_s_per_s']} times the speed at which it plays.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
