"""The live page in a real browser: pictures a second, readings a second, memory, start.

    python -m benchmarks.live [--out FILE]

Starts the app, opens it in Chromium with a fake webcam (640x480, 30 pictures a second, one real
face that moves), presses START, and after a while counts for ten seconds. Browser and server share
the machine, so what Chromium takes is missing to the app. Memory is resident, of the web process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from datetime import date
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from tools.harness import (
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
    """Measure and print; with ``--out``, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="also write the numbers to this JSON file")
    args = parser.parse_args()
    report = {
        "command": "python -m benchmarks.live",
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        **measure(),
    }
    text = json.dumps(report, indent=1) + "\n"
    print(text, end="")
    if args.out:
        args.out.write_text(text)


def measure() -> dict[str, float]:
    """Run the app and one visitor, and return what was counted."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = write_webcam(Path(folder) / "face.mjpeg")
        began = time.monotonic()
        with running_app(Path(folder) / "app.log") as (process, url):
            answers_after_s = time.monotonic() - began
            app = psutil.Process(process.pid)
            browser = launch_browser(playwright, film)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(url)
            page.get_by_role("heading", name="Live").wait_for()
            idle_mb = app.memory_info().rss / 1e6
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
        "start_to_answer_s": round(answers_after_s, 2),
        "idle_rss_mb": round(idle_mb),
        "one_live_session_rss_mb": round(live_mb),
        "video_shown_per_s": round(shown, 1),
        "pictures_drawn_per_s": drawn,
        "frames_read_per_s": read,
        "app_cores_used": round(cpu, 2),
    }


def _metric(page: Page, label: str) -> float:
    block = page.get_by_test_id("stMetric").filter(has_text=label)
    return float(block.get_by_test_id("stMetricValue").inner_text())


if __name__ == "__main__":
    main()
