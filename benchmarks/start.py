"""Time until the app answers, and its memory without live sessions.

    python -m benchmarks.start [--repeats 5] [--out FILE]
    python -m benchmarks.start --show FILE

Each start is a new `streamlit run`. The app answers when its health check succeeds; the page is
there when a visitor without a browser (`testkit.visitor`) has received its first complete run over
the WebSocket. Memory is the web process's resident memory with that page open. The numbers are
medians; the first start, which fills the disk cache, is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from testkit.app import running_app
from testkit.page import Page

MOST_S, MOST_MB = 4.0, 250.0


def main() -> int:
    """Measure, print and, with ``--out``, keep; 1 where it does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    add_options(parser)
    args = parser.parse_args()
    report = deliver(args, lambda: measure(args.repeats), tables)
    return 0 if report["holds"] else 1


def measure(repeats: int) -> dict[str, Any]:
    """Return the medians of so many starts, fit for JSON."""
    where = machine()
    starts = [start() for _ in range(repeats + 1)][1:]
    told = {key: round(median(each[key] for each in starts), 2) for key in starts[0]}
    return {
        "command": f"python -m benchmarks.start --repeats {repeats}",
        **where,
        **told,
        "holds": told["page_s"] <= MOST_S and told["idle_mb"] <= MOST_MB,
    }


def start() -> dict[str, float]:
    """Start the app once and open its page.

    Returns:
        ``answers_s`` and ``page_s`` since it was started; ``idle_mb`` with the page open.
    """
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with running_app(Path(folder) / "app.log") as (process, url):
            answers_s = time.monotonic() - began
            return {
                "answers_s": answers_s,
                **asyncio.run(_open(url, began, psutil.Process(process.pid))),
            }


async def _open(url: str, began: float, app: psutil.Process) -> dict[str, float]:
    page = await Page.open(url)
    await page.run_ended()
    page_s = time.monotonic() - began
    idle_mb = app.memory_info().rss / 1e6
    await page.close()
    return {"page_s": page_s, "idle_mb": idle_mb}


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    return "\n".join(
        [
            "| start | |",
            "|---|--:|",
            f"| seconds until it answers | {report['answers_s']:.1f} |",
            f"| seconds until the page is there (at most {MOST_S:g}) | {report['page_s']:.1f} |",
            f"| MB resident, page open (at most {MOST_MB:g}) | {report['idle_mb']:.0f} |",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
