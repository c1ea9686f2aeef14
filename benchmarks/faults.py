"""Effects of faults around the app while two visitors are live.

    python -m benchmarks.faults [--only NAME...] [--seconds 10] [--uploads 10000] [--fps 30]
                              [--out FILE]
    python -m benchmarks.faults --show FILE

For every fault the app is started again with two visitors: the affected one and a second one. The
pictures shown per second to the second visitor are counted before, during and after the fault; the
message is that of the affected visitor's page during the fault. The faults are real where possible:
coturn is killed, and garbage is sent over the WebSocket and as uploads. Faults inside the process
are patched in by `testkit.rigged`; the app contains no code for them.

- **classifier**: every call of the network raises.
- **reading**, **drawing**: the affected visitor's thread that reads or draws is killed.
- **turn**: the coturn that only the affected visitor uses is killed.
- **disk**: no file can be written any more, the log included (a file size limit of 0, which
  fails like a full disk).
- **clock**: the wall clock jumps a day ahead, then two days back.
- **garbage**: random bytes, text, far too much, and messages that are well-formed but senseless.
- **uploads**: 10,000 malformed pictures (`benchmarks.malformed`) on the photo page, 20 at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed

from benchmarks.machine import machine
from benchmarks.malformed import damaged
from benchmarks.report import add_options, deliver
from benchmarks.watch import Watch
from testkit.app import FPS, answers, running_app
from testkit.clients import Client, visiting
from testkit.coturn import running_turn, turn_path
from testkit.film import write_film
from testkit.page import Page, PageError
from testkit.rigged import Rig

LEAST_SHARE = 0.7
"""Of the pictures before that the one beside must still get during and after a fault."""
_DAY_S = 86_400.0
_GARBAGE = 40
_SILENCE_S = 45.0
_AT_ONCE = 20  # pictures that the photo page reads


class Scene(NamedTuple):
    """Where a fault happens."""

    url: str
    rig: Rig
    app: psutil.Process
    hit: Client
    turn: psutil.Process | None
    uploads: int


def main() -> int:
    """Measure, print and, with ``--out``, keep; 1 where a fault does more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--seconds", type=float, default=10, help="to count before, during, after")
    parser.add_argument("--uploads", type=int, default=10_000, help="malformed pictures")
    parser.add_argument(
        "--fps", type=int, default=FPS, help="of each camera; fewer where it is busy"
    )
    add_options(parser)
    args = parser.parse_args()
    report = deliver(args, lambda: measure(args.only, args.seconds, args.uploads, args.fps), tables)
    measured = report["faults"].values()
    return 0 if len(measured) == len(args.only) and all(done["holds"] for done in measured) else 1


def measure(names: list[str], seconds: float, uploads: int, fps: int = FPS) -> dict[str, Any]:
    """Return the effects of every fault as a dictionary for JSON."""
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "film.ivf")
        faults = {}
        for name in names:
            try:
                faults[name] = happen(name, seconds, film, fps, uploads)
            except PageError as error:  # as where the machine is too busy for two visitors
                print(f"faults: {name} is not measured: {error}", file=sys.stderr)
    return {
        "command": f"python -m benchmarks.faults --seconds {seconds:g} --uploads {uploads}"
        f" --fps {fps}" + ("" if names == list(FAULTS) else f" --only {' '.join(names)}"),
        **where,
        "faults": faults,
    }


def happen(
    name: str, seconds: float, film: Path, fps: int = FPS, uploads: int = 100
) -> dict[str, Any]:
    """Cause one fault while two visitors are live, and return its effects on each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rig, env, turn = Rig(folder), {"EMOREC_MAX_LIVE": "10"}, None
        if name == "turn":
            server = stack.enter_context(running_turn(folder))
            turn, env = psutil.Process(server.process.pid), env | server.env
        app, url = stack.enter_context(
            running_app(folder / "app.log", env=env, program=rig.program)
        )
        hit, beside = stack.enter_context(visiting(url, film, 2, fps))
        beside.ask("start")
        hit.ask("start", turn is not None)
        scene = Scene(url, rig, psutil.Process(app.pid), hit, turn, uploads)
        rates = [_beside(beside, seconds)]
        # That a relay is gone shows in its silence, which has to last a while.
        during_s = seconds if turn is None else max(seconds, _SILENCE_S)
        for client in (hit, beside):
            client.tell("count", during_s)
        with Watch(scene.app) as watch, FAULTS[name](scene):
            seen = [client.hear() for client in (hit, beside)]
            message = hit.ask("said")
        rates += [seen[1]["shown_per_s"], _beside(beside, seconds)]
        after = _again(hit, seconds)
        up, running = answers(url), app.poll() is None
        traces = (folder / "app.log").read_text(errors="replace").count("Traceback")
    return {
        "up": up and running,
        "beside_shown_per_s": rates,
        "hit_shown_per_s": [seen[0]["shown_per_s"], after],
        "hit_read_per_s": seen[0]["readings_per_s"],
        "message": message,
        **watch.taken(),
        "tracebacks": traces,
        "holds": up and running and min(rates[1:]) >= LEAST_SHARE * rates[0] and after > 0,
    }


def _beside(client: Client, seconds: float) -> float:
    return float(client.ask("count", seconds)["shown_per_s"])


def _again(hit: Client, seconds: float) -> float:
    """Return the affected visitor's picture rate after STOP and START."""
    try:
        hit.ask("stop")
        hit.ask("start")
        return _beside(hit, seconds)
    except PageError as error:
        print(f"after the fault: {error}", file=sys.stderr)
        return 0.0


@contextmanager
def _classifier(scene: Scene) -> Iterator[None]:
    scene.rig.break_classifier(True)
    yield
    scene.rig.break_classifier(False)


@contextmanager
def _killed(scene: Scene, thread: str) -> Iterator[None]:
    if not scene.rig.kill_thread(thread):
        raise SystemExit(f"faults: the app has no thread named {thread}")
    yield


@contextmanager
def _turn(scene: Scene) -> Iterator[None]:
    assert scene.turn is not None
    scene.turn.kill()
    yield


@contextmanager
def _disk(scene: Scene) -> Iterator[None]:
    before = scene.app.rlimit(resource.RLIMIT_FSIZE)
    scene.app.rlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    scene.app.rlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _clock(scene: Scene) -> Iterator[None]:
    scene.rig.jump(_DAY_S)
    time.sleep(2)
    scene.rig.jump(-_DAY_S)
    yield


@contextmanager
def _garbage(scene: Scene) -> Iterator[None]:
    asyncio.run(_throw(scene.url))
    yield


async def _throw(url: str) -> None:
    chance = random.Random(1)
    for number in range(_GARBAGE):
        page = await Page.open(url)
        await page.run_ended()
        try:
            for message in _senseless(chance, number, page):
                await page.send(message)
            await asyncio.sleep(0.1)
        except ConnectionClosed:  # the app need not listen to it
            continue
        finally:
            await page.close()


def _senseless(chance: random.Random, number: int, page: Page) -> list[bytes | str]:
    """Return messages of one kind in five."""
    kind = number % 5
    if kind == 0:
        return [chance.randbytes(chance.randrange(1, 5000)) for _ in range(5)]
    if kind == 1:
        return ["no bytes but text"]
    if kind == 2:
        return [b"\0" * 300_000_000]
    message = BackMsg()
    if kind == 3:
        message.rerun_script.page_script_hash = "no such page"
        message.rerun_script.fragment_id = "no such fragment"
        message.rerun_script.query_string = "a=" + "%" * 1000
        return [message.SerializeToString()]
    component = page.component("webrtc_streamer")
    values: list[Any] = [
        {"playing": "maybe", "sdpOffer": {"type": "offer", "sdp": "no sdp"}, "iceCandidates": {}},
        {"playing": True, "sdpOffer": {"type": "answer"}, "iceCandidates": {"a": {"b": "c"}}},
        {"playing": None, "sdpOffer": "", "iceCandidates": {"x": None}},
    ]
    told = []
    for value in values:
        state = WidgetState(id=component[0] if component else "none", json_value=json.dumps(value))
        message.rerun_script.ClearField("widget_states")
        message.rerun_script.widget_states.widgets.append(state)
        told.append(message.SerializeToString())
    return told


@contextmanager
def _uploads(scene: Scene) -> Iterator[None]:
    asyncio.run(_upload(scene.url, scene.uploads))
    yield


async def _upload(url: str, count: int) -> None:
    page = await Page.open(url, "photo")
    await page.run_ended()
    files = damaged(count)
    while batch := list(islice(files, _AT_ONCE)):
        await page.upload({f"{number}.jpg": data for number, data in enumerate(batch)})
    await page.close()


FAULTS: dict[str, Callable[[Scene], Any]] = {
    "classifier": _classifier,
    "reading": lambda scene: _killed(scene, "emorec-read"),
    "drawing": lambda scene: _killed(scene, "emorec-draw"),
    **({"turn": _turn} if turn_path() else {}),
    "disk": _disk,
    "clock": _clock,
    "garbage": _garbage,
    "uploads": _uploads,
}


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    columns = (
        "fault",
        "app up",
        "shown a second beside it: before, during, after",
        "to the one it hits: during, after STOP and START",
        "frames read for it during",
        "MB more, at most",
        "open files, at most",
        "what the page says",
    )
    lines = [f"| {' | '.join(columns)} |", "|---|---|--:|--:|--:|--:|--:|---|"]
    for name, done in report["faults"].items():
        cells = [
            name + ("" if done["holds"] else " (**does not hold**)"),
            "yes" if done["up"] else "**no**",
            ", ".join(f"{rate:.1f}" for rate in done["beside_shown_per_s"]),
            ", ".join(f"{rate:.1f}" for rate in done["hit_shown_per_s"]),
            "none told" if done["hit_read_per_s"] is None else f"{done['hit_read_per_s']:.1f}",
            str(done["more_mb"]),
            str(done["files"]),
            " ".join(done["message"]).replace("\n", " ").replace("|", "/") or "nothing",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
