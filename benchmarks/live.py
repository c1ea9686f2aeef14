"""The live page in a real browser: pictures a second, readings a second, memory.

    python -m benchmarks.live [--out FILE]
    python -m benchmarks.live --show FILE

Starts the app, opens it in Chromium with a fake webcam (640x480, 30 pictures a second, one real
face that moves), presses START, and after a while counts for ten seconds. Browser and server share
the machine, so Chromium takes processor time from the app. Memory is the web process's resident
memory. `benchmarks.start` measures the time of the start, and the memory without live sessions.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from testkit.app import (
    LIVE_FRAMES,
    launch_browser,
    live_frame,
    running_app,
    start_live,
    write_webcam,
)

_SETTLE_S = 20
_COUNT_S = 10


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    deliver(parser.parse_args(), measure, tables)


def measure() -> dict[str, Any]:
    """Run the app and one visitor, and return what was counted."""
    report = {"command": "python -m benchmarks.live", **machine()}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = write_webcam(Path(folder) / "face.mjpeg")
        with running_app(Path(folder) / "app.log") as (process, url):
            app = psutil.Process(process.pid)
            browser = launch_browser(playwright, film)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(url)
            page.get_by_role("heading", name="Live").wait_for()
            start_live(page)
            time.sleep(_SETTLE_S)
            cpu_before = sum(app.cpu_times()[:2])
            counted = time.monotonic()
            shown = live_frame(page).evaluate(LIVE_FRAMES, _COUNT_S)
            drawn = _metric(page, "Pictures/s")
            read = _metric(page, "Readings/s")
            cpu = (sum(app.cpu_times()[:2]) - cpu_before) / (time.monotonic() - counted)
            live_mb = app.memory_info().rss / 1e6
            browser.close()
    return {
        **report,
        "one_live_session_rss_mb": round(live_mb),
        "video_shown_per_s": round(shown, 1),
        "pictures_drawn_per_s": drawn,
        "frames_read_per_s": read,
        "app_cores_used": round(cpu, 2),
    }


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    rows = {
        "pictures shown a second": "video_shown_per_s",
        "of these newly drawn": "pictures_drawn_per_s",
        "frames read a second": "frames_read_per_s",
        "cores": "app_cores_used",
        "MB resident": "one_live_session_rss_mb",
    }
    lines = [f"| {name} | {report[key]} |" for name, key in rows.items()]
    return "\n".join(["| one live session in Chromium | |", "|---|--:|", *lines])


def _metric(page: Page, label: str) -> float:
    block = page.get_by_test_id("stMetric").filter(has_text=label)
    return float(block.get_by_test_id("stMetricValue").inner_text())


if __name__ == "__main__":
    main()
