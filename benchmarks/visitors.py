"""Many live visitors at once: the picture rate that each gets, and the cost for the server.

    python -m benchmarks.visitors [--sessions 1 2 4 8] [--seconds 30] [--out FILE] [--plot FILE.png]
    python -m benchmarks.visitors --show FILE

For each number of visitors the app is started again, and that many visitors without a browser
(`testkit.visitor`) press START, each in its own process at 640×480 and 30 frames a second. They
share the machine with the server and take processor time from it, which is reported too; so the
numbers are a lower bound. A picture counts as shown if it was made of another camera frame than the
one before. The age of a label is the time from the camera's taking of the analysed frame to the
arrival of a picture with that analysis on it. Every frame carries its number on both ways, and the
app is patched (`testkit.rigged`) to write on its pictures how much older their analysis is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil

from benchmarks.machine import machine, percentile_95
from benchmarks.report import add_options, deliver
from benchmarks.watch import Watch
from testkit.app import FPS, running_app
from testkit.clients import Client, visiting
from testkit.film import write_film
from testkit.page import PageError
from testkit.rigged import Rig

LEAST_SHOWN, LEAST_READ = 15.0, 5.0
"""Pictures shown and frames read a second that every visitor must get."""
_SETTLE_S = 10.0


def main() -> None:
    """Measure and print, with ``--out`` and ``--plot`` also write; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 2, 4, 8], metavar="N")
    parser.add_argument("--seconds", type=float, default=30, help="to count for")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="also draw what each one gets")
    add_options(parser)
    args = parser.parse_args()
    try:
        report = deliver(args, lambda: measure(args.sessions, args.seconds), tables)
    except PageError as error:
        raise SystemExit(f"visitors: {error}") from None
    if args.plot:
        draw(report, args.plot)


def measure(sessions: list[int], seconds: float, fps: int = FPS) -> dict[str, Any]:
    """Return the whole report as a dictionary for JSON."""
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "film.ivf")
        runs = [crowd(number, seconds, film, fps) for number in sessions]
    return {
        "command": f"python -m benchmarks.visitors --sessions {' '.join(map(str, sessions))}"
        f" --seconds {seconds:g}",
        **where,
        "runs": runs,
        "verdict": verdict(runs),
    }


def crowd(number: int, seconds: float, film: Path, fps: int = FPS) -> dict[str, Any]:
    """Run this number of live visitors and return their rates and the server's cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rig = Rig(folder)
        env = {"EMOREC_MAX_LIVE": str(number)}
        with running_app(folder / "app.log", env=env, program=rig.program) as (process, url):
            server = psutil.Process(process.pid)
            with visiting(url, film, number, fps) as clients, Watch(server) as watch:
                idle_mb = server.memory_info().rss / 1e6
                started_s = [client.ask("start") for client in clients]
                time.sleep(_SETTLE_S)
                before, began = _seconds(server, clients), time.monotonic()
                for client in clients:
                    client.tell("count", seconds)
                seen = [client.hear() for client in clients]
                after, took = _seconds(server, clients), time.monotonic() - began
                live_mb = server.memory_info().rss / 1e6
    own, others = ((b - a) / took for a, b in zip(before, after, strict=True))
    ages = [age for one in seen for age in one["ages_ms"]]
    delays = [delay for one in seen for delay in one["delays_ms"]]
    return {
        "sessions": number,
        "shown_per_s": [one["shown_per_s"] for one in seen],
        "read_per_s": [one["readings_per_s"] or 0.0 for one in seen],
        "longest_gap_s": max(one["longest_gap_s"] for one in seen),
        "start_s": round(max(started_s), 1),
        "picture_delay_ms_p95": percentile_95(delays) if delays else None,
        "label_age_ms_p95": percentile_95(ages) if ages else None,
        "cores": round(own, 2),
        "cores_a_session": round(own / number, 2),
        "cores_of_the_visitors": round(others, 2),
        "resident_mb": round(live_mb),
        "mb_a_session": round((live_mb - idle_mb) / number),
        "peak_mb": round(watch.most_mb),
        "files": watch.most_files,
    }


def holds(run: dict[str, Any]) -> bool:
    """Return whether every visitor gets the required rates."""
    enough = zip((run["shown_per_s"], run["read_per_s"]), (LEAST_SHOWN, LEAST_READ), strict=True)
    return all(min(rates) >= least for rates, least in enough)


def verdict(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the most sessions with the required rates, and the calculated cost of a hundred.

    On an overloaded machine a session seems cheaper than it is. So cores and memory per session are
    those of the largest number of visitors with the required rates; if there is none, ``cap`` is 0
    and the cost is that of the first number.
    """
    good: list[dict[str, Any]] = []
    for run in sorted(runs, key=lambda run: run["sessions"]):
        if not holds(run):
            break
        good.append(run)
    last = good[-1] if good else runs[0]
    return {
        "cap": good[-1]["sessions"] if good else 0,
        "cores_for_100": round(100 * last["cores_a_session"]),
        "gb_for_100": round(last["resident_mb"] / 1000 + 0.1 * last["mb_a_session"], 1),
    }


def _seconds(server: psutil.Process, clients: list[Client]) -> tuple[float, float]:
    """Return the processor seconds that the server, and all visitors together, have taken."""
    visitors = [psutil.Process(client.process.pid) for client in clients]
    return _taken(server), sum(map(_taken, visitors))


def _taken(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    columns = (
        "live sessions",
        "pictures shown a second, least, mean",
        "frames read a second, least, mean",
        "longest gap, s",
        "delay of a picture, ms, p95",
        "age of a label, ms, p95",
        "cores",
        "cores a session",
        "MB a session",
        "MB at most",
        "open files, at most",
        "cores of the visitors",
    )
    lines = [f"| {' | '.join(columns)} |", "|" + "--:|" * len(columns)]
    for run in report["runs"]:
        shown, read = run["shown_per_s"], run["read_per_s"]
        cells = [
            run["sessions"],
            f"{min(shown):.1f}, {fmean(shown):.1f}",
            f"{min(read):.1f}, {fmean(read):.1f}",
            run["longest_gap_s"],
            _cell(run["picture_delay_ms_p95"]),
            _cell(run["label_age_ms_p95"]),
            run["cores"],
            run["cores_a_session"],
            run["mb_a_session"],
            run.get("peak_mb", "–"),
            run.get("files", "–"),
            run["cores_of_the_visitors"],
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    told = report["verdict"]
    lines += [
        "",
        (
            f"Everyone gets at least {LEAST_SHOWN:g} pictures shown and {LEAST_READ:g} frames read"
            f" a second up to **{told['cap']}** live sessions on {report['cores']} cores that the"
            f" visitors share. A hundred, on paper: {told['cores_for_100']} cores and"
            f" {told['gb_for_100']} GB."
        ),
    ]
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f}"


def draw(report: dict[str, Any], file: Path) -> None:
    """Draw what the worst-off visitor gets over the number of sessions."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    numbers = [run["sessions"] for run in report["runs"]]
    for key, least, name in (
        ("shown_per_s", LEAST_SHOWN, "pictures shown"),
        ("read_per_s", LEAST_READ, "frames read"),
    ):
        lines = axes.plot(
            numbers, [min(run[key]) for run in report["runs"]], marker="o", label=name
        )
        axes.axhline(least, color=lines[0].get_color(), linestyle=":", linewidth=1)
    axes.set(xlabel="live sessions", ylabel="a second, of the worst off", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
