"""Connections of low bandwidth between Chromium and the app: data rate, picture size, delay.

    python -m benchmarks.line [--kbit 20000 1000 500 250 100] [--seconds 30] [--out FILE]
    python -m benchmarks.line --show FILE

Needs Linux, root, `ip` and `tc`. The app runs in its own network namespace, and all that Chromium
sends to it passes a token bucket of the given kbit/s with a queue of 0.8 s. The webcam is a film of
1280×720 in which one face moves. Data rate, picture size and round-trip time are Chromium's own
statistics (`RTCPeerConnection.getStats`), from five seconds after START.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from benchmarks.room import shares
from testkit.app import (
    ROOT,
    answers,
    launch_browser,
    live_frame,
    ready_to_start,
    write_webcam,
)

_NAMESPACE, _HERE, _THERE = "emorec-line", "emorec0", "emorec1"
_ADDRESS, _APP = "10.203.7.1", "10.203.7.2"
_SETTLE_S = 5.0

_TELL = """async () => {
  const told = { at_s: performance.now() / 1000 };
  for (const [, stat] of await window.peers.at(-1).getStats()) {
    if (stat.type === "outbound-rtp" && stat.kind === "video") {
      told.size = [stat.frameWidth, stat.frameHeight];
      told.bytes = stat.bytesSent;
      told.frames = stat.framesEncoded;
    } else if (stat.type === "remote-inbound-rtp") {
      told.lost = stat.packetsLost;
    } else if (stat.type === "candidate-pair" && stat.nominated) {
      told.round_trip_s = stat.currentRoundTripTime;
    }
  }
  return told;
}"""


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kbit", type=int, nargs="+", default=[20_000, 1000, 500, 250, 100])
    parser.add_argument("--seconds", type=float, default=30, help="to watch each for")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measure(args.kbit, args.seconds), tables)


def measure(rates_kbit: list[int], seconds: float) -> dict[str, Any]:
    """Return the whole report as a dictionary for JSON."""
    report = {
        "command": f"python -m benchmarks.line --kbit {' '.join(map(str, rates_kbit))}"
        f" --seconds {seconds:g}",
        **machine(),
    }
    with tempfile.TemporaryDirectory() as name:
        film = write_webcam(Path(name) / "face.mjpeg", (1280, 720))
        with app_behind_a_line(Path(name) / "app.log") as url:
            return {**report, "lines": [watch(url, film, rate, seconds) for rate in rates_kbit]}


@contextmanager
def app_behind_a_line(log: Path) -> Iterator[str]:
    """Run the app in a namespace that one pair of interfaces leads to; yields its address."""
    port = 8501
    command = ["ip", "netns", "exec", _NAMESPACE, sys.executable, "-m", "streamlit", "run"]
    command += ["app.py", "--server.headless=true", f"--server.port={port}"]
    command += [f"--server.address={_APP}"]
    _ip(f"netns add {_NAMESPACE}")
    try:
        _ip(f"link add {_HERE} type veth peer name {_THERE} netns {_NAMESPACE}")
        _ip(f"addr add {_ADDRESS}/24 dev {_HERE}")
        _ip(f"link set {_HERE} up")
        _ip(f"-n {_NAMESPACE} addr add {_APP}/24 dev {_THERE}")
        _ip(f"-n {_NAMESPACE} link set {_THERE} up")
        _ip(f"-n {_NAMESPACE} link set lo up")
        env = os.environ | {"EMOREC_ICE_SERVERS": "[]"}
        with log.open("w") as out:
            app = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            url, until = f"http://{_APP}:{port}", time.monotonic() + 60
            while not answers(url):
                if app.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"line: the app did not start:\n{log.read_text()}")
                time.sleep(0.2)
            yield url
        finally:
            app.terminate()
            app.wait()
    finally:
        _ip(f"netns del {_NAMESPACE}")  # and with it the interfaces


def watch(url: str, film: Path, kbit: int, seconds: float) -> dict[str, Any]:
    """Let a visitor be live over a line of so many kbit/s and return what was sent."""
    with sync_playwright() as playwright:
        # Browsers allow the camera only for secure pages and for addresses given at their start.
        browser = launch_browser(playwright, film, secure=url)
        try:
            page = browser.new_page()
            button = ready_to_start(page, url)
            _tc(f"replace dev {_HERE} root tbf rate {kbit}kbit burst 16kb latency 800ms")
            button.click()
            time.sleep(_SETTLE_S)
            frame, told = live_frame(page), []
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                told.append(frame.evaluate(_TELL))
                time.sleep(1)
            said = page.get_by_text("Received:").first.inner_text()
        finally:
            _tc(f"del dev {_HERE} root")
            browser.close()
    told = [one for one in told if "bytes" in one]
    if len(told) < 2:
        raise SystemExit("line: the camera's picture was never sent; try again")
    first, last = told[0], told[-1]
    took_s = last["at_s"] - first["at_s"]
    return {
        "kbit_per_s": kbit,
        "sent_kbit_per_s": round((last["bytes"] - first["bytes"]) * 8 / 1000 / took_s),
        "sent_per_s": round((last["frames"] - first["frames"]) / took_s, 1),
        "sent_sizes": shares([one["size"] for one in told]),
        "packets_lost": last.get("lost", 0),
        "round_trip_ms_mean": round(1000 * fmean(one["round_trip_s"] for one in told)),
        "round_trip_ms_most": round(1000 * max(one["round_trip_s"] for one in told)),
        "page_says": said[said.index("Received") :],
    }


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    columns = (
        "line, kbit/s",
        "sent, kbit/s",
        "pictures sent a second",
        "sizes sent",
        "packets lost",
        "there and back, ms, mean",
        "most",
    )
    lines = [f"| {' | '.join(columns)} |", "|" + "--:|" * len(columns)]
    for told in report["lines"]:
        sizes = ", ".join(f"{size} {share:.0%}" for size, share in told["sent_sizes"].items())
        cells = (
            told["kbit_per_s"],
            told["sent_kbit_per_s"],
            told["sent_per_s"],
            sizes.replace("x", "×"),
            told["packets_lost"],
            told["round_trip_ms_mean"],
            told["round_trip_ms_most"],
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def _tc(command: str) -> None:
    subprocess.run(["tc", "qdisc", *command.split()], check=True)


if __name__ == "__main__":
    main()
